import type { PodTemplateSpec } from '../../../api/generated/types.ts';
import { type Deployment, Deployment as DeploymentKind } from '../../../api/kinds/apps/deployment.ts';
import type { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import type { NewObject } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { shortHash } from '../support/hash.ts';
import { byAge } from '../support/order.ts';
import { maxSurgeOf } from './strategy.ts';

const templateHashLabel = 'pod-template-hash';
/** On Deployments and their ReplicaSets: which rollout it is, counted from 1. */
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
/** On ReplicaSets: the replicas of the Deployment when it was last scaled; a change is spread in proportion. */
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas';
/** On ReplicaSets: the same with what may surge. */
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas';
const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history';
/** Old revisions are remembered in an annotation of at most this many characters. */
const revisionHistoryLimitChars = 2000;

/** Annotations a ReplicaSet does not inherit from its Deployment. */
const notInherited: ReadonlySet<string> = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  'deprecated.deployment.rollback.to',
]);

/** A 64-bit number: more than `number` holds exactly. Zero where there is none. */
export function revisionOf(object: { metadata: { annotations?: Record<string, string> } }): bigint {
  return parseRevision(object.metadata.annotations?.[revisionAnnotation]);
}

function parseRevision(text: string | undefined): bigint {
  return text !== undefined && /^\d{1,19}$/.test(text) ? BigInt(text) : 0n;
}

/** For sorting by revision, the lowest first. */
export function byRevision(a: ReplicaSet, b: ReplicaSet): number {
  const difference = revisionOf(a) - revisionOf(b);
  return difference < 0n ? -1 : Number(difference > 0n);
}

/** The template without the label that tells ReplicaSets of one Deployment apart. */
function withoutHash(template: PodTemplateSpec | undefined): PodTemplateSpec {
  if (!template) return {};
  const { [templateHashLabel]: _hash, ...labels } = template.metadata?.labels ?? {};
  const { labels: _labels, ...metadata } = template.metadata ?? {};
  return { ...template, metadata: { ...metadata, ...(Object.keys(labels).length > 0 ? { labels } : {}) } };
}

/** The oldest ReplicaSet that has the Deployment's template: the one being rolled out. */
export function newReplicaSetOf(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  const wanted = withoutHash(deployment.spec.template);
  return [...sets].sort(byAge).find((set) => equalJson(withoutHash(set.spec.template), wanted));
}

/** The revision after the highest of the old sets. */
export function nextRevision(old: readonly ReplicaSet[]): bigint {
  const highest = [...old].sort(byRevision).at(-1);
  return highest ? revisionOf(highest) + 1n : 1n;
}

/** The annotations the new ReplicaSet must have at `revision`; what it was numbered before goes into its history. */
export function newSetAnnotations(deployment: Deployment, set: ReplicaSet | undefined, revision: bigint): Record<string, string> {
  const inherited = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notInherited.has(key));
  const annotations: Record<string, string> = { ...set?.metadata.annotations, ...Object.fromEntries(inherited) };
  const before = set?.metadata.annotations?.[revisionAnnotation];
  if (revision > parseRevision(before)) {
    annotations[revisionAnnotation] = String(revision);
    if (before) annotations[revisionHistoryAnnotation] = appendHistory(annotations[revisionHistoryAnnotation], before);
  }
  if (!set) Object.assign(annotations, replicaAnnotations(deployment));
  return annotations;
}

function appendHistory(history: string | undefined, revision: string): string {
  const all = history ? [...history.split(','), revision] : [revision];
  while (all.length > 1 && all.join(',').length > revisionHistoryLimitChars) all.shift();
  return all.join(',');
}

/** What a ReplicaSet remembers of its Deployment's size, so that a change of it is noticed and shared out. */
export function replicaAnnotations(deployment: Deployment): Record<string, string> {
  const replicas = deployment.spec.replicas ?? 1;
  return { [desiredReplicasAnnotation]: String(replicas), [maxReplicasAnnotation]: String(replicas + maxSurgeOf(deployment)) };
}

/** The ReplicaSet for a template that has none yet. */
export function composeReplicaSet(
  deployment: Deployment,
  options: { replicas: number; revision: bigint },
): NewObject<ReplicaSet> {
  const { spec, metadata } = deployment;
  const hash = shortHash(spec.template, deployment.status.collisionCount);
  const labels = { ...spec.template.metadata?.labels, [templateHashLabel]: hash };
  return {
    metadata: {
      namespace: metadata.namespace ?? '',
      name: `${metadata.name}-${hash}`,
      labels,
      annotations: newSetAnnotations(deployment, undefined, options.revision),
      ownerReferences: [controllerReference(DeploymentKind, deployment)],
    },
    spec: {
      replicas: options.replicas,
      ...(spec.minReadySeconds ? { minReadySeconds: spec.minReadySeconds } : {}),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [templateHashLabel]: hash } },
      template: { ...structuredClone(spec.template), metadata: { ...spec.template.metadata, labels } },
    },
  };
}

/** Old sets beyond `revisionHistoryLimit` that are empty and may be deleted, lowest revision first. */
export function setsToForget(deployment: Deployment, old: readonly ReplicaSet[]): ReplicaSet[] {
  const limit = deployment.spec.revisionHistoryLimit ?? 10;
  const candidates = old.filter((set) => set.metadata.deletionTimestamp === undefined);
  const surplus = candidates.length - limit;
  if (surplus <= 0) return [];
  const oldest = candidates.sort(byRevision).slice(0, surplus);
  return oldest.filter((set) => isEmpty(set));
}

function isEmpty(set: ReplicaSet): boolean {
  return (
    set.spec.replicas === 0 && !set.status.replicas && (set.status.observedGeneration ?? 0) >= (set.metadata.generation ?? 0)
  );
}
