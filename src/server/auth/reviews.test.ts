import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeReader } from '../../../test/support/fake-reader.ts';
import { ClusterRole } from '../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../api/kinds/rbac/role-binding.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { StatusError } from '../../api/status-error.ts';
import type { Authentication } from './authentication.ts';
import { createAuthorization } from './authorization.ts';
import { createReviewHandlers } from './reviews.ts';

const reader = new FakeReader();
reader.put(Role, { metadata: { name: 'r', namespace: 'a' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] });
reader.put(RoleBinding, {
  metadata: { name: 'b', namespace: 'a' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
  subjects: [{ kind: 'User', name: 'bob' }],
});
const bob = { name: 'bob', uid: '7', groups: ['system:authenticated'], extra: { team: ['red'] } };
const authentication: Authentication = {
  authenticate: async () => bob,
  authenticateToken: async (token, audiences) =>
    token === 'good' ? { user: bob, audiences: audiences ?? ['api'] } : { error: 'service account token has expired' },
};
const handlers = createReviewHandlers({ authentication, authorization: createAuthorization({ reader }) });
const ask = async (resource: string, fields: object, namespace?: string): Promise<Record<string, unknown>> => {
  const context = { user: bob, nowMs: 0, ...(namespace === undefined ? {} : { namespace }) };
  const answer = await handlers.get(resource)!(context, {
    apiVersion: 'v1',
    kind: 'X',
    metadata: {},
    ...fields,
  } as unknown as KubeObject);
  return (answer as unknown as { status: Record<string, unknown> }).status;
};
const pods = { verb: 'get', resource: 'pods', namespace: 'a' };
const refused = (promise: Promise<unknown>, code: number, text: RegExp) =>
  assert.rejects(promise, (e: StatusError) => e.code === code && text.test(e.message));

test('access reviews say yes with the reason, and no without one', async () => {
  const self = 'authorization.k8s.io/selfsubjectaccessreviews';
  assert.deepEqual(await ask(self, { spec: { resourceAttributes: pods } }), {
    allowed: true,
    reason: 'RBAC: allowed by RoleBinding "b/a" of Role "r" to User "bob"',
  });
  assert.deepEqual(await ask(self, { spec: { resourceAttributes: { ...pods, verb: 'list' } } }), { allowed: false });
  assert.deepEqual(await ask(self, { spec: { nonResourceAttributes: { verb: 'get', path: '/x' } } }), { allowed: false });
  const other = 'authorization.k8s.io/subjectaccessreviews';
  assert.equal((await ask(other, { spec: { user: 'bob', resourceAttributes: pods } }))['allowed'], true);
  assert.equal((await ask(other, { spec: { user: 'eve', resourceAttributes: pods } }))['allowed'], false);
});

test('reviews that ask nothing, too much, or about another namespace', async () => {
  await refused(
    ask('authorization.k8s.io/selfsubjectaccessreviews', { spec: {} }),
    422,
    /exactly one of nonResourceAttributes or resourceAttributes/,
  );
  const both = { resourceAttributes: pods, nonResourceAttributes: { path: '/' } };
  await refused(ask('authorization.k8s.io/selfsubjectaccessreviews', { spec: both }), 422, /cannot be specified in combination/);
  await refused(
    ask('authorization.k8s.io/subjectaccessreviews', { spec: { resourceAttributes: pods } }),
    422,
    /at least one of user or group/,
  );
  const local = { spec: { user: 'bob', resourceAttributes: pods } };
  await refused(ask('authorization.k8s.io/localsubjectaccessreviews', local, 'b'), 422, /must match metadata.namespace/);
  const elsewhere = { metadata: { namespace: 'a' }, ...local };
  await refused(ask('authorization.k8s.io/localsubjectaccessreviews', elsewhere, 'b'), 400, /does not match the namespace sent/);
  assert.equal((await ask('authorization.k8s.io/localsubjectaccessreviews', local, 'a'))['allowed'], true);
});

const onNode = (selectors: object): object => ({
  spec: {
    user: 'system:node:pi',
    groups: ['system:nodes'],
    resourceAttributes: { verb: 'list', resource: 'pods', ...selectors },
  },
});
const sar = 'authorization.k8s.io/subjectaccessreviews';

test('access reviews look at the field selector they ask about', async () => {
  const own = { key: 'spec.nodeName', operator: 'In', values: ['pi'] };
  const allowed = async (selector: object): Promise<unknown> => (await ask(sar, onNode({ fieldSelector: selector })))['allowed'];
  assert.equal(await allowed({ rawSelector: 'spec.nodeName=pi' }), true);
  assert.equal(await allowed({ requirements: [own] }), true);
  assert.equal(await allowed({ requirements: [{ ...own, operator: 'NotIn' }] }), false);
  assert.equal(await allowed({ requirements: [{ ...own, values: ['other'] }] }), false);
  const newer = { key: 'metadata.name', operator: 'Newer' };
  assert.deepEqual(
    await ask(sar, onNode({ fieldSelector: { requirements: [own, newer] }, labelSelector: { rawSelector: '==' } })),
    {
      allowed: true,
      evaluationError:
        'spec.resourceAttributes.fieldSelector partially ignored due to parse error; ' +
        'spec.resourceAttributes.labelSelector ignored due to parse error',
    },
  );
});

test('selectors and metadata of access reviews are checked', async () => {
  const at = 'spec.resourceAttributes';
  const rows: readonly [selectors: object, message: RegExp][] = [
    [
      { fieldSelector: {} },
      new RegExp(`${at}.fieldSelector.requirements: Required value: when ${at}.fieldSelector is specified`),
    ],
    [
      { fieldSelector: { rawSelector: 'a=b', requirements: [{ key: 'a', operator: 'Exists' }] } },
      /at the same time as requirements/,
    ],
    [
      { fieldSelector: { requirements: [{ key: '', operator: 'Exists' }] } },
      /requirements\[0\].key: Required value: must be specified/,
    ],
    [{ labelSelector: { requirements: [{ key: 'a', operator: 'In' }] } }, /values: Required value: must be specified when/],
    [
      { labelSelector: { requirements: [{ key: 'a', operator: 'Exists', values: ['b'] }] } },
      /values: Forbidden: may not be specified/,
    ],
    [{ labelSelector: { requirements: [{ key: 'a b', operator: 'Exists' }] } }, /requirements\[0\].key: Invalid value: "a b"/],
  ];
  for (const [selectors, message] of rows) await refused(ask(sar, onNode(selectors)), 422, message);
  await refused(
    ask(sar, { ...onNode({}), metadata: { name: 'x' } }),
    422,
    /metadata: Invalid value: {"name":"x"}: must be empty/,
  );
});

test('rules reviews list what a user may do', async () => {
  const paths = new FakeReader();
  const metadata = { name: 'paths' };
  paths.put(ClusterRole, { metadata, rules: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }] });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'paths' };
  paths.put(ClusterRoleBinding, { metadata, roleRef, subjects: [{ kind: 'User', name: 'bob' }] });
  const review = createReviewHandlers({ authentication, authorization: createAuthorization({ reader: paths }) });
  const question = { apiVersion: 'v1', kind: 'X', metadata: {}, spec: { namespace: 'a' } } as unknown as KubeObject;
  const answer = await review.get('authorization.k8s.io/selfsubjectrulesreviews')!({ user: bob, nowMs: 0 }, question);
  const { nonResourceRules, resourceRules } = (answer as unknown as { status: Record<string, unknown> }).status;
  assert.deepEqual(nonResourceRules, [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }]);
  assert.deepEqual(resourceRules, []);
  const status = await ask('authorization.k8s.io/selfsubjectrulesreviews', { spec: { namespace: 'a' } });
  assert.deepEqual(status['resourceRules'], [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]);
  assert.equal(status['incomplete'], false);
});

