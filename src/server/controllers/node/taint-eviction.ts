import type { Taint, Toleration } from '../../../api/generated/types.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { tolerates } from '../../../api/taints.ts';
import { millisecondsOf, timestamp } from '../../../api/timestamp.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import { type ControllerDefinition, defineController } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { withCondition } from '../support/conditions.ts';

/** When a pod must leave: at once, at a time, or never (undefined). `seenAtMs` stands in for taints that do not say when they came. */
export function evictionTimeMs(
  taints: readonly Taint[],
  tolerations: readonly Toleration[] | undefined,
  seenAtMs: number,
): number | undefined {
  let earliest: number | undefined;
  for (const taint of taints.filter((t) => t.effect === 'NoExecute')) {
    const matching = (tolerations ?? []).filter((t) => tolerates(t, taint));
    if (matching.length === 0) return 0;
    const seconds = matching.map((t) => t.tolerationSeconds).filter((s) => s !== undefined);
    if (seconds.length === 0) continue;
    const at = (millisecondsOf(taint.timeAdded) || seenAtMs) + Math.max(0, Math.min(...seconds)) * 1000;
    earliest = earliest === undefined ? at : Math.min(earliest, at);
  }
  return earliest;
}

/** Deletes pods from nodes with NoExecute taints they do not, or no longer, tolerate (upstream: pkg/controller/tainteviction). */
export function taintEvictionController(): ControllerDefinition {
  /** Pod uid → when its node was first seen tainted. */
  const seen = new Map<string, number>();
  return defineController({
    name: 'taint-eviction',
    account: 'node-controller',
    watches: [
      primary(Pod, {
        changed: (next, previous) =>
          next.spec.nodeName !== previous.spec.nodeName || !equalJson(next.spec.tolerations, previous.spec.tolerations),
      }),
      mapped(Node, (node, informer) => informer(Pod).byIndex(standardIndexes.node, node.metadata.name).map(keyOf), {
        changed: (next, previous) => !equalJson(next.spec.taints, previous.spec.taints),
      }),
    ],
    concurrency: 4,
    async reconcile(key, { client, informer, clock, events, requeueAfter }) {
      const pod = informer(Pod).get(key);
      if (!pod?.spec.nodeName || pod.metadata.deletionTimestamp !== undefined) {
        if (pod) seen.delete(pod.metadata.uid);
        return;
      }
      const { uid, namespace = '', name } = pod.metadata;
      const taints = (informer(Node).get(pod.spec.nodeName)?.spec.taints ?? []).filter((t) => t.effect === 'NoExecute');
      if (taints.length === 0) {
        seen.delete(uid);
        return;
      }
      const seenAtMs = seen.get(uid) ?? clock.now();
      seen.set(uid, seenAtMs);
      const at = evictionTimeMs(taints, pod.spec.tolerations, seenAtMs);
      if (at === undefined) return;
      if (at > clock.now()) {
        requeueAfter(at - clock.now());
        return;
      }
      seen.delete(uid);
      events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
      const condition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
        lastTransitionTime: timestamp(clock.now()),
      };
      const status = { ...pod.status, conditions: [...withCondition(pod.status.conditions, condition)] };
      await client.update(Pod, { ...pod, status }, { subresource: 'status' });
      await client.delete(Pod, { namespace, name }, { preconditions: { uid } });
    },
  });
}
