import { isDeepStrictEqual } from 'node:util';
import type { Node, NodeCondition, NodeStatus } from '../../api/generated/types.ts';
import { Node as NodeKind } from '../../api/kinds/core/node.ts';
import { isStatus } from '../../api/status-error.ts';
import type { Client } from '../../client/client.ts';
import { Backoff } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import type { Image, Runtime } from '../../runtime/runtime.ts';
import type { HostLoad } from './host-facts.ts';
import { type NodeHealth, nodeVerdicts, timedConditions } from './node-conditions.ts';
import { NodeLease } from './node-lease.ts';
import {
  type NodeIdentity,
  newNode,
  nodeAddresses,
  nodeAnnotations,
  nodeImages,
  nodeInfo,
  nodeLabels,
  nodeResources,
} from './node-object.ts';

const unknownRuntime = { name: 'containerd', version: 'unknown' };
const heartbeatMs = 10_000;
/** A node that is coming up is looked at sooner, and then less and less often. */
const comingUp = { initialMs: 200, maxMs: heartbeatMs };
/** A timer may fire a little early. */
const clockToleranceMs = 500;
/** Without a change the status is written this often, as upstream does. */
const reportMs = 5 * 60_000;

export interface NodeAgentDeps {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly identity: NodeIdentity;
  readonly port: () => number;
  readonly addresses: () => Promise<{ internal: readonly string[]; external: readonly string[] }>;
  readonly hostLoad: () => Promise<HostLoad>;
  readonly memoryCgroup: boolean;
  /** Empty when the pod network is up. */
  readonly networkProblem: () => string;
  readonly onAddressesChanged?: (addresses: readonly string[]) => void;
}

/** Registers the node, keeps its Lease fresh and its status true. */
export class NodeAgent implements Component {
  readonly name = 'node-status';
  readonly #deps: NodeAgentDeps;
  readonly #lease: NodeLease;
  #node: Node | undefined;
  #reported: NodeStatus | undefined;
  #reportedAtMs = 0;
  #internal: readonly string[] = [];
  #cancel: (() => void) | undefined;
  #facts: { version: { name: string; version: string }; images: Image[]; atMs: number } | undefined;
  #renewAtMs = 0;
  readonly #backoff = new Backoff(comingUp);
  #failing = false;
  #stopped = false;

  constructor(deps: NodeAgentDeps) {
    this.#deps = deps;
    this.#lease = new NodeLease({ client: deps.client, clock: deps.clock, name: deps.identity.name });
  }

  /** Addresses of this node, the first is the main one. */
  get internalAddresses(): readonly string[] {
    return this.#internal;
  }

  /** The node as last seen by the API. */
  get node(): Node | undefined {
    return this.#node;
  }

  /** Tries once; a server that does not answer is tried again with each heartbeat. */
  async start(): Promise<void> {
    await this.beat();
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** One heartbeat; never rejects. */
  async beat(): Promise<void> {
    const { clock } = this.#deps;
    try {
      const status = await this.#status();
      this.#node ??= await this.#register(status);
      if (clock.monotonicMs() >= this.#renewAtMs) {
        await this.#lease.renew(this.#node.metadata.uid);
        this.#renewAtMs = clock.monotonicMs() + heartbeatMs - clockToleranceMs;
      }
      await this.#report(status);
      if (this.#failing) this.#deps.log.info('the server answers again');
      this.#failing = false;
    } catch (error) {
      if (isStatus(error, 'NotFound')) this.#node = undefined;
      if (!this.#failing)
        this.#deps.log.warn('the node could not be reported to the server; pods keep running, trying again every 10 s', {
          error,
        });
      this.#failing = true;
    }
  }

  async #status(): Promise<NodeStatus> {
    const { identity, addresses, hostLoad, clock, port } = this.#deps;
    const [load, { internal, external }] = await Promise.all([hostLoad(), addresses()]);
    if (!isDeepStrictEqual(internal, this.#internal)) {
      this.#internal = internal;
      this.#deps.onAddressesChanged?.(internal);
    }
    const health = await this.#health(load);
    const { version, images } = await this.#runtimeFacts();
    return {
      addresses: nodeAddresses(identity.name, internal, external),
      ...nodeResources(identity.facts, load),
      conditions: timedConditions(
        nodeVerdicts(health),
        this.#reported?.conditions ?? this.#node?.status?.conditions ?? [],
        clock.now(),
      ),
      daemonEndpoints: { kubeletEndpoint: { Port: port() } },
      nodeInfo: nodeInfo(identity.facts, version),
      images: nodeImages(images),
      runtimeHandlers: [{ name: '', features: { recursiveReadOnlyMounts: false, userNamespaces: false } }],
    };
  }

  /** Asked rarely: they change rarely, and listing images is not free. */
  async #runtimeFacts(): Promise<{ version: { name: string; version: string }; images: Image[] }> {
    const { runtime, clock } = this.#deps;
    const now = clock.now();
    if (this.#facts && now - this.#facts.atMs < reportMs) return this.#facts;
    const [version, images] = await Promise.all([runtime.version(), runtime.listImages()]).catch(
      () => [unknownRuntime, []] as const,
    );
    this.#facts = { version, images: [...images], atMs: version === unknownRuntime ? 0 : now };
    return this.#facts;
  }

  async #health(load: HostLoad): Promise<NodeHealth> {
    const { runtime, identity, memoryCgroup, networkProblem } = this.#deps;
    const common = { facts: identity.facts, load, memoryCgroup };
    try {
      const status = await runtime.status();
      return {
        ...common,
        runtimeProblem: status.runtimeReady ? '' : status.message || 'not ready',
        networkProblem: networkProblem() || (status.networkReady ? '' : status.message || 'not ready'),
      };
    } catch (error) {
      return {
        ...common,
        runtimeProblem: error instanceof Error ? error.message : String(error),
        networkProblem: networkProblem(),
      };
    }
  }

