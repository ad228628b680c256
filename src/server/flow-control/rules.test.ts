import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type * as t from '../../api/generated/types.ts';
import { standardSchemas } from '../../api/kinds/flowcontrol/standard.ts';
import type { UserInfo } from '../auth/user.ts';
import { parseRequestInfo } from '../http/request-info.ts';
import { compileRules } from './rules.ts';

const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups, extra: {} });
const jane = user('jane', 'writers', 'system:authenticated');
const robot = user('system:serviceaccount:shop:robot', 'system:serviceaccounts', 'system:authenticated');

/** `GET /api/v1/pods` */
function matches(rules: t.PolicyRulesWithSubjects[], who: UserInfo, request: string): boolean {
  const [method = '', url = ''] = request.split(' ');
  const [path = '', query] = url.split('?');
  return compileRules(rules)(who, parseRequestInfo(method, path, new URLSearchParams(query)));
}

const everything: Pick<t.PolicyRulesWithSubjects, 'resourceRules' | 'nonResourceRules'> = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
};

describe('subjects of flow schemas', () => {
  const account = (name: string, namespace: string): t.FlowcontrolSubject => ({
    kind: 'ServiceAccount',
    serviceAccount: { name, namespace },
  });
  const rows: [what: string, subject: t.FlowcontrolSubject, who: UserInfo, matches: boolean][] = [
    ['a user by name', { kind: 'User', user: { name: 'jane' } }, jane, true],
    ['another user', { kind: 'User', user: { name: 'joe' } }, jane, false],
    ['all users', { kind: 'User', user: { name: '*' } }, jane, true],
    ['a group', { kind: 'Group', group: { name: 'writers' } }, jane, true],
    ['another group', { kind: 'Group', group: { name: 'readers' } }, jane, false],
    ['all groups, for somebody in none', { kind: 'Group', group: { name: '*' } }, user('nobody'), true],
    ['an account', account('robot', 'shop'), robot, true],
    ['an account of another namespace', account('robot', 'sho'), robot, false],
    ['another account', account('rob', 'shop'), robot, false],
    ['all accounts of a namespace', account('*', 'shop'), robot, true],
    ['all accounts of a namespace whose name begins the same', account('*', 'sho'), robot, false],
  ];
  for (const [what, subject, who, expected] of rows)
    it(what, () => assert.equal(matches([{ subjects: [subject], ...everything }], who, 'GET /api/v1/pods'), expected));
});

describe('rules of flow schemas', () => {
  const anybody: t.FlowcontrolSubject[] = [{ kind: 'Group', group: { name: '*' } }];
  const resources = (rule: Partial<t.ResourcePolicyRule>): t.PolicyRulesWithSubjects => ({
    subjects: anybody,
    resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], ...rule }],
  });
  const paths = (verbs: string[], ...nonResourceURLs: string[]): t.PolicyRulesWithSubjects => ({
    subjects: anybody,
    nonResourceRules: [{ verbs, nonResourceURLs }],
  });
  const inShop = '/apis/apps/v1/namespaces/shop/deployments';
  const rows: [what: string, rule: t.PolicyRulesWithSubjects, request: string, matches: boolean][] = [
    ['a verb', resources({ verbs: ['list'] }), `GET ${inShop}`, true],
    ['another verb', resources({ verbs: ['list'] }), `GET ${inShop}?watch=1`, false],
    ['a group', resources({ apiGroups: ['apps'] }), `GET ${inShop}`, true],
    ['another group', resources({ apiGroups: [''] }), `GET ${inShop}`, false],
    ['a resource', resources({ resources: ['deployments'] }), `GET ${inShop}/a`, true],
    ['a resource is not its sub-resource', resources({ resources: ['deployments'] }), `GET ${inShop}/a/status`, false],
    ['a sub-resource', resources({ resources: ['deployments/status'] }), `GET ${inShop}/a/status`, true],
    ['a namespace', resources({ namespaces: ['shop'] }), `GET ${inShop}`, true],
    ['another namespace', resources({ namespaces: ['shops'] }), `GET ${inShop}`, false],
    ['all namespaces are not the cluster', resources({}), 'GET /apis/apps/v1/deployments', false],
    ['the cluster', resources({ clusterScope: true, namespaces: [] }), 'GET /apis/apps/v1/deployments', true],
    ['the cluster is no namespace', resources({ clusterScope: true, namespaces: [] }), `GET ${inShop}`, false],
    ['resources are no paths', resources({ clusterScope: true }), 'GET /version', false],
    ['paths are no resources', paths(['*'], '*'), `GET ${inShop}`, false],
    ['a path', paths(['get'], '/version'), 'GET /version', true],
    ['a verb of a path', paths(['get'], '/version'), 'POST /version', false],
    ['what is below a path', paths(['get'], '/healthz'), 'GET /healthz/ping', true],
    ['what only begins the same', paths(['get'], '/healthz'), 'GET /healthzz', false],
    ['what is below a path with a star', paths(['get'], '/debug/*'), 'GET /debug/api', true],
    ['a path with a star is not the path itself', paths(['get'], '/debug/*'), 'GET /debug', false],
  ];
  for (const [what, rule, request, expected] of rows) it(what, () => assert.equal(matches([rule], jane, request), expected));

  it('one of several is enough', () => {
    const rules = [paths(['get'], '/version'), resources({ verbs: ['list'] })];
    assert.deepEqual(
      [`GET ${inShop}`, 'GET /version', `DELETE ${inShop}`].map((request) => matches(rules, jane, request)),
      [true, true, false],
    );
  });
});

describe('the standard flow schemas', () => {
  const ordered = [...standardSchemas].sort(([, a], [, b]) => a.matchingPrecedence! - b.matchingPrecedence!);
  const node = user('system:node:pi', 'system:nodes', 'system:authenticated');
  const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/pi';
  const rows: [schema: string, who: UserInfo, request: string][] = [
    ['exempt', user('admin', 'system:masters'), 'DELETE /api/v1/nodes'],
    ['probes', user('system:anonymous', 'system:unauthenticated'), 'GET /readyz'],
    ['system-leader-election', user('system:serviceaccount:kube-system:a', 'system:authenticated'), `PUT ${lease}`],
    ['system-node-high', node, `PATCH ${lease}`],
    ['system-node-high', node, 'PATCH /api/v1/nodes/pi/status'],
    ['system-nodes', node, 'GET /api/v1/pods?watch=1'],
    ['kube-scheduler', user('system:kube-scheduler', 'system:authenticated'), 'GET /api/v1/pods'],
    ['kube-system-service-accounts', user('system:serviceaccount:kube-system:a', 'system:authenticated'), 'GET /api/v1/pods'],
    ['service-accounts', robot, 'GET /api/v1/pods'],
    ['global-default', jane, 'GET /version'],
  ];
  for (const [schema, who, request] of rows)
    it(`${schema}: ${who.name} ${request}`, () =>
      assert.equal(ordered.find(([, { rules }]) => matches(rules!, who, request))?.[0], schema));
});
