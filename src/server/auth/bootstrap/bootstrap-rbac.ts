import type { ClusterRole, ObjectMeta, PolicyRule, RoleRef, Subject } from '../../../api/generated/types.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { effectiveRules } from '../rbac/role-resolver.ts';
import { authenticatedGroup, joiningNodesGroup, mastersGroup, nodesGroup, unauthenticatedGroup } from '../user-names.ts';
import { clusterRoleRules } from './cluster-roles.ts';
import { controllerRules } from './controller-roles.ts';
import { eventsRule, rule } from './rule.ts';
import { adminRules, editRules, viewRules } from './user-roles.ts';

const rbacGroup = 'rbac.authorization.k8s.io';
const apiVersion = `${rbacGroup}/v1`;
/** While this is "true" on a default object, the server puts back what is missing from it at each start. */
export const autoUpdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate';

const metadata = (name: string, namespace?: string, labels: Record<string, string> = {}): ObjectMeta =>
  ({
    name,
    ...(namespace ? { namespace } : {}),
    labels: { ...labels, 'kubernetes.io/bootstrapping': 'rbac-defaults' },
    annotations: { [autoUpdateAnnotation]: 'true' },
  }) as Partial<ObjectMeta> as ObjectMeta;

const user = (name: string): Subject => ({ kind: 'User', apiGroup: rbacGroup, name });
const group = (name: string): Subject => ({ kind: 'Group', apiGroup: rbacGroup, name });
const account = (name: string): Subject => ({ kind: 'ServiceAccount', name, namespace: 'kube-system' });
const clusterRoleRef = (name: string): RoleRef => ({ apiGroup: rbacGroup, kind: 'ClusterRole', name });
const copied = (rules: readonly PolicyRule[]): PolicyRule[] => rules.map((r) => structuredClone(r));

/** Who has which ClusterRole: name of role and binding → subjects. */
const clusterBindings: Readonly<Record<string, readonly Subject[]>> = {
  'cluster-admin': [group(mastersGroup)],
  'system:monitoring': [group('system:monitoring')],
  'system:discovery': [group(authenticatedGroup)],
  'system:basic-user': [group(authenticatedGroup)],
  'system:public-info-viewer': [group(authenticatedGroup), group(unauthenticatedGroup)],
  'system:node-proxier': [user('system:kube-proxy')],
  'system:kube-controller-manager': [user('system:kube-controller-manager')],
  'system:kube-dns': [account('kube-dns')],
  'system:kube-scheduler': [user('system:kube-scheduler')],
  'system:volume-scheduler': [user('system:kube-scheduler')],
  /** Without subjects on purpose: the node authorizer does its work. */
  'system:node': [],
  'system:service-account-issuer-discovery': [group('system:serviceaccounts')],
  'system:skiff:node-network': [group(nodesGroup)],
};

/** Joining: machines with a token may ask for a node certificate and get it without a person; nodes may renew theirs. */
const joinBindings: readonly (readonly [name: string, role: string, subjects: readonly Subject[]])[] = [
  ['system:skiff:node-bootstrapper', 'system:node-bootstrapper', [group(joiningNodesGroup), group(kubeadmGroup())]],
  [
    'system:skiff:approve-node-client',
    'system:certificates.k8s.io:certificatesigningrequests:nodeclient',
    [group(joiningNodesGroup), group(kubeadmGroup())],
  ],
  [
    'system:skiff:approve-node-renewal',
    'system:certificates.k8s.io:certificatesigningrequests:selfnodeclient',
    [group(nodesGroup)],
  ],
  [
    'system:skiff:approve-node-serving',
    'system:certificates.k8s.io:kubelet-serving-approver',
    [account('certificate-controller')],
  ],
];

/** The group of tokens made by `kubeadm token create` and by everything that imitates it. */
function kubeadmGroup(): string {
  return 'system:bootstrappers:kubeadm:default-node-token';
}

const leaderRules = [
  rule('get watch list create update', 'coordination', 'leases'),
  rule('get watch list create update', 'coordination', 'leasecandidates'),
];