  /** Creates the node, or makes the one that is there ours. */
  async #register(status: NodeStatus): Promise<Node> {
    const { client, identity, log } = this.#deps;
    const { name } = identity;
    try {
      const node = await client.create(NodeKind, newNode(identity, status));
      log.info('node registered', { node: name });
      return this.#saw(node);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
    const found = await client.get(NodeKind, { name });
    const metadata = { labels: nodeLabels(identity), annotations: nodeAnnotations(identity) };
    const differs =
      !includes(found.metadata.labels ?? {}, metadata.labels) ||
      !includes(found.metadata.annotations ?? {}, metadata.annotations);
    const node = differs ? await client.patch(NodeKind, { name }, { type: 'merge', body: { metadata } }) : found;
    return this.#saw(node);
  }

  #saw(node: Node): Node {
    this.#reported = node.status;
    this.#reportedAtMs = 0;
    return node;
  }

  async #report(status: NodeStatus): Promise<void> {
    const { client, clock, identity } = this.#deps;
    const now = clock.now();
    if (now - this.#reportedAtMs < reportMs && sameStatus(this.#reported, status)) return;
    const conditions = timedConditions(status.conditions ?? [], this.#reported?.conditions ?? [], now);
    const body = {
      status: { ...changes(this.#reported ?? {}, status), conditions, addresses: addressPatch(this.#reported, status) },
    };
    const node = await client.patch(NodeKind, { name: identity.name }, { type: 'strategic', body, subresource: 'status' });
    this.#node = node;
    this.#reported = { ...status, conditions: node.status?.conditions ?? conditions };
    this.#reportedAtMs = now;
  }

  #arm(): void {
    if (this.#stopped) return;
    const ready = this.#reported?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false;
    if (ready) this.#backoff.reset();
    const delayMs = ready ? heartbeatMs : this.#backoff.next();
    this.#cancel = this.#deps.clock.after(delayMs, () => void this.beat().finally(() => this.#arm()));
  }
}

const includes = (all: Record<string, string>, some: Record<string, string>): boolean =>
  Object.entries(some).every(([key, value]) => all[key] === value);

/** Times of heartbeats do not count as a change. */
function sameStatus(before: NodeStatus | undefined, now: NodeStatus): boolean {
  if (!before) return false;
  const strip = (status: NodeStatus): unknown => ({
    ...Object.fromEntries(Object.keys(now).map((key) => [key, status[key as keyof NodeStatus]])),
    conditions: (now.conditions ?? []).map((c: NodeCondition) => {
      const own = (status.conditions ?? []).find((s) => s.type === c.type);
      return own && [own.type, own.status, own.reason, own.message];
    }),
  });
  return isDeepStrictEqual(strip(before), strip(now));
}

function changes(before: NodeStatus, now: NodeStatus): Partial<NodeStatus> {
  return Object.fromEntries(
    Object.entries(now).filter(([key, value]) => !isDeepStrictEqual(before[key as keyof NodeStatus], value)),
  ) as Partial<NodeStatus>;
}

/** Addresses are a list merged by type on the server: all are replaced. */
function addressPatch(before: NodeStatus | undefined, now: NodeStatus): unknown {
  if (isDeepStrictEqual(before?.addresses, now.addresses)) return now.addresses;
  return [{ $patch: 'replace' }, ...(now.addresses ?? [])];
}
