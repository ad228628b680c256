import type { Api, Json, Resource } from './api.ts';
import { ApiError } from './api.ts';
import type { WatchStream } from './watch-stream.ts';

/** The pods of a table of fates are told apart by the image of their first container. */
export function imageOf(pod: Json): string {
  return pod.spec.containers[0].image;
}

/**
 * What becomes of a pod: it runs and is ready, or not ready; it does not end when it is deleted; it ends with an exit code; or nothing happens
 * to it.
 */
export type Fate = 'ready' | 'unready' | 'stubborn' | 'pending' | { readonly exitCode: number };

export interface NodeOptions {
  /** Besides, or instead of, plenty. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly fateOf?: (pod: Json) => Fate;
}

const renewalMs = 10_000;

/**
 * A node of which there is nothing but what it reports. It takes pods as any node does, starts nothing, and says of each that it runs, or what
 * `fateOf` says; pods that are deleted end at once.
 */
export class PretendedNode {
  readonly name: string;
  /** May be set at any time; concerns pods that come, or change, after that. */
  fateOf: (pod: Json) => Fate;
  readonly #api: Api;
  readonly #capacity: Readonly<Record<string, string>>;
  readonly #labels: Readonly<Record<string, string>>;
  #watch: WatchStream | undefined;
  #work: Promise<void> | undefined;
  #renewal: NodeJS.Timeout | undefined;
  #addresses = 0;

  constructor(api: Api, name: string, options: NodeOptions = {}) {
    this.#api = api;
    this.name = name;
    this.fateOf = options.fateOf ?? (() => 'ready');
    this.#capacity = { cpu: '64', memory: '64Gi', pods: '500', 'ephemeral-storage': '100Gi', ...options.capacity };
    this.#labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', ...options.labels };
  }

  async start(): Promise<void> {
    const nodes = this.#api.resource('v1/nodes');
    await nodes.create({ metadata: { name: this.name, labels: this.#labels } });
    const status = {
      capacity: this.#capacity,
      allocatable: this.#capacity,
      addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
      conditions: [
        { type: 'Ready', status: 'True', reason: 'Pretended', message: '', lastHeartbeatTime: now(), lastTransitionTime: now() },
      ],
    };
    await nodes.patch(this.name, { status }, { subresource: 'status' });
    const leases = this.#api.resource('coordination.k8s.io/v1/leases', 'kube-node-lease');
    await leases.create({ metadata: { name: this.name }, spec: { holderIdentity: this.name, renewTime: microNow() } });
    const renew = (): void => void leases.patch(this.name, { spec: { renewTime: microNow() } }).catch(() => {});
    this.#renewal = setInterval(renew, renewalMs).unref();
    this.#watch = await this.#api.resource('v1/pods').watch({ fieldSelector: `spec.nodeName=${this.name}` });
    this.#work = this.#watch.each(({ type, object }) => (type === 'DELETED' ? Promise.resolve() : this.#see(object)));
  }

  async stop(): Promise<void> {
    clearInterval(this.#renewal);
    this.#watch?.stop();
    await this.#work;
  }

  /** Looks at its pods again, after `fateOf` has changed its mind. */
  async look(): Promise<void> {
    const { items } = await this.#api.resource('v1/pods').list({ fieldSelector: `spec.nodeName=${this.name}` });
    for (const pod of items) await this.#see(pod);
  }

  async #see(pod: Json): Promise<void> {
    const pods = this.#api.resource('v1/pods', pod.metadata.namespace);
    try {
      const fate = this.fateOf(pod);
      if (pod.metadata.deletionTimestamp && fate !== 'stubborn') await this.#end(pods, pod);
      else if (!['Succeeded', 'Failed'].includes(pod.status.phase)) await this.#report(pods, pod, fate);
    } catch (error) {
      // It may be gone, or have changed: then another event says so.
      if (!(error instanceof ApiError)) throw error;
    }
  }

  async #end(pods: Resource, pod: Json): Promise<void> {
    const { name, uid } = pod.metadata;
    if (!['Succeeded', 'Failed'].includes(pod.status.phase))
      await pods.patch(name, { metadata: { uid }, status: ended(pod, 137) }, { subresource: 'status' });
    await pods.delete(name, { gracePeriodSeconds: 0, preconditions: { uid } });
  }

  async #report(pods: Resource, pod: Json, fate: Fate): Promise<void> {
    if (fate === 'pending') return;
    const status = typeof fate === 'string' ? running(pod, fate !== 'unready') : ended(pod, fate.exitCode);
    if (isReported(pod.status, status) && pod.status.observedGeneration === pod.metadata.generation) return;
    const podIP = pod.status.podIP ?? `10.42.7.${++this.#addresses}`;
    const where = { podIP, podIPs: [{ ip: podIP }], hostIP: '192.0.2.1', startTime: pod.status.startTime ?? now() };
    const { name, uid, generation } = pod.metadata;
    const patch = { metadata: { uid }, status: { ...status, ...where, observedGeneration: generation } };
    await pods.patch(name, patch, { subresource: 'status' });
  }
}

function isReported(before: Json, after: Json): boolean {
  const ready = (status: Json): unknown => status.conditions?.find((each: Json) => each.type === 'Ready')?.status;
  const images = (status: Json): unknown => status.containerStatuses?.map((each: Json) => each.image).join();
  return before.phase === after.phase && ready(before) === ready(after) && images(before) === images(after);
}

function running(pod: Json, ready: boolean): Json {
  const state = { running: { startedAt: now() } };
  return {
    phase: 'Running',
    conditions: conditions(pod, ready),
    containerStatuses: containerStatuses(pod, { ready, started: true, state }),
  };
}

function ended(pod: Json, exitCode: number): Json {
  const state = { terminated: { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error', startedAt: now(), finishedAt: now() } };
  return {
    phase: exitCode === 0 ? 'Succeeded' : 'Failed',
    conditions: conditions(pod, false),
    containerStatuses: containerStatuses(pod, { ready: false, started: false, state }),
  };
}

/** The node's own, besides what others have said of the pod. */
function conditions(pod: Json, ready: boolean): Json[] {
  const own: Readonly<Record<string, boolean>> = { Initialized: true, ContainersReady: ready, Ready: ready };
  const others = (pod.status.conditions ?? []).filter((each: Json) => !(each.type in own));
  const said = Object.entries(own).map(([type, is]) => ({ type, status: is ? 'True' : 'False', lastTransitionTime: now() }));
  return [...others, ...said];
}

function containerStatuses(pod: Json, fields: Json): Json[] {
  return pod.spec.containers.map(({ name, image }: Json) => ({ name, image, imageID: image, restartCount: 0, ...fields }));
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+/, '');
}

function microNow(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