/** Roles inside namespaces, each with who has it. */
const namespacedRoles: readonly {
  namespace: string;
  name: string;
  bindingName?: string;
  rules: readonly PolicyRule[];
  subjects: readonly Subject[];
}[] = [
  {
    namespace: 'kube-system',
    name: 'extension-apiserver-authentication-reader',
    bindingName: 'system::extension-apiserver-authentication-reader',
    rules: [rule('read', 'core', 'configmaps', 'extension-apiserver-authentication')],
    subjects: [user('system:kube-controller-manager'), user('system:kube-scheduler')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:bootstrap-signer',
    rules: [rule('read', 'core', 'secrets')],
    subjects: [account('bootstrap-signer')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:cloud-provider',
    rules: [rule('create get list watch', 'core', 'configmaps')],
    subjects: [account('cloud-provider')],
  },
  {
    namespace: 'kube-system',
    name: 'system:controller:token-cleaner',
    rules: [rule('get list watch delete', 'core', 'secrets'), eventsRule],
    subjects: [account('token-cleaner')],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-controller-manager',
    rules: leaderRules,
    subjects: [user('system:kube-controller-manager'), account('kube-controller-manager')],
  },
  {
    namespace: 'kube-system',
    name: 'system::leader-locking-kube-scheduler',
    rules: leaderRules,
    subjects: [user('system:kube-scheduler'), account('kube-scheduler')],
  },
  {
    namespace: 'kube-public',
    name: 'system:controller:bootstrap-signer',
    rules: [rule('read', 'core', 'configmaps'), rule('update', 'core', 'configmaps', 'cluster-info'), eventsRule],
    subjects: [account('bootstrap-signer')],
  },
];

/**
 * The roles and bindings every Kubernetes cluster is born with (upstream's pkg/auth/authorizer/rbac/bootstrappolicy), plus what joining
 * nodes need here. Complete objects without server-set metadata, in the order in which they should be created.
 */
export function bootstrapRbac(): KubeObject[] {
  const roles = clusterRoles();
  // As the controller that aggregates would order them.
  const byName = roles.toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  for (const role of roles) if (role.aggregationRule) role.rules = copied(effectiveRules(role, () => byName));
  return [...roles, ...clusterRoleBindings(), ...namespaced()];
}

function clusterRoles(): ClusterRole[] {
  const role = (name: string, rules: readonly PolicyRule[], labels?: Record<string, string>): ClusterRole => ({
    kind: 'ClusterRole',
    apiVersion,
    metadata: metadata(name, undefined, labels),
    rules: copied(rules),
  });
  const into = (target: string): string => `${rbacGroup}/aggregate-to-${target}`;
  const collecting = (name: string, labels?: Record<string, string>): ClusterRole => ({
    ...role(name, [], labels),
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { [into(name)]: 'true' } }] },
  });
  return [
    ...Object.entries(clusterRoleRules).map(([name, rules]) => role(name, rules)),
    collecting('admin'),
    collecting('edit', { [into('admin')]: 'true' }),
    collecting('view', { [into('edit')]: 'true' }),
    role('system:aggregate-to-admin', adminRules, { [into('admin')]: 'true' }),
    role('system:aggregate-to-edit', editRules, { [into('edit')]: 'true' }),
    role('system:aggregate-to-view', viewRules, { [into('view')]: 'true' }),
    ...Object.entries(controllerRules).map(([name, rules]) => role(`system:controller:${name}`, rules)),
  ];
}

function clusterRoleBindings(): KubeObject[] {
  const binding = (name: string, role: string, subjects: readonly Subject[]) => ({
    kind: 'ClusterRoleBinding',
    apiVersion,
    metadata: metadata(name),
    roleRef: clusterRoleRef(role),
    ...(subjects.length > 0 ? { subjects: [...subjects] } : {}),
  });
  return [
    ...Object.entries(clusterBindings).map(([name, subjects]) => binding(name, name, subjects)),
    ...joinBindings.map(([name, role, subjects]) => binding(name, role, subjects)),
    ...Object.keys(controllerRules).map((name) =>
      binding(`system:controller:${name}`, `system:controller:${name}`, [account(name)]),
    ),
  ];
}

function namespaced(): KubeObject[] {
  return namespacedRoles.flatMap(({ namespace, name, bindingName, rules, subjects }) => [
    { kind: 'Role', apiVersion, metadata: metadata(name, namespace), rules: copied(rules) },
    {
      kind: 'RoleBinding',
      apiVersion,
      metadata: metadata(bindingName ?? name, namespace),
      roleRef: { apiGroup: rbacGroup, kind: 'Role', name },
      subjects: [...subjects],
    },
  ]);
}
