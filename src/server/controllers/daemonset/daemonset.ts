import { ControllerRevision } from '../../../api/kinds/apps/controller-revision.ts';
import { DaemonSet } from '../../../api/kinds/apps/daemon-set.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { isStatus } from '../../../api/status-error.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import { errorChain } from '../../../lib/log.ts';
import { defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { mapped, ownedBy, primary } from '../../../reconcile/watches.ts';
import { claim } from '../replicaset/claim.ts';
import { isActive, podFromTemplate, untilAvailableMs } from '../support/pods.ts';
import { ensureRevision, forgetRevisions } from '../support/revisions.ts';
import { slowStart } from '../support/slow-start.ts';
import { nodeOf, specForNode } from './nodes.ts';
import { type DaemonView, daemonStatus, planDaemons, revisionHashLabel } from './plan.ts';

const templateGenerationLabel = 'pod-template-generation';
/** Pods that failed are replaced not sooner than this, so that a broken daemon does not spin. */
const failedPodPauseMs = 1_000;

/** Runs one pod of each DaemonSet on every node that wants it. */
export const daemonSetController = defineController({
  name: 'daemonset',
  account: 'daemon-set-controller',
  watches: [
    primary(DaemonSet),
    ownedBy(Pod, DaemonSet),
    ownedBy(ControllerRevision, DaemonSet),
    mapped(Node, (_node, informer) => informer(DaemonSet).list().map(keyOf), {
      changed: (next, previous) => !equalJson([next.metadata.labels, next.spec], [previous.metadata.labels, previous.spec]),
    }),
  ],
  async reconcile(key, context) {
    const { client, informer, clock, requeueAfter } = context;
    const set = informer(DaemonSet).get(key);
    if (!set || set.metadata.deletionTimestamp !== undefined) return;
    const { selector } = set.spec;
    const pods = await claim({
      client,
      owner: set,
      ownerKind: DaemonSet,
      kind: Pod,
      lister: informer(Pod),
      selector,
      adoptable: isActive,
    });
    const revisions = informer(ControllerRevision).byIndex(standardIndexes.controller, set.metadata.uid);
    const { collisionCount } = set.status;
    const current = await ensureRevision({
      client,
      kind: DaemonSet,
      owner: set,
      revisions,
      hashLabel: revisionHashLabel,
      collisionCount,
    });
    const hash = current.metadata.labels?.[revisionHashLabel] ?? '';
    const view: DaemonView = { set, nodes: informer(Node).list(), pods, hash, nowMs: clock.now() };
    const failure = await apply(view, context);
    await forgetRevisions({
      client,
      revisions,
      inUse: (r) =>
        r.metadata.uid === current.metadata.uid || pods.some((p) => hashOf(p) === r.metadata.labels?.[revisionHashLabel]),
      limit: set.spec.revisionHistoryLimit ?? 10,
    });
    const status = daemonStatus(view);
    if (!equalJson(status, set.status)) await client.update(DaemonSet, { ...set, status }, { subresource: 'status' });
    const waitMs = untilAvailableMs(pods, set.spec.minReadySeconds ?? 0, clock.now());
    if (waitMs !== undefined) requeueAfter(waitMs);
    if (failure !== undefined) throw failure;
  },
});

function hashOf(pod: Pod): string | undefined {
  return pod.metadata.labels?.[revisionHashLabel];
}

async function apply(view: DaemonView, { client, events, requeueAfter }: ReconcileContext): Promise<unknown> {
  const { set, hash } = view;
  const plan = planDaemons(view);
  const namespace = set.metadata.namespace ?? '';
  for (const pod of plan.delete) {
    const { name, uid } = pod.metadata;
    if (pod.status.phase === 'Failed') {
      events.event(
        set,
        'Warning',
        'FailedDaemonPod',
        `Found failed daemon pod ${keyOf(pod)} on node ${nodeOf(pod)}, will try to kill it`,
      );
      requeueAfter(failedPodPauseMs);
    }
    try {
      await client.delete(Pod, { namespace, name }, { preconditions: { uid } });
      events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
    } catch (error) {
      if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
    }
  }
  const base = podFromTemplate({
    template: set.spec.template,
    namespace,
    name: `${set.metadata.name}-`,
    owner: controllerReference(DaemonSet, set),
  });
  const labels = {
    ...base.metadata.labels,
    [revisionHashLabel]: hash,
    [templateGenerationLabel]: String(set.metadata.generation ?? 1),
  };
  const nodes = [...plan.create];
  const failure = await slowStart(nodes.length, async () => {
    const node = nodes.shift() ?? '';
    const pod = await client.create(Pod, { ...base, metadata: { ...base.metadata, labels }, spec: specForNode(base.spec, node) });
    events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
  });
  if (failure !== undefined) events.event(set, 'Warning', 'FailedCreate', `Error creating: ${errorChain(failure)}`);
  return failure;
}
