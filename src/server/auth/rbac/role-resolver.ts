import type { PolicyRule, RoleRef, Subject } from '../../../api/generated/types.ts';
import { ClusterRole } from '../../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../../api/kinds/rbac/role-binding.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import type { Reader } from '../../registry/reader.ts';
import type { UserInfo } from '../user.ts';
import { serviceAccountUserName } from '../user-names.ts';

/** What one subject of one binding gets. `problem` is set when the role does not exist. */
export interface Grant {
  readonly rules: readonly PolicyRule[];
  readonly problem: string | undefined;
  readonly binding: ClusterRoleBinding | RoleBinding;
  readonly subject: Subject;
}

/** By the name of a user or of a group. */
interface Grants {
  readonly users: Map<string, Grant[]>;
  readonly groups: Map<string, Grant[]>;
}

const noGrants = (): Grants => ({ users: new Map(), groups: new Map() });

interface Compiled {
  readonly everywhere: Grants;
  readonly byNamespace: ReadonlyMap<string, Grants>;
}

/** Bindings and roles, compiled by subject. Compiled again at the first question after any of them changed: well below a millisecond. */
export class RoleResolver {
  readonly #reader: Reader;
  #compiled: Compiled | undefined;

  constructor(reader: Reader) {
    this.#reader = reader;
    const forget = (): void => {
      this.#compiled = undefined;
    };
    reader.onChange(ClusterRole, forget);
    reader.onChange(Role, forget);
    reader.onChange(ClusterRoleBinding, forget);
    reader.onChange(RoleBinding, forget);
  }

  /** Calls `visit` with every grant of the user, cluster-wide ones first, until it returns false. Without a namespace: only those. */
  visit(user: UserInfo, namespace: string | undefined, visit: (grant: Grant) => boolean): void {
    this.#compiled ??= compile(this.#reader);
    const { everywhere, byNamespace } = this.#compiled;
    for (const grants of [everywhere, namespace ? byNamespace.get(namespace) : undefined]) {
      if (!grants) continue;
      if (!visitAll(grants.users.get(user.name), visit)) return;
      for (const group of user.groups) if (!visitAll(grants.groups.get(group), visit)) return;
    }
  }

  /** All rules the user has in a namespace (or cluster-wide), and what went wrong while looking. */
  rulesFor(user: UserInfo, namespace: string | undefined): { rules: PolicyRule[]; problems: string[] } {
    const rules: PolicyRule[] = [];
    const problems: string[] = [];
    this.visit(user, namespace, (grant) => {
      rules.push(...grant.rules);
      if (grant.problem) problems.push(grant.problem);
      return true;
    });
    return { rules, problems };
  }

  /** The rules behind a reference of a binding in `namespace`; undefined when there is no such role. */
  rulesOf(ref: RoleRef, namespace: string | undefined): readonly PolicyRule[] | undefined {
    return roleRules(this.#reader, ref, namespace);
  }
}

function visitAll(grants: readonly Grant[] | undefined, visit: (grant: Grant) => boolean): boolean {
  if (grants) for (const grant of grants) if (!visit(grant)) return false;
  return true;
}

function compile(reader: Reader): Compiled {
  const everywhere = noGrants();
  const byNamespace = new Map<string, Grants>();
  for (const binding of reader.list(ClusterRoleBinding)) addGrants(everywhere, binding, reader);
  for (const binding of reader.list(RoleBinding)) {
    const namespace = binding.metadata.namespace ?? '';
    const grants = byNamespace.get(namespace) ?? noGrants();
    byNamespace.set(namespace, grants);
    addGrants(grants, binding, reader);
  }
  return { everywhere, byNamespace };
}

function addGrants(grants: Grants, binding: ClusterRoleBinding | RoleBinding, reader: Reader): void {
  const { namespace } = binding.metadata;
  const rules = roleRules(reader, binding.roleRef, namespace);
  const { kind, name } = binding.roleRef;
  const problem = rules ? undefined : `${kind.toLowerCase()}.rbac.authorization.k8s.io "${name}" not found`;
  for (const subject of binding.subjects ?? []) {
    const holder = subject.kind === 'Group' ? subject.name : userNameOf(subject, namespace);
    if (holder === undefined) continue;
    const byName = subject.kind === 'Group' ? grants.groups : grants.users;
    const list = byName.get(holder) ?? [];
    list.push({ rules: rules ?? [], problem, binding, subject });
    byName.set(holder, list);
  }
}

function userNameOf(subject: Subject, bindingNamespace: string | undefined): string | undefined {
  if (subject.kind === 'User') return subject.name;
  const namespace = subject.namespace || bindingNamespace;
  if (subject.kind !== 'ServiceAccount' || !namespace) return undefined;
  return serviceAccountUserName(namespace, subject.name);
}

function roleRules(reader: Reader, ref: RoleRef, namespace: string | undefined): readonly PolicyRule[] | undefined {
  if (ref.kind === 'Role') return namespace ? namespacedRules(reader, ref.name, namespace) : undefined;
  const role = ref.kind === 'ClusterRole' ? reader.get(ClusterRole, { name: ref.name }) : undefined;
  return role ? effectiveRules(role, () => reader.list(ClusterRole)) : undefined;
}

function namespacedRules(reader: Reader, name: string, namespace: string): readonly PolicyRule[] | undefined {
  const role = reader.get(Role, { namespace, name });
  return role && (role.rules ?? []);
}

/** Rules of a ClusterRole; those of an aggregating one are the rules of all roles its selectors find, at once and however deep. */
export function effectiveRules(role: ClusterRole, all: () => readonly ClusterRole[]): readonly PolicyRule[] {
  if (!role.aggregationRule?.clusterRoleSelectors?.length) return role.rules ?? [];
  const rules: PolicyRule[] = [];
  const seen = new Set([role.metadata.name]);
  const add = (aggregating: ClusterRole): void => {
    for (const other of all()) {
      const selected = aggregating.aggregationRule?.clusterRoleSelectors?.some((s) =>
        matchesLabelSelector(s, other.metadata.labels),
      );
      if (!selected || seen.has(other.metadata.name)) continue;
      seen.add(other.metadata.name);
      if (other.aggregationRule?.clusterRoleSelectors?.length) add(other);
      else rules.push(...(other.rules ?? []));
    }
  };
  add(role);
  return rules;
}
