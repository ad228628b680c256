import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, controlPlane, exists, gone, refused } from './support/control-plane.ts';

const plane = controlPlane();
const quotas = 'v1/resourcequotas';
const limitRanges = 'v1/limitranges';
const image = 'registry.invalid/app:1';
const resources = (cpu: string, memory: string, storage: string): Json => ({ cpu, memory, 'ephemeral-storage': storage });
const pod = (name: string, wanted: Json = {}, spec: Json = {}): Json => ({
  metadata: { name },
  spec: { containers: [{ name: 'app', image, resources: wanted }], ...spec },
});
const namesIn = (list: Json): string[] => list.items.map((item: Json) => item.metadata.name);

/** What the tests of quotas below count, and where it starts. */
const hard = {
  pods: '5',
  services: '10',
  'services.nodeports': '1',
  'services.loadbalancers': '1',
  replicationcontrollers: '10',
  resourcequotas: '1',
  secrets: '10',
  configmaps: '10',
  persistentvolumeclaims: '10',
  'count/replicasets.apps': '5',
  cpu: '1',
  memory: '500Mi',
  'requests.example.com/dongle': '3',
};

async function used(quota: Resource, name: string, wanted: Readonly<Record<string, string>>): Promise<void> {
  await eventually(`${name} counts ${JSON.stringify(wanted)}`, async () => {
    const { status } = await quota.get(name);
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((key) => [key, status.used?.[key]])), wanted);
    return true;
  });
}

async function inQuota(extra: Readonly<Record<string, string>> = {}): Promise<Resource> {
  const own = await plane.inNewNamespace(quotas);
  await own.create({ metadata: { name: 'quota' }, spec: { hard: { ...hard, ...extra } } });
  await used(own, 'quota', { resourcequotas: '1', pods: '0' });
  return own;
}

it('[sig-api-machinery] ResourceQuota should create a ResourceQuota and ensure its status is promptly calculated. [Conformance]', async () => {
  const own = await inQuota();
  const { status } = await own.get('quota');
  assert.deepEqual(status.hard, hard);
  const { configmaps, ...rest } = status.used;
  assert.ok(Number(configmaps) <= 1, 'at most the certificate every namespace has');
  const nothing = Object.fromEntries(Object.keys(rest).map((key) => [key, '0']));
  assert.deepEqual(rest, { ...nothing, resourcequotas: '1' });
});

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'app', image }] } };
const counted: readonly {
  readonly name: string;
  readonly resource: string;
  readonly counter: string;
  readonly fields: Json;
}[] = [
  {
    name: '[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a secret. [Conformance]',
    resource: 'v1/secrets',
    counter: 'secrets',
    fields: { data: { a: 'MQ==' } },
  },
  {
    name: '[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a configMap. [Conformance]',
    resource: 'v1/configmaps',
    counter: 'configmaps',
    fields: { data: { a: '1' } },
  },
  {
    name: '[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replica set. [Conformance]',
    resource: 'apps/v1/replicasets',
    counter: 'count/replicasets.apps',
    fields: { spec: { replicas: 0, selector: { matchLabels: { app: 'web' } }, template } },
  },
  {
    name: '[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a replication controller. [Conformance]',
    resource: 'v1/replicationcontrollers',
    counter: 'replicationcontrollers',
    fields: { spec: { replicas: 0, selector: { app: 'web' }, template } },
  },
];

for (const { name, resource, counter, fields } of counted)
  it(name, async () => {
    const own = await plane.inNewNamespace(quotas);
    const objects = plane.api.resource(resource, own.namespace);
    let before = 0;
    if (resource === 'v1/configmaps') {
      // Every namespace gets one.
      await eventually('the certificate of the authority', () => exists(objects, 'kube-root-ca.crt'));
      before = 1;
    }
    await own.create({ metadata: { name: 'quota' }, spec: { hard: { [counter]: String(before + 1) } } });
    await used(own, 'quota', { [counter]: String(before) });
    await objects.create({ metadata: { name: 'a' }, ...fields });
    await used(own, 'quota', { [counter]: String(before + 1) });
    const { message } = await refused(objects.create({ metadata: { name: 'b' }, ...fields }), 403, 'Forbidden');
    assert.match(message, /exceeded quota: quota, requested: /);
    await objects.delete('a');
    await used(own, 'quota', { [counter]: String(before) });
  });

