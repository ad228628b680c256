import type { PolicyRule, RoleRef } from '../../../api/generated/types.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../../api/kinds/rbac/role-binding.ts';
import { notFound } from '../../../api/status-error.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import { escalationMessage, fullAuthority, missingRights } from '../../auth/rbac/escalation.ts';
import { mastersGroup } from '../../auth/user-names.ts';
import type { AdmissionPlugin, AdmissionRequest, Operation } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { refuse } from '../refusal.ts';

const writes: readonly Operation[] = ['CREATE', 'UPDATE'];

/**
 * Nobody grants rights they do not hold, unless they may `escalate` the role or `bind` it. Upstream does this in the storage of the four
 * kinds (pkg/registry/rbac/.../policybased), in front of all validation.
 */
export function rbacEscalation(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'RbacEscalation',
    validate(request) {
      const role =
        objectOf<Role | ClusterRole>(request, Role, writes) ?? objectOf<Role | ClusterRole>(request, ClusterRole, writes);
      const binding =
        objectOf<RoleBinding | ClusterRoleBinding>(request, RoleBinding, writes) ??
        objectOf<RoleBinding | ClusterRoleBinding>(request, ClusterRoleBinding, writes);
      if (!role && !binding) return;
      if (request.user.groups.includes(mastersGroup) || isUnchanged(request)) return;
      if (role) checkRole(request, role, deps);
      else checkBinding(request, binding!, deps);
    },
  };
}

/** Only labels, finalizers or owners change: nothing is granted. */
function isUnchanged({ object, oldObject }: AdmissionRequest): boolean {
  const granted = (o: typeof object): unknown => [
    o?.['rules'],
    o?.['aggregationRule'],
    o?.['roleRef'],
    o?.['subjects'],
    o?.metadata.labels,
  ];
  return oldObject !== undefined && semanticEqual(granted(object), granted(oldObject));
}

function checkRole(request: AdmissionRequest, role: Role | ClusterRole, deps: AdmissionDeps): void {
  if (isAllowed(request, 'escalate', request.kind.plural, request.name, deps)) return;
  requireRights(request, role.rules ?? [], deps);
  const aggregates = [role, request.oldObject].some(
    (o) => (o as ClusterRole | undefined)?.aggregationRule?.clusterRoleSelectors?.length,
  );
  const { rules } = deps.authorization.rulesFor(request.user, undefined);
  if (aggregates && missingRights(rules, fullAuthority).length > 0)
    throw refuse(request, 'must have cluster-admin privileges to use the aggregationRule');
}

function checkBinding(request: AdmissionRequest, binding: RoleBinding | ClusterRoleBinding, deps: AdmissionDeps): void {
  const { roleRef } = binding;
  if (isAllowed(request, 'bind', pluralOf(roleRef), roleRef.name, deps)) return;
  const rules = deps.authorization.roles.rulesOf(roleRef, request.namespace);
  if (!rules) throw notFound({ group: 'rbac.authorization.k8s.io', plural: pluralOf(roleRef), kind: roleRef.kind }, roleRef.name);
  requireRights(request, rules, deps);
}

const pluralOf = (ref: RoleRef): string => (ref.kind === 'ClusterRole' ? 'clusterroles' : 'roles');

function requireRights(request: AdmissionRequest, wanted: readonly PolicyRule[], { authorization }: AdmissionDeps): void {
  const { rules } = authorization.rulesFor(request.user, request.namespace);
  const missing = missingRights(rules, wanted);
  if (missing.length > 0) throw refuse(request, escalationMessage(request.user, missing));
}

function isAllowed(request: AdmissionRequest, verb: string, resource: string, name: string, deps: AdmissionDeps): boolean {
  const { user, namespace } = request;
  const what = { group: 'rbac.authorization.k8s.io', version: '*', resource, name, ...(namespace ? { namespace } : {}) };
  return deps.authorization.authorize({ user, verb, path: '', ...what }).verdict === 'allow';
}
