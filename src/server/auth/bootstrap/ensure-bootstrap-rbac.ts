import type { AggregationRule, PolicyRule, RoleRef, Subject } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../../api/kinds/rbac/role-binding.ts';
import type { KubeObject, NewObject } from '../../../api/meta.ts';
import { isStatus } from '../../../api/status-error.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import type { Client } from '../../../client/client.ts';
import type { Reader } from '../../registry/reader.ts';
import { missingRights } from '../rbac/escalation.ts';
import { autoUpdateAnnotation, bootstrapRbac } from './bootstrap-rbac.ts';

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>(
  [ClusterRole, ClusterRoleBinding, Role, RoleBinding].map((kind) => [kind.kind, kind]),
);

type RbacObject = KubeObject & {
  rules?: PolicyRule[];
  subjects?: Subject[];
  roleRef?: RoleRef;
  aggregationRule?: AggregationRule;
};

/**
 * Creates the default roles and bindings that are missing and gives back to existing ones what was taken from them, unless their
 * annotation says autoupdate=false. Additions made by people stay. A binding that was made again for another role is replaced. Needs the
 * namespaces kube-system and kube-public. Rules: upstream's component-helpers/auth/rbac/reconciliation.
 */
export async function ensureBootstrapRbac(deps: { reader: Reader; client: Client }): Promise<void> {
  await Promise.all(
    bootstrapRbac().map(async (wanted) => {
      try {
        await ensure(deps, kinds.get(wanted.kind)!, wanted);
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists', 'Conflict')) throw error;
      }
    }),
  );
}

async function ensure({ reader, client }: { reader: Reader; client: Client }, kind: Kind, wanted: RbacObject): Promise<void> {
  const { name, namespace } = wanted.metadata;
  const key = { name, ...(namespace ? { namespace } : {}) };
  const existing: RbacObject | undefined = reader.get(kind, key);
  if (existing && isProtected(existing)) return;
  if (existing && semanticEqual(existing.roleRef, wanted.roleRef)) {
    const write = repaired(existing, wanted);
    if (write) await client.update(kind, write);
    return;
  }
  if (existing) await client.delete(kind, key, { preconditions: { uid: existing.metadata.uid } });
  await client.create(kind, wanted as NewObject<KubeObject>);
}

const isProtected = ({ metadata }: RbacObject): boolean => metadata.annotations?.[autoUpdateAnnotation] === 'false';

/** `existing` with what it lacks; undefined when it lacks nothing or does not want to be repaired. Pure. */
export function repaired(existing: RbacObject, wanted: RbacObject): RbacObject | undefined {
  if (isProtected(existing)) return undefined;
  const { labels, annotations } = existing.metadata;
  const metadata = {
    ...existing.metadata,
    labels: { ...wanted.metadata.labels, ...labels },
    annotations: { ...wanted.metadata.annotations, ...annotations },
  };
  // The rules of roles that aggregate are their controller's.
  const rules = wanted.aggregationRule ? [] : missingRights(existing.rules ?? [], wanted.rules ?? []);
  const same = (a: Subject, b: Subject): boolean => a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;
  const subjects = (wanted.subjects ?? []).filter((s) => !existing.subjects?.some((e) => same(e, s)));
  const next: RbacObject = {
    ...existing,
    metadata,
    ...(rules.length > 0 ? { rules: [...(existing.rules ?? []), ...rules] } : {}),
    ...(subjects.length > 0 ? { subjects: [...(existing.subjects ?? []), ...subjects] } : {}),
    ...(wanted.aggregationRule ? { aggregationRule: withSelectors(existing.aggregationRule, wanted.aggregationRule) } : {}),
  };
  if (!wanted.aggregationRule) delete next.aggregationRule;
  return semanticEqual(next, existing) ? undefined : next;
}

function withSelectors(existing: AggregationRule | undefined, wanted: AggregationRule): AggregationRule {
  const has = existing?.clusterRoleSelectors ?? [];
  const lacks = (wanted.clusterRoleSelectors ?? []).filter((selector) => !has.some((s) => semanticEqual(s, selector)));
  return { clusterRoleSelectors: [...has, ...lacks] };
}
