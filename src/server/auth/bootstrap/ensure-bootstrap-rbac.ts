import type { PolicyRule, Subject } from '../../../api/generated/types.ts';
import type { Kind } from '../../../api/kind.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../../api/kinds/rbac/role-binding.ts';
import type { KubeObject, NewObject } from '../../../api/meta.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { Client } from '../../../client/client.ts';
import type { Reader } from '../../registry/reader.ts';
import { missingRights } from '../rbac/escalation.ts';
import { autoUpdateAnnotation, bootstrapRbac } from './bootstrap-rbac.ts';

const kinds: ReadonlyMap<string, Kind> = new Map<string, Kind>(
  [ClusterRole, ClusterRoleBinding, Role, RoleBinding].map((kind) => [kind.kind, kind]),
);

type RbacObject = KubeObject & { rules?: PolicyRule[]; subjects?: Subject[]; aggregationRule?: unknown };

/**
 * Creates the default roles and bindings that are missing and gives back to existing ones what was taken from them, unless their
 * annotation says autoupdate=false. Additions made by people stay. Needs the namespaces kube-system and kube-public.
 */
export async function ensureBootstrapRbac(deps: { reader: Reader; client: Client }): Promise<void> {
  await Promise.all(
    bootstrapRbac().map(async (wanted) => {
      const kind = kinds.get(wanted.kind)!;
      const { name, namespace } = wanted.metadata;
      const existing = deps.reader.get(kind, { name, ...(namespace ? { namespace } : {}) });
      const write = existing ? repaired(existing, wanted) : wanted;
      if (!write) return;
      try {
        if (existing) await deps.client.update(kind, write);
        else await deps.client.create(kind, write as NewObject<KubeObject>);
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists', 'Conflict')) throw error;
      }
    }),
  );
}

/** `existing` with the rules or subjects it lacks; undefined when it lacks nothing or does not want to be repaired. Pure. */
export function repaired(existing: RbacObject, wanted: RbacObject): RbacObject | undefined {
  if (existing.metadata.annotations?.[autoUpdateAnnotation] !== 'true') return undefined;
  if (wanted.aggregationRule) return undefined;
  const rules = missingRights(existing.rules ?? [], wanted.rules ?? []);
  const same = (a: Subject, b: Subject): boolean => a.kind === b.kind && a.name === b.name && a.namespace === b.namespace;
  const subjects = (wanted.subjects ?? []).filter((s) => !existing.subjects?.some((e) => same(e, s)));
  if (rules.length === 0 && subjects.length === 0) return undefined;
  return {
    ...existing,
    ...(rules.length > 0 ? { rules: [...(existing.rules ?? []), ...rules] } : {}),
    ...(subjects.length > 0 ? { subjects: [...(existing.subjects ?? []), ...subjects] } : {}),
  };
}
