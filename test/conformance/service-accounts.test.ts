import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { ApiError, type Json } from './support/api.ts';
import { controlPlane, exists } from './support/control-plane.ts';

const plane = controlPlane();
const accounts = 'v1/serviceaccounts';
const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount';

it('[sig-auth] ServiceAccounts should allow opting out of API token automount [Conformance]', async () => {
  const own = await plane.inNewNamespace(accounts);
  await own.create({ metadata: { name: 'mount' }, automountServiceAccountToken: true });
  await own.create({ metadata: { name: 'nomount' }, automountServiceAccountToken: false });
  const pods = plane.api.resource('v1/pods', own.namespace);
  // What the pod says goes before what its account says; the default is yes.
  const rows: readonly (readonly [account: string, pod: boolean | undefined, mounted: boolean])[] = [
    ['default', undefined, true],
    ['mount', undefined, true],
    ['nomount', undefined, false],
    ['default', true, true],
    ['mount', true, true],
    ['nomount', true, true],
    ['default', false, false],
    ['mount', false, false],
    ['nomount', false, false],
  ];
  for (const [serviceAccountName, automountServiceAccountToken, mounted] of rows) {
    const name = `${serviceAccountName}-${automountServiceAccountToken}`;
    const containers = [{ name: 'app', image: 'registry.invalid/app:1' }];
    const pod = await pods.create({ metadata: { name }, spec: { containers, serviceAccountName, automountServiceAccountToken } });
    const paths = (pod.spec.containers[0].volumeMounts ?? []).map((mount: Json) => mount.mountPath);
    assert.deepEqual(paths, mounted ? [tokenPath] : [], name);
  }
});

it('[sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview [Conformance]', async () => {
  const own = await plane.inNewNamespace(accounts);
  const { metadata } = await own.create({ metadata: { name: 'robot' } });
  const { status } = await plane.api.call('POST', own.path({ name: 'robot', subresource: 'token' }), { spec: {} });
  assert.ok(status.token);
  const reviews = plane.api.resource('authentication.k8s.io/v1/tokenreviews');
  const review = await reviews.create({ spec: { token: status.token } });
  assert.deepEqual([review.status.authenticated, review.status.error], [true, undefined]);
  const { username, uid } = review.status.user;
  assert.deepEqual([username, uid], [`system:serviceaccount:${own.namespace}:robot`, metadata.uid]);
  const forged = await reviews.create({ spec: { token: `${status.token.slice(0, -8)}AAAAAAAA` } });
  assert.ok(!forged.status.authenticated);
});

it('[sig-auth] ServiceAccounts should update a ServiceAccount [Conformance]', async () => {
  const own = await plane.inNewNamespace(accounts);
  const created = await own.create({ metadata: { name: 'robot' }, automountServiceAccountToken: false });
  assert.equal(created.automountServiceAccountToken, false);
  const updated = await own.change('robot', (account) => {
    account.automountServiceAccountToken = true;
  });
  assert.equal(updated.automountServiceAccountToken, true);
});

it('[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace [Conformance]', async () => {
  const maps = await plane.inNewNamespace('v1/configmaps');
  const name = 'kube-root-ca.crt';
  const certificate = async (): Promise<string | undefined> =>
    (await exists(maps, name)) ? (await maps.get(name)).data['ca.crt'] : undefined;
  const original = await eventually(`${name} is published`, certificate);
  assert.match(original, /^-----BEGIN CERTIFICATE-----/);
  await maps.delete(name);
  await eventually(`${name} is published again`, async () => (await certificate()) === original);
  await maps.patch(name, { data: { 'ca.crt': 'something else' } });
  await eventually(`${name} is put right`, async () => (await certificate()) === original);
});

it('[sig-auth] SubjectReview should support SubjectReview API operations [Conformance]', async () => {
  const own = await plane.inNewNamespace(accounts);
  const namespace = own.namespace!;
  const { metadata } = await own.create({ metadata: { name: 'robot' } });
  const user = `system:serviceaccount:${namespace}:robot`;
  const groups = ['system:authenticated', 'system:serviceaccounts', `system:serviceaccounts:${namespace}`];
  const resourceAttributes = { verb: 'list', resource: 'configmaps', namespace, version: 'v1' };
  const spec = { resourceAttributes, user, groups, uid: metadata.uid };
  const robot = plane.api.with({
    'impersonate-user': user,
    'impersonate-uid': metadata.uid,
    'impersonate-group': groups,
  });
  const mayList = async (): Promise<boolean> => {
    try {
      await robot.resource('v1/configmaps', namespace).list();
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.status === 403) return false;
      throw error;
    }
  };
  const reviewed = async (name: string, inNamespace?: string): Promise<boolean> => {
    const review = await plane.api.resource(`authorization.k8s.io/v1/${name}`, inNamespace).create({ spec });
    return review.status.allowed;
  };
  const answers = async (): Promise<boolean[]> => [
    await mayList(),
    await reviewed('subjectaccessreviews'),
    await reviewed('localsubjectaccessreviews', namespace),
  ];
  assert.deepEqual(await answers(), [false, false, false]);
  await plane.api.resource('rbac.authorization.k8s.io/v1/rolebindings', namespace).create({
    metadata: { name: 'readers' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', name: 'robot', namespace }],
  });
  await eventually('the binding counts', async () => (await answers()).every(Boolean));
});
