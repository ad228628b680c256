import type * as t from '../../generated/types.ts';

/**
 * The flow schemas and priority levels every cluster has. `mandatory` ones are fixed: they say who is never held back, and where requests
 * end up that nothing else matches. Facts: apiserver: pkg/apis/flowcontrol/bootstrap/default.go.
 */

type Name = string;
interface Level {
  readonly name: Name;
  readonly shares: number;
  readonly lendablePercent: number;
  /** Requests wait in queues; without them they are rejected. */
  readonly queues?: number;
  readonly handSize?: number;
}

const queueLengthLimit = 50;

const limited: readonly Level[] = [
  { name: 'catch-all', shares: 5, lendablePercent: 0 },
  { name: 'system', shares: 30, lendablePercent: 33, queues: 64, handSize: 6 },
  { name: 'node-high', shares: 40, lendablePercent: 25, queues: 64, handSize: 6 },
  { name: 'leader-election', shares: 10, lendablePercent: 0, queues: 16, handSize: 4 },
  { name: 'workload-high', shares: 40, lendablePercent: 50, queues: 128, handSize: 6 },
  { name: 'workload-low', shares: 100, lendablePercent: 90, queues: 128, handSize: 6 },
  { name: 'global-default', shares: 20, lendablePercent: 50, queues: 128, handSize: 6 },
];

const levelSpec = ({ shares, lendablePercent, queues, handSize }: Level): t.PriorityLevelConfigurationSpec => ({
  type: 'Limited',
  limited: {
    nominalConcurrencyShares: shares,
    lendablePercent,
    limitResponse: queues && handSize ? { type: 'Queue', queuing: { queues, handSize, queueLengthLimit } } : { type: 'Reject' },
  },
});

/** Specs of the standard priority levels, by name. */
export const standardLevels: ReadonlyMap<Name, t.PriorityLevelConfigurationSpec> = new Map([
  ['exempt', { type: 'Exempt', exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } }],
  ...limited.map((level): [Name, t.PriorityLevelConfigurationSpec] => [level.name, levelSpec(level)]),
]);

/** The names of the fixed schemas and of the fixed levels are the same. */
export const mandatory: readonly Name[] = ['exempt', 'catch-all'];

const groups = (...names: Name[]): t.FlowcontrolSubject[] => names.map((name) => ({ kind: 'Group', group: { name } }));
const users = (...names: Name[]): t.FlowcontrolSubject[] => names.map((name) => ({ kind: 'User', user: { name } }));
const systemAccounts: t.FlowcontrolSubject[] = [
  { kind: 'ServiceAccount', serviceAccount: { name: '*', namespace: 'kube-system' } },
];
const everybody = groups('system:unauthenticated', 'system:authenticated');

const resources = (apiGroup: string, names: string[], verbs: string[], clusterScope: boolean): t.ResourcePolicyRule => ({
  verbs,
  apiGroups: [apiGroup],
  resources: names,
  ...(clusterScope ? { clusterScope } : {}),
  namespaces: ['*'],
});
const allResources = [resources('*', ['*'], ['*'], true)];
const allPaths = [{ verbs: ['*'], nonResourceURLs: ['*'] }];

function schema(
  priorityLevel: Name,
  matchingPrecedence: number,
  distinguishedBy: 'User' | 'Namespace' | undefined,
  rule: t.PolicyRulesWithSubjects,
): t.FlowSchemaSpec {
  return {
    priorityLevelConfiguration: { name: priorityLevel },
    matchingPrecedence,
    ...(distinguishedBy ? { distinguisherMethod: { type: `By${distinguishedBy}` } } : {}),
    rules: [rule],
  };
}

const everything = (subjects: t.FlowcontrolSubject[]): t.PolicyRulesWithSubjects => ({
  subjects,
  resourceRules: allResources,
  nonResourceRules: allPaths,
});

const nodes = groups('system:nodes');
const leases = (verbs: string[]): t.ResourcePolicyRule => resources('coordination.k8s.io', ['leases'], verbs, false);

/** Specs of the standard flow schemas, by name. */
export const standardSchemas: ReadonlyMap<Name, t.FlowSchemaSpec> = new Map([
  ['exempt', schema('exempt', 1, undefined, everything(groups('system:masters')))],
  ['catch-all', schema('catch-all', 10000, 'User', everything(everybody))],
  [
    'probes',
    schema('exempt', 2, undefined, {
      subjects: everybody,
      nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/healthz', '/readyz', '/livez'] }],
    }),
  ],
  [
    'system-leader-election',
    schema('leader-election', 100, 'User', {
      subjects: [...users('system:kube-controller-manager', 'system:kube-scheduler'), ...systemAccounts],
      resourceRules: [leases(['get', 'create', 'update'])],
    }),
  ],
  [
    'system-node-high',
    schema('node-high', 400, 'User', {
      subjects: nodes,
      resourceRules: [resources('', ['nodes', 'nodes/status'], ['*'], true), leases(['*'])],
    }),
  ],
  ['system-nodes', schema('system', 500, 'User', everything(nodes))],
  ['kube-controller-manager', schema('workload-high', 800, 'Namespace', everything(users('system:kube-controller-manager')))],
  ['kube-scheduler', schema('workload-high', 800, 'Namespace', everything(users('system:kube-scheduler')))],
  ['kube-system-service-accounts', schema('workload-high', 900, 'Namespace', everything(systemAccounts))],
  ['service-accounts', schema('workload-low', 9000, 'User', everything(groups('system:serviceaccounts')))],
  ['global-default', schema('global-default', 9900, 'User', everything(everybody))],
]);