test('token and self reviews name the user', async () => {
  const user = { username: 'bob', uid: '7', groups: ['system:authenticated'], extra: { team: ['red'] } };
  const token = 'authentication.k8s.io/tokenreviews';
  assert.deepEqual(await ask(token, { spec: { token: 'good' } }), { authenticated: true, user, audiences: ['api'] });
  assert.deepEqual(await ask(token, { spec: { token: 'old' } }), { user: {}, error: 'service account token has expired' });
  const self = handlers.get('authentication.k8s.io/selfsubjectreviews')!;
  const review = await self({ user: bob, nowMs: 0 }, { apiVersion: 'v1', kind: 'X', metadata: {} } as KubeObject);
  assert.deepEqual(review, {
    ...{ apiVersion: 'v1', kind: 'X', metadata: { creationTimestamp: '1970-01-01T00:00:00Z' } },
    status: { userInfo: user },
  });
});

test('rules reviews are incomplete where others than RBAC decide, not where a role is missing', async () => {
  const lost = new FakeReader();
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'gone' };
  for (const name of ['1', '2'])
    lost.put(RoleBinding, { metadata: { name, namespace: 'a' }, roleRef, subjects: [{ kind: 'User', name: 'system:node:pi' }] });
  const review = createReviewHandlers({ authentication, authorization: createAuthorization({ reader: lost }) });
  const statusFor = async (...groups: string[]): Promise<unknown> => {
    const question = { apiVersion: 'v1', kind: 'X', metadata: {}, spec: { namespace: 'a' } } as unknown as KubeObject;
    const user = { name: 'system:node:pi', groups, extra: {} };
    return (
      (await review.get('authorization.k8s.io/selfsubjectrulesreviews')!({ user, nowMs: 0 }, question)) as unknown as {
        status: unknown;
      }
    ).status;
  };
  const none = { resourceRules: [], nonResourceRules: [] };
  const missing = 'role.rbac.authorization.k8s.io "gone" not found';
  assert.deepEqual(await statusFor(), { ...none, incomplete: false, evaluationError: missing });
  assert.deepEqual(await statusFor('system:nodes'), {
    ...none,
    incomplete: true,
    evaluationError: `[node authorizer does not support user rule resolution, ${missing}]`,
  });
});
