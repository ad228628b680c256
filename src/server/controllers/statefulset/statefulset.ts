import { ControllerRevision } from '../../../api/kinds/apps/controller-revision.ts';
import { StatefulSet } from '../../../api/kinds/apps/stateful-set.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import { isStatus } from '../../../api/status-error.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import { errorChain } from '../../../lib/log.ts';
import { defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerOf, controllerReference } from '../../../reconcile/owners.ts';
import { mapped, ownedBy, primary, reads } from '../../../reconcile/watches.ts';
import { claim } from '../replicaset/claim.ts';
import { untilAvailableMs } from '../support/pods.ts';
import { ensureRevision, forgetRevisions, templateOf } from '../support/revisions.ts';
import { planStateful, type StatefulView, statefulStatus } from './plan.ts';
import { claimName, composeClaims, composePod, ordinalOf, ordinalRange, revisionLabel } from './pods.ts';

const hashLabel = 'controller.kubernetes.io/hash';

/** Runs the pods of StatefulSets: each with a name, a number and claims of its own, one after the other. */
export const statefulSetController = defineController({
  name: 'statefulset',
  watches: [
    primary(StatefulSet),
    ownedBy(Pod, StatefulSet),
    ownedBy(ControllerRevision, StatefulSet),
    mapped(Pod, (pod, informer) => {
      if (controllerOf(pod)) return [];
      const sets = informer(StatefulSet).list(pod.metadata.namespace);
      return sets
        .filter((s) => ordinalOf(s, pod) !== undefined && matchesLabelSelector(s.spec.selector, pod.metadata.labels))
        .map(keyOf);
    }),
    reads(PersistentVolumeClaim),
  ],
  async reconcile(key, context) {
    const { client, informer, clock, requeueAfter } = context;
    const set = informer(StatefulSet).get(key);
    if (!set || set.metadata.deletionTimestamp !== undefined) return;
    const adoptable = (pod: Pod): boolean => ordinalOf(set, pod) !== undefined;
    const { selector } = set.spec;
    const pods = await claim({
      client,
      owner: set,
      ownerKind: StatefulSet,
      kind: Pod,
      lister: informer(Pod),
      selector,
      adoptable,
    });
    const revisions = informer(ControllerRevision).byIndex(standardIndexes.controller, set.metadata.uid);
    const { collisionCount } = set.status;
    const update = await ensureRevision({ client, kind: StatefulSet, owner: set, revisions, hashLabel, collisionCount });
    const current = revisions.find((r) => r.metadata.name === set.status.currentRevision) ?? update;
    const view: StatefulView = {
      set,
      pods,
      currentRevision: current.metadata.name,
      updateRevision: update.metadata.name,
      nowMs: clock.now(),
    };
    const failure = await apply(view, [current, update], context);
    const status = statefulStatus(view);
    if (!equalJson(status, set.status)) await client.update(StatefulSet, { ...set, status }, { subresource: 'status' });
    await forgetRevisions({
      client,
      revisions,
      inUse: ({ metadata: { name } }) =>
        name === view.currentRevision ||
        name === view.updateRevision ||
        pods.some((p) => p.metadata.labels?.[revisionLabel] === name),
      limit: set.spec.revisionHistoryLimit ?? 10,
    });
    const waitMs = untilAvailableMs(pods, set.spec.minReadySeconds ?? 0, clock.now());
    if (waitMs !== undefined) requeueAfter(waitMs);
    if (failure !== undefined) throw failure;
  },
});

async function apply(view: StatefulView, revisions: readonly ControllerRevision[], context: ReconcileContext): Promise<unknown> {
  const { set } = view;
  const { client, events } = context;
  const plan = planStateful(view);
  await followRetention(set, context);
  for (const pod of plan.delete) await remove(set, pod, context);
  try {
    for (const { ordinal, revision } of plan.create) {
      const source = revisions.find((r) => r.metadata.name === revision);
      const template = source ? templateOf(source) : set.spec.template;
      await ensureClaims(set, ordinal, context);
      const pod = await client.create(Pod, composePod({ set, ordinal, template, revision }));
      events.event(
        set,
        'Normal',
        'SuccessfulCreate',
        `create Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`,
      );
    }
  } catch (error) {
    if (isStatus(error, 'AlreadyExists')) return error;
    const message = `create Pod in StatefulSet ${set.metadata.name} failed error: ${errorChain(error)}`;
    events.event(set, 'Warning', 'FailedCreate', message);
    return error;
  }
  return undefined;
}

async function ensureClaims(set: StatefulSet, ordinal: number, { client, informer }: ReconcileContext): Promise<void> {
  for (const draft of composeClaims(set, ordinal)) {
    const existing = informer(PersistentVolumeClaim).get(`${draft.metadata.namespace}/${draft.metadata.name}`);
    if (existing && existing.metadata.deletionTimestamp !== undefined)
      throw new Error(`the claim ${existing.metadata.name} is being deleted`);
    if (existing) continue;
    try {
      await client.create(PersistentVolumeClaim, draft);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  }
}

/** whenScaled Delete: the claim of a pod beyond the range goes with the pod; within the range it must not. */
async function followRetention(set: StatefulSet, { client, informer }: ReconcileContext): Promise<void> {
  const policy = set.spec.persistentVolumeClaimRetentionPolicy;
  if (policy?.whenScaled !== 'Delete' && policy?.whenDeleted !== 'Delete') return;
  const { start, end } = ordinalRange(set);
  const namespace = set.metadata.namespace ?? '';
  for (const pod of informer(Pod).byIndex(standardIndexes.controller, set.metadata.uid)) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal === undefined) continue;
    const condemned = ordinal < start || ordinal >= end;
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const existing = informer(PersistentVolumeClaim).get(`${namespace}/${claimName(set, template, ordinal)}`);
      if (!existing) continue;
      const before = existing.metadata.ownerReferences ?? [];
      const others = before.filter((ref) => ref.uid !== pod.metadata.uid && ref.uid !== set.metadata.uid);
      const { controller: _set, ...toSet } = controllerReference(StatefulSet, set);
      const { controller: _pod, ...toPod } = controllerReference(Pod, pod);
      const wanted = [
        ...others,
        ...(policy.whenDeleted === 'Delete' ? [toSet] : []),
        ...(condemned && policy.whenScaled === 'Delete' ? [toPod] : []),
      ];
      if (equalJson(wanted, before)) continue;
      const { ownerReferences: _before, ...metadata } = existing.metadata;
      await client.update(PersistentVolumeClaim, { ...existing, metadata: { ...metadata, ownerReferences: wanted } });
    }
  }
}

async function remove(set: StatefulSet, pod: Pod, { client, events }: ReconcileContext): Promise<void> {
  const { namespace = '', name, uid } = pod.metadata;
  try {
    await client.delete(Pod, { namespace, name }, { preconditions: { uid } });
    events.event(set, 'Normal', 'SuccessfulDelete', `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`);
  } catch (error) {
    if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
  }
}