it('lets in what a quota has room for and no more, however many come at once', async () => {
  const own = await plane.inNewNamespace(quotas);
  const secrets = plane.api.resource('v1/secrets', own.namespace);
  await own.create({ metadata: { name: 'quota' }, spec: { hard: { secrets: '5' } } });
  await used(own, 'quota', { secrets: '0' });
  const created = await Promise.allSettled(
    Array.from({ length: 20 }, (_, n) => secrets.create({ metadata: { name: `s-${n}` } })),
  );
  const refusals = created.filter((each) => each.status === 'rejected').map(({ reason }) => String(reason));
  for (const refusal of refusals) assert.match(refusal, /403 Forbidden: .*exceeded quota: quota/);
  assert.deepEqual([refusals.length, (await secrets.list()).items.length], [15, 5]);
});

it('[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a service. [Conformance]', async () => {
  const own = await inQuota({ services: '2', 'services.loadbalancers': '0' });
  const services = plane.api.resource('v1/services', own.namespace);
  const service = (name: string, type: string): Json => ({ metadata: { name }, spec: { type, ports: [{ port: 80 }] } });
  await services.create(service('inside', 'ClusterIP'));
  await services.create(service('nodes', 'NodePort'));
  await refused(services.create(service('balanced', 'LoadBalancer')), 403, 'Forbidden');
  await used(own, 'quota', { services: '2', 'services.nodeports': '1', 'services.loadbalancers': '0' });
  for (const name of ['inside', 'nodes']) await services.delete(name);
  await used(own, 'quota', { services: '0', 'services.nodeports': '0' });
});

it('[sig-api-machinery] ResourceQuota should create a ResourceQuota and capture the life of a pod. [Conformance]', async () => {
  const own = await inQuota({ 'requests.ephemeral-storage': '50Gi' });
  const pods = plane.api.resource('v1/pods', own.namespace);
  const dongles = { 'example.com/dongle': '2' };
  await pods.create(pod('a', { requests: { ...resources('500m', '252Mi', '30Gi'), ...dongles }, limits: dongles }));
  const usage = {
    ...{ pods: '1', cpu: '500m', memory: '252Mi' },
    ...{ 'requests.ephemeral-storage': '30Gi', 'requests.example.com/dongle': '2' },
  };
  await used(own, 'quota', usage);
  const tooMuch: readonly Json[] = [
    { requests: resources('600m', '100Mi', '1Gi') },
    { requests: { ...resources('100m', '100Mi', '1Gi'), ...dongles }, limits: dongles },
    {},
  ];
  for (const wanted of tooMuch) await refused(pods.create(pod('b', wanted)), 403, 'Forbidden');
  const grow = ({ spec }: Json): void => {
    spec.containers[0].resources.requests.cpu = '100m';
  };
  await refused(pods.change('a', grow), 422, 'Invalid');
  await used(own, 'quota', usage);
  await pods.delete('a', { gracePeriodSeconds: 0 });
  await used(own, 'quota', {
    ...{ pods: '0', cpu: '0', memory: '0' },
    ...{ 'requests.ephemeral-storage': '0', 'requests.example.com/dongle': '0' },
  });
});

const wanted = { requests: { cpu: '500m', memory: '200Mi' }, limits: { cpu: '1', memory: '400Mi' } };
const amounts = { pods: '1', 'requests.cpu': '500m', 'requests.memory': '200Mi', 'limits.cpu': '1', 'limits.memory': '400Mi' };
const _nothing = { pods: '0', 'requests.cpu': '0', 'requests.memory': '0', 'limits.cpu': '0', 'limits.memory': '0' };
const scopes: readonly {
  readonly name: string;
  readonly rows: readonly {
    readonly scope: string;
    readonly hard: Json;
    readonly pod: Json;
    readonly used: Record<string, string>;
  }[];
}[] = [
  {
    name: '[sig-api-machinery] ResourceQuota should verify ResourceQuota with best effort scope. [Conformance]',
    rows: [
      { scope: 'BestEffort', hard: { pods: '5' }, pod: pod('best-effort'), used: { pods: '1' } },
      { scope: 'NotBestEffort', hard: { pods: '5' }, pod: pod('burstable', wanted), used: { pods: '1' } },
    ],
  },
  {
    name: '[sig-api-machinery] ResourceQuota should verify ResourceQuota with terminating scopes. [Conformance]',
    rows: ['Terminating', 'NotTerminating'].map((scope) => ({
      scope,
      hard: { pods: '5', 'requests.cpu': '1', 'requests.memory': '500Mi', 'limits.cpu': '2', 'limits.memory': '1Gi' },
      pod: pod(scope.toLowerCase(), wanted, scope === 'Terminating' ? { activeDeadlineSeconds: 3600 } : {}),
      used: amounts,
    })),
  },
];

