import type { PolicyRule, RoleRef } from '../../../api/generated/types.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../../api/kinds/rbac/role-binding.ts';
import { badRequest, notFound } from '../../../api/status-error.ts';
import { semanticEqual } from '../../../api/validation/equal.ts';
import { pathSegment } from '../../../api/validation/names.ts';
import { escalationMessage, fullAuthority, missingRights } from '../../auth/rbac/escalation.ts';
import { mastersGroup } from '../../auth/user-names.ts';
import type { AdmissionPlugin, AdmissionRequest, Operation } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { refuse } from '../refusal.ts';

const writes: readonly Operation[] = ['CREATE', 'UPDATE'];

const group = 'rbac.authorization.k8s.io';

/**
 * Nobody grants rights they do not hold, unless they may `escalate` the role or `bind` it. Upstream does this in the storage of the four
 * kinds (pkg/registry/rbac/.../policybased): after all that change the object, in front of all validation.
 */
export function rbacEscalation(deps: AdmissionDeps): AdmissionPlugin {
  return {
    name: 'RbacEscalation',
    admit(request) {
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

/** Only finalizers or owners change, as when garbage is collected: nothing is granted. */
function isUnchanged({ object, oldObject }: AdmissionRequest): boolean {
  if (!object || !oldObject) return false;
  const granted = ({ metadata, ...rest }: typeof object): unknown => [rest, metadata.labels, metadata.annotations];
  return semanticEqual(granted(object), granted(oldObject));
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
  // Another kind is left to validation, which says more about it.
  if (roleRef?.kind !== 'ClusterRole' && roleRef?.kind !== 'Role') return;
  if (isAllowed(request, 'bind', pluralOf(roleRef), roleRef.name, deps)) return;
  if (roleRef.kind === 'Role' && !request.namespace) throw badRequest('Namespace parameter required.');
  if (!roleRef.name) throw badRequest('Name parameter required.');
  for (const problem of pathSegment(roleRef.name))
    throw badRequest(`Name parameter invalid: ${JSON.stringify(roleRef.name)}: ${problem}`);
  const rules = deps.authorization.roles.rulesOf(roleRef, request.namespace);
  // Upstream names the resource of the request, not that of the role.
  if (!rules) throw notFound(request.kind, roleRef.name);
  requireRights(request, rules, deps);
}

const pluralOf = (ref: RoleRef): string => (ref.kind === 'ClusterRole' ? 'clusterroles' : 'roles');

function requireRights(request: AdmissionRequest, wanted: readonly PolicyRule[], { authorization }: AdmissionDeps): void {
  const { rules, problems } = authorization.roles.rulesFor(request.user, request.namespace);
  const missing = missingRights(rules, wanted);
  if (missing.length === 0) return;
  const named = problems.map((problem) => problem.replace(/^\w+\./, `${request.kind.plural}.`));
  throw refuse(request, escalationMessage(request.user, missing, named));
}

function isAllowed(request: AdmissionRequest, verb: string, resource: string, name: string, deps: AdmissionDeps): boolean {
  const { user, namespace } = request;
  const what = { group, version: '*', resource, name, ...(namespace ? { namespace } : {}) };
  return deps.authorization.authorize({ user, verb, path: '', ...what }).verdict === 'allow';
}
