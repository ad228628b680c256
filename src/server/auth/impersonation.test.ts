import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { FakeReader } from '../../../test/support/fake-reader.ts';
import type { PolicyRule } from '../../api/generated/types.ts';
import { ClusterRole } from '../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../api/kinds/rbac/cluster-role-binding.ts';
import type { StatusError } from '../../api/status-error.ts';
import { type Authorization, createAuthorization } from './authorization.ts';
import { impersonate } from './impersonation.ts';
import type { UserInfo } from './user.ts';

type Headers = Record<string, string | string[]>;

const authentication = 'authentication.k8s.io';
const user = (name: string, ...groups: string[]): UserInfo => ({ name, groups: [...groups, 'system:authenticated'], extra: {} });
const admin = user('root', 'system:masters');
const eve = user('eve');

describe('impersonation', () => {
  let reader = new FakeReader();
  let authorization: Authorization;

  beforeEach(() => {
    reader = new FakeReader();
    authorization = createAuthorization({ reader });
  });

  const grant = (subject: string, ...rules: PolicyRule[]): void => {
    reader.put(ClusterRole, { metadata: { name: 'r' }, rules });
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' };
    reader.put(ClusterRoleBinding, { metadata: { name: 'b' }, roleRef, subjects: [{ kind: 'User', name: subject }] });
  };
  const rule = (verb: string, group: string, resource: string, ...names: string[]): PolicyRule => ({
    verbs: [verb],
    apiGroups: [group],
    resources: [resource],
    ...(names.length > 0 ? { resourceNames: names } : {}),
  });
  const listPods = { verb: 'list', path: '', group: '', version: 'v1', resource: 'pods', namespace: 'shop' };
  const acting = (headers: Headers, requester: UserInfo = eve): UserInfo =>
    impersonate(
      { authorization: undefined, clientCertificate: undefined, headers },
      { user: requester, ...listPods },
      authorization,
    );
  const refusal = (headers: Headers, requester: UserInfo = eve): string => {
    try {
      acting(headers, requester);
    } catch (error) {
      return `${(error as StatusError).code} ${(error as StatusError).message}`;
    }
    return 'allowed';
  };

  test('the headers say who the user is', () => {
    assert.equal(acting({}, admin), admin);
    const headers = { 'impersonate-user': 'bob', 'impersonate-group': ['a', 'b'], 'impersonate-extra-scopes': 'x' };
    const bob = { name: 'bob', groups: ['a', 'b', 'system:authenticated'], extra: { scopes: ['x'] } };
    assert.deepEqual(acting(headers, admin), bob);
    const account = acting({ 'impersonate-user': 'system:serviceaccount:shop:web' }, admin);
    assert.deepEqual(account.groups, ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated']);
    assert.deepEqual(acting({ 'impersonate-user': 'system:anonymous' }, admin).groups, ['system:unauthenticated']);
    assert.equal(
      refusal({ 'impersonate-group': 'g' }, admin),
      '400 requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"g"}, Extra:map[string][]string(nil)} without impersonating a user name',
    );
  });

  test('who is known is in one group or the other', () => {
    const groupsOf = (name: string, group: string): readonly string[] =>
      acting({ 'impersonate-user': name, 'impersonate-group': group }, admin).groups;
    assert.deepEqual(groupsOf('bob', 'system:unauthenticated'), ['system:unauthenticated']);
    assert.deepEqual(groupsOf('bob', 'system:authenticated'), ['system:authenticated']);
    assert.deepEqual(groupsOf('system:anonymous', 'system:authenticated'), ['system:authenticated', 'system:unauthenticated']);
  });

  test('no part of a user stands without its name', () => {
    for (const headers of [{ 'impersonate-uid': 'u' }, { 'impersonate-extra-x': 'y' }])
      assert.match(refusal(headers, admin), /^400 .* without impersonating a user name$/);
  });

  test('extra of any name is asked for and passed on', () => {
    const headers = { 'impersonate-user': 'bob', 'impersonate-extra-__proto__': 'x' };
    assert.deepEqual(Object.entries(acting(headers, admin).extra), [['__proto__', ['x']]]);
    grant('eve', rule('impersonate', '', 'users'));
    assert.match(refusal(headers), /^403 /);
    assert.equal(refusal({ 'impersonate-user': 'bob' }), 'allowed');
  });

  test('without any right, what the first possible mode lacks is told', () => {
    const where = 'in API group "" in the namespace "shop"';
    const lacks = (mode: string): string =>
      `403 pods is forbidden: User "eve" cannot impersonate-on:${mode}:list resource "pods" ${where}`;
    assert.equal(refusal({ 'impersonate-user': 'bob' }), lacks('user-info'));
    assert.equal(refusal({ 'impersonate-user': 'system:serviceaccount:shop:web' }), lacks('serviceaccount'));
    assert.equal(refusal({ 'impersonate-user': 'system:node:pi' }), lacks('arbitrary-node'));
    // A node with groups of the requester's choice, or with a name no node can have, is a matter of the old verb alone.
    assert.equal(
      refusal({ 'impersonate-user': 'system:node:pi', 'impersonate-group': 'x' }),
      '403 users "system:node:pi" is forbidden: User "eve" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
    assert.equal(refusal({ 'impersonate-user': 'system:node:P_I' }), lacks('user-info'));
    const account = { 'impersonate-user': 'system:serviceaccount:shop:web' };
    for (const more of [{ 'impersonate-group': 'x' }, { 'impersonate-uid': 'u' }])
      assert.match(refusal({ ...account, ...more }), /^403 serviceaccounts "web" is forbidden: User "eve" cannot impersonate /);
    const bound: UserInfo = { ...eve, extra: { 'authentication.kubernetes.io/node-name': ['pi'] } };
    assert.equal(refusal({ 'impersonate-user': 'system:node:pi' }, bound), lacks('arbitrary-node'), 'only accounts run on nodes');
  });

  test('the old verb allows all requests, for each part that is named', () => {
    grant('eve', rule('impersonate', '', 'users', 'bob'), rule('impersonate', authentication, 'userextras/scopes', 'x'));
    assert.equal(acting({ 'impersonate-user': 'bob', 'impersonate-extra-scopes': 'x' }).name, 'bob');
    assert.notEqual(refusal({ 'impersonate-user': 'bob', 'impersonate-extra-scopes': 'y' }), 'allowed');
    assert.notEqual(refusal({ 'impersonate-user': 'bob', 'impersonate-uid': 'u' }), 'allowed');
    assert.notEqual(refusal({ 'impersonate-user': 'bob', 'impersonate-group': 'g' }), 'allowed');
  });

  test('a constrained right is one to be somebody and one to do something', () => {
    const on = rule('impersonate-on:user-info:list', '', 'pods');
    grant('eve', rule('impersonate:user-info', authentication, 'users', 'bob'));
    assert.match(refusal({ 'impersonate-user': 'bob' }), /cannot impersonate-on:user-info:list resource "pods"/);
    grant('eve', on);
    assert.equal(
      refusal({ 'impersonate-user': 'bob' }),
      `403 users.${authentication} "bob" is forbidden: User "eve" cannot impersonate:user-info resource "users" in API group "${authentication}" at the cluster scope`,
    );
    grant('eve', on, rule('impersonate:user-info', authentication, '*'));
    assert.deepEqual(acting({ 'impersonate-user': 'bob', 'impersonate-group': 'g' }).groups, ['g', 'system:authenticated']);
    assert.match(
      refusal({ 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }),
      /system:masters group is not allowed$/,
    );
    assert.match(refusal({ 'impersonate-user': 'bob', 'impersonate-group': '' }), /empty string group is not allowed$/);
    assert.match(refusal({ 'impersonate-user': 'bob', 'impersonate-extra-scopes': 'x' }), /extra\.key: Invalid value: "scopes"/);
    assert.match(refusal({ 'impersonate-user': 'bob', 'impersonate-extra-a.b%2fc': '' }), /empty string value in extra/);
    assert.deepEqual(acting({ 'impersonate-user': 'bob', 'impersonate-extra-a.b%2fc': 'x' }).extra, { 'a.b/c': ['x'] });
  });

  test('the right to many at once is the right to all', () => {
    const groups = ['1', '2', '3', '4'];
    const being = (...names: string[]): PolicyRule[] => [
      rule('impersonate-on:user-info:list', '', 'pods'),
      rule('impersonate:user-info', authentication, 'users'),
      rule('impersonate:user-info', authentication, 'groups', ...names),
    ];
    grant('eve', ...being('*'));
    assert.equal(refusal({ 'impersonate-user': 'bob', 'impersonate-group': groups }), 'allowed');
    assert.notEqual(refusal({ 'impersonate-user': 'bob', 'impersonate-group': groups.slice(1) }), 'allowed');
    grant('eve', ...being(...groups));
    assert.equal(refusal({ 'impersonate-user': 'bob', 'impersonate-group': groups }), 'allowed');
    grant('eve', ...being().slice(0, 2), rule('impersonate:user-info', authentication, 'userextras/*', '*'));
    assert.equal(refusal({ 'impersonate-user': 'bob', 'impersonate-extra-a.b%2fc': groups }), 'allowed');
    assert.notEqual(refusal({ 'impersonate-user': 'bob', 'impersonate-extra-a.b%2fc': groups.slice(1) }), 'allowed');
  });

  test('a node that is acted as is in the nodes group, whoever asks', () => {
    const groups = ['system:nodes', 'system:authenticated'];
    assert.deepEqual(acting({ 'impersonate-user': 'system:node:pi' }, admin).groups, groups);
    const account = 'system:serviceaccount:shop:agent';
    const bound: UserInfo = { ...user(account), extra: { 'authentication.kubernetes.io/node-name': ['pi'] } };
    assert.match(refusal({ 'impersonate-user': 'system:node:pi' }, bound), /cannot impersonate-on:associated-node:list/);
    grant(
      account,
      rule('impersonate-on:associated-node:list', '', 'pods'),
      rule('impersonate:associated-node', authentication, 'nodes', '*'),
    );
    assert.deepEqual(acting({ 'impersonate-user': 'system:node:pi' }, bound), { name: 'system:node:pi', groups, extra: {} });
    assert.match(refusal({ 'impersonate-user': 'system:node:other' }, bound), /cannot impersonate-on:arbitrary-node:list/);
    assert.match(refusal({ 'impersonate-user': 'system:node:pi' }, user(account)), /cannot impersonate-on:arbitrary-node:list/);
  });
});