for (const { name, rows } of scopes)
  it(name, async () => {
    const own = await plane.inNewNamespace(quotas);
    const pods = plane.api.resource('v1/pods', own.namespace);
    const none = (like: object): Record<string, string> => Object.fromEntries(Object.keys(like).map((key) => [key, '0']));
    const quotaOf = (scope: string): string => scope.toLowerCase();
    for (const row of rows) {
      await own.create({ metadata: { name: quotaOf(row.scope) }, spec: { hard: row.hard, scopes: [row.scope] } });
      await used(own, quotaOf(row.scope), none(row.used));
    }
    for (const [n, row] of rows.entries()) {
      const other = rows[1 - n]!;
      await pods.create(row.pod);
      await used(own, quotaOf(row.scope), row.used);
      await used(own, quotaOf(other.scope), none(other.used));
      await pods.delete(row.pod.metadata.name, { gracePeriodSeconds: 0 });
      await used(own, quotaOf(row.scope), none(row.used));
    }
  });

it('[sig-api-machinery] ResourceQuota should be able to update and delete ResourceQuota. [Conformance]', async () => {
  const own = await plane.inNewNamespace(quotas);
  const quota = (cpu: string, memory: string): Json => ({ metadata: { name: 'quota' }, spec: { hard: { cpu, memory } } });
  await own.create(quota('1', '500Mi'));
  assert.deepEqual((await own.get('quota')).spec.hard, { cpu: '1', memory: '500Mi' });
  assert.deepEqual((await own.update(quota('2', '1Gi'))).spec.hard, { cpu: '2', memory: '1Gi' });
  assert.deepEqual((await own.get('quota')).spec.hard, { cpu: '2', memory: '1Gi' });
  await own.delete('quota');
  await refused(own.get('quota'), 404, 'NotFound');
});

it('[sig-api-machinery] ResourceQuota should manage the lifecycle of a ResourceQuota [Conformance]', async () => {
  const own = await plane.inNewNamespace(quotas);
  await own.create({ metadata: { name: 'quota', labels: { test: 'one' } }, spec: { hard: { cpu: '1', memory: '500Mi' } } });
  const ours = { labelSelector: 'test=one' };
  const { items } = await plane.api.resource(quotas).list(ours);
  assert.deepEqual(namesIn({ items }), ['quota']);
  const patch = { metadata: { labels: { patched: 'true' } }, spec: { hard: { memory: '750Mi' } } };
  const patched = await own.patch('quota', patch, { type: 'strategic' });
  assert.deepEqual([patched.metadata.labels.patched, patched.spec.hard], ['true', { cpu: '1', memory: '750Mi' }]);
  assertNewer(patched, items[0]);
  await own.deleteCollection(ours);
  await refused(own.get('quota'), 404, 'NotFound');
});

it('[sig-api-machinery] ResourceQuota should apply changes to a resourcequota status [Conformance]', async () => {
  const own = await plane.inNewNamespace(quotas);
  const statusIs = (cpu: string, memory: string): Promise<unknown> =>
    eventually(`the status says ${cpu}, ${memory}`, async () => {
      const { status } = await own.get('quota', 'status');
      assert.deepEqual(status.hard, { cpu, memory });
      return true;
    });
  await own.create({ metadata: { name: 'quota' }, spec: { hard: { cpu: '500m', memory: '500Mi' } } });
  await statusIs('500m', '500Mi');
  await own.patch('quota', { spec: { hard: { cpu: '1', memory: '1Gi' } } }, { type: 'strategic' });
  await statusIs('1', '1Gi');
  const other = { cpu: '2', memory: '2Gi' };
  const patched = await own.patch('quota', { status: { hard: other } }, { type: 'strategic', subresource: 'status' });
  assert.deepEqual([patched.status.hard, patched.spec.hard], [other, { cpu: '1', memory: '1Gi' }]);
  // What somebody else wrote there does not stay.
  await statusIs('1', '1Gi');
});

