import type { LabelSelector } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Lister } from '../../../client/object-index.ts';
import { orphans, standardIndexes } from '../../../client/object-index.ts';
import { controllerOf, controllerReference } from '../../../reconcile/owners.ts';

/** Who owns which objects, and what must change about it. */
export interface Claim<T extends KubeObject> {
  /** Owned and wanted. */
  readonly owned: readonly T[];
  /** Nobody's, and wanted. */
  readonly adopt: readonly T[];
  /** Owned, but their labels no longer match. */
  readonly release: readonly T[];
}

/** Sorts candidates by what the owner's selector says (upstream: pkg/controller/controller_ref_manager.go). */
function planClaim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector | undefined,
  candidates: readonly T[],
): Claim<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ownerIsGoing = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const controller = controllerOf(object);
    const wanted = matchesLabelSelector(selector, object.metadata.labels);
    if (controller?.uid === owner.metadata.uid) {
      if (wanted) owned.push(object);
      else if (!ownerIsGoing) release.push(object);
    } else if (!controller && wanted && !ownerIsGoing && object.metadata.deletionTimestamp === undefined) adopt.push(object);
  }
  return { owned, adopt, release };
}

/** Everything in the owner's namespace that it owns or could adopt. */
function candidatesOf<T extends KubeObject>(owner: KubeObject, lister: Lister<T>): T[] {
  const { uid, namespace = '' } = owner.metadata;
  return [...lister.byIndex(standardIndexes.controller, uid), ...lister.byIndex(standardIndexes.controller, orphans(namespace))];
}

/** Claims what the owner's selector matches: adopts orphans, releases what no longer matches. Resolves with all it owns then. */
export async function claim<T extends KubeObject>(options: {
  client: Client;
  owner: KubeObject;
  ownerKind: Kind;
  kind: Kind<T>;
  lister: Lister<T>;
  selector: LabelSelector | undefined;
  /** What may be adopted; everything when absent. */
  adoptable?: (object: T) => boolean;
}): Promise<T[]> {
  const { client, owner, ownerKind, kind, lister, selector } = options;
  const plan = planClaim(owner, selector, candidatesOf(owner, lister));
  const owned = [...plan.owned];
  for (const object of plan.release) {
    await setOwners(
      client,
      kind,
      object,
      (object.metadata.ownerReferences ?? []).filter((ref) => ref.uid !== owner.metadata.uid),
    );
  }
  const adopt = options.adoptable ? plan.adopt.filter(options.adoptable) : plan.adopt;
  if (adopt.length > 0 && (await isGoing(client, ownerKind, owner))) return owned;
  for (const object of adopt) {
    const reference = controllerReference(ownerKind, owner);
    const adopted = await setOwners(client, kind, object, [...(object.metadata.ownerReferences ?? []), reference]);
    if (adopted) owned.push(adopted);
  }
  return owned;
}

/** The cache may be behind: an owner that is being deleted must not adopt. */
async function isGoing(client: Client, kind: Kind, owner: KubeObject): Promise<boolean> {
  const { namespace, name, uid } = owner.metadata;
  const fresh = await client.get(kind, { ...(namespace ? { namespace } : {}), name });
  return fresh.metadata.uid !== uid || fresh.metadata.deletionTimestamp !== undefined;
}

async function setOwners<T extends KubeObject>(
  client: Client,
  kind: Kind<T>,
  object: T,
  ownerReferences: unknown[],
): Promise<T | undefined> {
  const { namespace, name, uid, resourceVersion } = object.metadata;
  const body = { metadata: { uid, resourceVersion, ownerReferences: ownerReferences.length > 0 ? ownerReferences : null } };
  try {
    return await client.patch(kind, { ...(namespace ? { namespace } : {}), name }, { type: 'merge', body });
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined;
    throw error;
  }
}
