import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { isStatus } from '../../../api/status-error.ts';
import { timestamp } from '../../../api/timestamp.ts';
import type { Client } from '../../../client/client.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import type { Clock } from '../../../lib/clock.ts';
import { type ControllerDefinition, defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { mapped } from '../../../reconcile/watches.ts';
import { withCondition } from '../support/conditions.ts';
import { byAge } from '../support/order.ts';
import { isTerminal } from '../support/pods.ts';

/** Finished pods kept at most; upstream's --terminated-pod-gc-threshold. */
const terminatedLimit = 12_500;
/** A node must be missing for this long before its pods are given up: it may only be late. */
const quarantineMs = 40_000;
/** The key that stands for all finished pods; nodes are keyed by name, which has no slash. */
const terminatedKey = '/terminated';

/** Removes pods of nodes that no longer exist, and the oldest finished pods beyond a limit (upstream: pkg/controller/podgc). */
export function podGarbageCollector(options: { terminatedLimit?: number } = {}): ControllerDefinition {
  const limit = options.terminatedLimit ?? terminatedLimit;
  /** Node name → since when it is missing. */
  const missing = new Map<string, number>();
  return defineController({
    name: 'pod-garbage-collector',
    account: 'pod-garbage-collector',
    watches: [
      mapped(
        Pod,
        (pod, informer) => {
          const { nodeName } = pod.spec;
          const keys = isTerminal(pod) ? [terminatedKey] : [];
          if (nodeName && !informer(Node).get(nodeName)) keys.push(nodeName);
          return keys;
        },
        {
          changed: (next, previous) => next.spec.nodeName !== previous.spec.nodeName || isTerminal(next) !== isTerminal(previous),
        },
      ),
      mapped(Node, (node) => [node.metadata.name], { changed: () => false }),
    ],
    async reconcile(key, context) {
      if (key === terminatedKey) await trimTerminated(limit, context);
      else await forgetNode(key, missing, context);
    },
  });
}

async function trimTerminated(limit: number, { client, informer }: ReconcileContext): Promise<void> {
  const terminated = informer(Pod).list().filter(isTerminal);
  const surplus = terminated.length - limit;
  if (surplus <= 0) return;
  for (const pod of terminated.sort(byAge).slice(0, surplus)) await forceDelete(client, pod);
}

async function forgetNode(
  name: string,
  missing: Map<string, number>,
  { client, informer, clock, requeueAfter, log }: ReconcileContext,
): Promise<void> {
  const pods = informer(Pod).byIndex(standardIndexes.node, name);
  if (informer(Node).get(name) || pods.length === 0) {
    missing.delete(name);
    return;
  }
  const sinceMs = missing.get(name) ?? clock.now();
  missing.set(name, sinceMs);
  const leftMs = sinceMs + quarantineMs - clock.now();
  if (leftMs > 0) {
    requeueAfter(leftMs);
    return;
  }
  if (await exists(client, name)) return;
  log.info('removing the pods of a node that is gone', { node: name, pods: pods.length });
  for (const pod of pods) await giveUp(client, clock, pod);
}

async function exists(client: Client, name: string): Promise<boolean> {
  try {
    await client.get(Node, { name });
    return true;
  } catch (error) {
    if (isStatus(error, 'NotFound')) return false;
    throw error;
  }
}

/** The pod is marked as failed first, so that Jobs count it. */
async function giveUp(client: Client, clock: Clock, pod: Pod): Promise<void> {
  if (!isTerminal(pod)) {
    const condition = {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByPodGC',
      message: 'PodGC: node no longer exists',
      lastTransitionTime: timestamp(clock.now()),
    };
    const { namespace = '', name, uid, resourceVersion } = pod.metadata;
    const status = { phase: 'Failed', conditions: withCondition(pod.status.conditions, condition) };
    const body = { metadata: { uid, resourceVersion }, status };
    await client.patch(Pod, { namespace, name }, { type: 'merge', body, subresource: 'status' });
  }
  await forceDelete(client, pod);
}

async function forceDelete(client: Client, { metadata: { namespace = '', name, uid } }: Pod): Promise<void> {
  try {
    await client.delete(Pod, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
  } catch (error) {
    if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
  }
}