it('[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied. [Conformance]', async () => {
  const own = await plane.inNewNamespace(limitRanges);
  const pods = plane.api.resource('v1/pods', own.namespace);
  const defaults = { limits: resources('500m', '500Mi', '500Gi'), requests: resources('100m', '200Mi', '200Gi') };
  const limit = {
    type: 'Container',
    min: resources('50m', '100Mi', '100Gi'),
    max: resources('500m', '500Mi', '500Gi'),
    default: defaults.limits,
    defaultRequest: defaults.requests,
  };
  const watch = await own.watch();
  await own.create({ metadata: { name: 'limits' }, spec: { limits: [limit] } });
  await watch.expect('ADDED');
  watch.stop();
  assert.deepEqual((await own.get('limits')).spec.limits, [limit]);

  const resourcesOf = async (name: string): Promise<Json> => (await pods.get(name)).spec.containers[0].resources;
  await pods.create(pod('without'));
  assert.deepEqual(await resourcesOf('without'), defaults);
  const partly = { requests: { memory: '150Mi', 'ephemeral-storage': '150Gi' }, limits: { cpu: '300m' } };
  await pods.create(pod('partly', partly));
  // A limit stands for the request that is not there, before the default does.
  assert.deepEqual(await resourcesOf('partly'), {
    limits: resources('300m', '500Mi', '500Gi'),
    requests: resources('300m', '150Mi', '150Gi'),
  });
  const little = { requests: resources('10m', '50Mi', '50Gi') };
  const tooMuch = resources('600m', '600Mi', '600Gi');
  const much = { requests: tooMuch, limits: tooMuch };
  for (const each of [little, much]) await refused(pods.create(pod('refused', each)), 403, 'Forbidden');
  await own.change('limits', ({ spec }) => {
    spec.limits[0].min = resources('9m', '49Mi', '49Gi');
  });
  await pods.create(pod('little', little));
  await refused(pods.create(pod('much', much)), 403, 'Forbidden');
  await own.delete('limits', { gracePeriodSeconds: 30 });
  await gone(own, 'limits');
  await pods.create(pod('much', much));
});

it('[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection [Conformance]', async () => {
  const [own, other] = [await plane.inNewNamespace(limitRanges), await plane.inNewNamespace(limitRanges)];
  const limit = { type: 'Container', min: resources('50m', '100Mi', '100Gi'), max: resources('500m', '500Mi', '500Gi') };
  const range = { metadata: { name: 'limits', labels: { test: 'both' } }, spec: { limits: [limit] } };
  const created = await own.create(range);
  await other.create(range);
  const ofBoth = async (): Promise<string[]> =>
    (await plane.api.resource(limitRanges).list({ labelSelector: 'test=both' })).items.map(
      (item: Json) => item.metadata.namespace,
    );
  assert.deepEqual(await ofBoth(), [own.namespace, other.namespace]);
  const min = resources('9m', '49Mi', '49Gi');
  const patch = { metadata: { labels: { patched: 'true' } }, spec: { limits: [{ ...created.spec.limits[0], min }] } };
  const patched = await own.patch('limits', patch, { type: 'strategic' });
  assertNewer(patched, created);
  assert.deepEqual([patched.metadata.labels.patched, patched.spec.limits[0].min], ['true', min]);
  await own.deleteCollection({ labelSelector: 'patched=true' });
  assert.deepEqual(await ofBoth(), [other.namespace]);
});

it('[sig-apps] ReplicationController should surface a failure condition on a common issue like exceeded quota [Conformance]', async () => {
  const own = await plane.inNewNamespace('v1/replicationcontrollers');
  const quota = plane.api.resource(quotas, own.namespace);
  await quota.create({ metadata: { name: 'quota' }, spec: { hard: { pods: '2' } } });
  await used(quota, 'quota', { pods: '0' });
  await own.create({ metadata: { name: 'rc' }, spec: { replicas: 3, selector: { app: 'web' }, template } });
  const failure = async (generation: number): Promise<Json> => {
    const { status } = await own.get('rc');
    assert.ok(status.observedGeneration >= generation);
    return status.conditions?.find((each: Json) => each.type === 'ReplicaFailure');
  };
  const condition = await eventually('the failure is told', () => failure(1));
  assert.deepEqual([condition.status, condition.reason], ['True', 'FailedCreate']);
  assert.match(condition.message, /exceeded quota: quota/);
  const { metadata } = await own.patch('rc', { spec: { replicas: 2 } });
  await eventually('the failure is over', async () => (await failure(metadata.generation)) === undefined);
});

it('[sig-apps] DisruptionController Listing PodDisruptionBudgets for all namespaces should list and delete a collection of PodDisruptionBudgets [Conformance]', async () => {
  const budgets = 'policy/v1/poddisruptionbudgets';
  const [own, other] = [await plane.inNewNamespace(budgets), await plane.inNewNamespace(budgets)];
  const budget = (name: string, minAvailable: number | string): Json => ({
    metadata: { name, labels: { test: 'budgets' } },
    spec: { minAvailable, selector: { matchLabels: { app: 'web' } } },
  });
  await own.create(budget('one', 2));
  await own.create(budget('two', '1%'));
  await other.create(budget('three', 2));
  const ours = { labelSelector: 'test=budgets' };
  assert.deepEqual(namesIn(await plane.api.resource(budgets).list(ours)), ['one', 'two', 'three']);
  assert.deepEqual(namesIn(await own.list(ours)), ['one', 'two']);
  await own.deleteCollection(ours);
  assert.deepEqual(namesIn(await plane.api.resource(budgets).list(ours)), ['three']);
});
