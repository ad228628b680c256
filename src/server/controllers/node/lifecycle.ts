import { Lease } from '../../../api/kinds/coordination/lease.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import { type ControllerDefinition, defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { mapped, primary, reads } from '../../../reconcile/watches.ts';
import { conditionOf } from '../support/conditions.ts';
import { isReady, isTerminal } from '../support/pods.ts';
import { readyStatusOf, silentConditions, taintsOf } from './health.ts';

export interface NodeLifecycleOptions {
  /** How long a node may be silent before it counts as lost; upstream's --node-monitor-grace-period. */
  readonly gracePeriodMs?: number;
  /** The same for a node that has never reported. */
  readonly startupGracePeriodMs?: number;
}

/** The last sign of life of a node, by our own clock: those of the machines may differ. */
interface Heartbeat {
  readonly uid: string;
  readonly sign: string;
  readonly seenAtMs: number;
}

/**
 * Declares silent nodes lost and taints nodes by their conditions (upstream: pkg/controller/nodelifecycle). A heartbeat is a renewed Lease
 * or a new heartbeat time in the status.
 */
export function nodeLifecycleController(options: NodeLifecycleOptions = {}): ControllerDefinition {
  const { gracePeriodMs = 50_000, startupGracePeriodMs = 60_000 } = options;
  const heartbeats = new Map<string, Heartbeat>();
  return defineController({
    name: 'node',
    watches: [
      primary(Node),
      mapped(Lease, ({ metadata }) => [metadata.name], { scope: { namespace: 'kube-node-lease' } }),
      reads(Pod),
    ],
    concurrency: 1,
    async reconcile(name, context) {
      const { informer, clock, requeueAfter } = context;
      const node = informer(Node).get(name);
      if (!node) {
        heartbeats.delete(name);
        return;
      }
      const heartbeat = listen(node, informer(Lease).get(`kube-node-lease/${name}`), heartbeats.get(name), clock.now());
      heartbeats.set(name, heartbeat);
      const hasReported = conditionOf(node.status.conditions, 'Ready') !== undefined;
      const leftMs = heartbeat.seenAtMs + (hasReported ? gracePeriodMs : startupGracePeriodMs) - clock.now();
      if (leftMs > 0) {
        requeueAfter(leftMs);
        await taint(node, context);
      } else await taint(await declareLost(node, context), context);
    },
  });
}

function listen(node: Node, lease: Lease | undefined, before: Heartbeat | undefined, nowMs: number): Heartbeat {
  const { uid } = node.metadata;
  const sign = `${lease?.spec.renewTime} ${conditionOf(node.status.conditions, 'Ready')?.lastHeartbeatTime}`;
  return before?.uid === uid && before.sign === sign ? before : { uid, sign, seenAtMs: nowMs };
}

async function declareLost(node: Node, context: ReconcileContext): Promise<Node> {
  const { client, clock, events, log } = context;
  const wasReady = readyStatusOf(node) === 'True';
  const conditions = silentConditions(node, clock.now());
  if (equalJson(conditions, node.status.conditions)) return node;
  const next = await client.update(Node, { ...node, status: { ...node.status, conditions } }, { subresource: 'status' });
  log.warn('a node has fallen silent', { node: node.metadata.name });
  if (wasReady) events.event(node, 'Normal', 'NodeNotReady', `Node ${node.metadata.name} status is now: NodeNotReady`);
  await markPodsNotReady(node, context);
  return next;
}

/** Services must not send anybody to pods nobody hears of. */
async function markPodsNotReady(node: Node, { client, informer, clock }: ReconcileContext): Promise<void> {
  for (const pod of informer(Pod).byIndex(standardIndexes.node, node.metadata.name)) {
    if (isTerminal(pod) || !isReady(pod)) continue;
    const conditions = (pod.status.conditions ?? []).map((condition) =>
      condition.type === 'Ready' ? { ...condition, status: 'False', lastTransitionTime: timestamp(clock.now()) } : condition,
    );
    await client.update(Pod, { ...pod, status: { ...pod.status, conditions } }, { subresource: 'status' });
  }
}

async function taint(node: Node, { client, informer, clock }: ReconcileContext): Promise<void> {
  const others = informer(Node)
    .list()
    .filter((other) => other.metadata.uid !== node.metadata.uid);
  const evict = others.some((other) => readyStatusOf(other) === 'True');
  const taints = taintsOf(node, { evict, nowMs: clock.now() });
  if (equalJson(taints, node.spec.taints ?? [])) return;
  const { taints: _before, ...spec } = node.spec;
  await client.update(Node, { ...node, spec: { ...spec, ...(taints.length > 0 ? { taints } : {}) } });
}
