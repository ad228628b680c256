import type { PodTemplateSpec } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import { ControllerRevision } from '../../../api/kinds/apps/controller-revision.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { Client } from '../../../client/client.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { canonicalJson, shortHash } from './hash.ts';
import { byAge } from './order.ts';

/** An owner whose pods follow numbered revisions of its template: DaemonSet, StatefulSet. */
export interface RevisionedOwner extends KubeObject {
  spec: { template: PodTemplateSpec; selector: { matchLabels?: Record<string, string> }; revisionHistoryLimit?: number };
}

/** A strategic merge patch that puts the template back: what `kubectl rollout undo` applies. */
interface RevisionData {
  readonly spec: { readonly template: PodTemplateSpec & { readonly $patch: 'replace' } };
}

function revisionData(owner: RevisionedOwner): RevisionData {
  return { spec: { template: { ...owner.spec.template, $patch: 'replace' } } };
}

/** The template a revision stands for. */
export function templateOf(revision: ControllerRevision): PodTemplateSpec {
  const { $patch: _patch, ...template } = (revision.data as RevisionData).spec.template;
  return template;
}

/**
 * The revision of the owner's current template: the existing one (of several the latest), numbered anew if it is not the latest, or a new one.
 * Its hash (and for new ones its name, `<owner>-<hash>`) comes from the template, its annotations from the owner: `kubectl rollout history`
 * shows `kubernetes.io/change-cause`. Upstream: pkg/controller/statefulset/stateful_set_control.go, getStatefulSetRevisions.
 */
export async function ensureRevision<T extends RevisionedOwner>(options: {
  client: Client;
  kind: Kind<T>;
  owner: T;
  revisions: readonly ControllerRevision[];
  hashLabel: string;
  collisionCount: number | undefined;
}): Promise<ControllerRevision> {
  const { client, kind, owner, revisions, hashLabel } = options;
  const data = revisionData(owner);
  const newest = Math.max(0, ...revisions.map((r) => r.revision));
  const equal = revisions
    .filter((r) => canonicalJson(r.data) === canonicalJson(data))
    .sort((a, b) => a.revision - b.revision || byAge(a, b))
    .at(-1);
  if (equal) return equal.revision === newest ? equal : client.update(ControllerRevision, { ...equal, revision: newest + 1 });
  const { namespace = '', name, annotations } = owner.metadata;
  for (let salt = options.collisionCount ?? 0; ; salt++) {
    const hash = shortHash(data, salt);
    const labels = { ...owner.spec.template.metadata?.labels, [hashLabel]: hash };
    const ownerReferences = [controllerReference(kind, owner)];
    const metadata = { namespace, name: `${name}-${hash}`, labels, ...(annotations ? { annotations } : {}), ownerReferences };
    try {
      return await client.create(ControllerRevision, { metadata, data, revision: newest + 1 });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
      const existing = await client.get(ControllerRevision, { namespace, name: metadata.name });
      if (canonicalJson(existing.data) === canonicalJson(data)) return existing;
    }
  }
}

/** Deletes the oldest revisions no pod uses, beyond the limit. */
export async function forgetRevisions(options: {
  client: Client;
  revisions: readonly ControllerRevision[];
  inUse: (revision: ControllerRevision) => boolean;
  limit: number;
}): Promise<void> {
  const { client, revisions, inUse, limit } = options;
  const unused = revisions.filter((r) => !inUse(r)).sort((a, b) => a.revision - b.revision);
  for (const { metadata } of unused.slice(0, Math.max(0, unused.length - limit))) {
    try {
      await client.delete(ControllerRevision, { namespace: metadata.namespace ?? '', name: metadata.name });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
