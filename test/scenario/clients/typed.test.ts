/** The common calls of @kubernetes/client-node: typed clients, and its client for any YAML. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import {
  ApiException,
  AppsV1Api,
  AuthorizationV1Api,
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  type KubernetesObject,
  KubernetesObjectApi,
  loadAllYaml,
  PatchStrategy,
  setHeaderOptions,
  VersionApi,
  Watch,
} from '@kubernetes/client-node';
import { stringify } from 'yaml';
import { groupResource, type Kind } from '../../../src/api/kind.ts';
import { builtinKinds } from '../../../src/api/kinds/index.ts';
import { controlPlane } from '../../conformance/support/control-plane.ts';
import { eventually } from '../../support/eventually.ts';
import { sampleOf } from '../../support/sample-objects.ts';

const plane = controlPlane();
const namespace = 'default';
const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } };
const selector = { matchLabels: { app: 'x' } };

/** Rejects with the status of an answer. */
async function refused(call: Promise<unknown>, code: number, reason: string): Promise<void> {
  await assert.rejects(call, (error) => {
    assert.ok(error instanceof ApiException, String(error));
    const body = typeof error.body === 'string' ? JSON.parse(error.body) : error.body;
    assert.deepEqual([error.code, body.reason], [code, reason]);
    return true;
  });
}

describe('typed clients', () => {
  const config = new KubeConfig();
  let core: CoreV1Api;
  let apps: AppsV1Api;

  before(() => {
    config.loadFromFile(plane.kubeconfig);
    core = config.makeApiClient(CoreV1Api);
    apps = config.makeApiClient(AppsV1Api);
  });

  it('create, read, replace, delete', async () => {
    const name = 'typed';
    const created = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name }, data: { a: '1' } } });
    assert.ok(created.metadata?.creationTimestamp instanceof Date);
    assert.deepEqual(await core.readNamespacedConfigMap({ name, namespace }), created);
    await refused(core.createNamespacedConfigMap({ namespace, body: { metadata: { name } } }), 409, 'AlreadyExists');
    const replaced = await core.replaceNamespacedConfigMap({ name, namespace, body: { ...created, data: { a: '2' } } });
    assert.deepEqual(replaced.data, { a: '2' });
    await refused(core.replaceNamespacedConfigMap({ name, namespace, body: created }), 409, 'Conflict');
    const deleted = await core.deleteNamespacedConfigMap({
      name,
      namespace,
      body: { preconditions: { uid: created.metadata!.uid! } },
    });
    assert.equal(deleted.status, 'Success');
    await refused(core.readNamespacedConfigMap({ name, namespace }), 404, 'NotFound');
    await refused(core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'Not Valid' } } }), 422, 'Invalid');
    const tried = await core.createNamespacedConfigMap({ namespace, dryRun: 'All', body: { metadata: { generateName: 'g-' } } });
    assert.match(tried.metadata!.name!, /^g-.{5}$/);
  });

  it('patch in every way', async () => {
    const name = 'patched';
    await apps.createNamespacedDeployment({ namespace, body: { metadata: { name }, spec: { replicas: 0, selector, template } } });
    const patch = (type: PatchStrategy, body: unknown, more = {}) =>
      apps.patchNamespacedDeployment({ name, namespace, body, ...more }, setHeaderOptions('Content-Type', type));
    const json = await patch(PatchStrategy.JsonPatch, [{ op: 'add', path: '/metadata/labels', value: { by: 'json' } }]);
    assert.deepEqual(json.metadata?.labels, { by: 'json' });
    const merge = await patch(PatchStrategy.MergePatch, { metadata: { labels: { by: null, and: 'merge' } } });
    assert.deepEqual(merge.metadata?.labels, { and: 'merge' });
    const side = { spec: { template: { spec: { containers: [{ name: 'side', image: 's' }] } } } };
    const strategic = await patch(PatchStrategy.StrategicMergePatch, side);
    assert.deepEqual(
      strategic.spec?.template.spec?.containers.map((container) => container.name),
      ['side', 'c'],
    );
    const applied = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { minReadySeconds: 3 } };
    const apply = await patch(PatchStrategy.ServerSideApply, applied, { fieldManager: 'typed' });
    assert.equal(apply.spec?.minReadySeconds, 3);
    const other = { ...applied, spec: { minReadySeconds: 4 } };
    await refused(patch(PatchStrategy.ServerSideApply, other, { fieldManager: 'other' }), 409, 'Conflict');
    assert.equal(
      (await patch(PatchStrategy.ServerSideApply, other, { fieldManager: 'other', force: true })).spec?.minReadySeconds,
      4,
    );
  });

  it('scale and status', async () => {
    const name = 'scaled';
    await apps.createNamespacedDeployment({ namespace, body: { metadata: { name }, spec: { replicas: 0, selector, template } } });
    // The controller writes as well: then a scale is that of an old version.
    await eventually('it is scaled', async () => {
      const scale = await apps.readNamespacedDeploymentScale({ name, namespace });
      assert.deepEqual([scale.spec?.replicas ?? 0, scale.status?.selector], [0, 'app=x']);
      return apps.replaceNamespacedDeploymentScale({ name, namespace, body: { ...scale, spec: { replicas: 1 } } });
    });
    assert.equal((await apps.readNamespacedDeployment({ name, namespace })).spec?.replicas, 1);
    const pods = await eventually('a pod', async () => {
      const { items } = await core.listNamespacedPod({ namespace, labelSelector: 'app=x' });
      assert.equal(items.length, 1);
      return items;
    });
    const podName = pods[0]!.metadata!.name!;
    const status = { status: { conditions: [{ type: 'example.com/Gate', status: 'True' }] } };
    const headers = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    await core.patchNamespacedPodStatus({ name: podName, namespace, body: status }, headers);
    const pod = await core.readNamespacedPod({ name: podName, namespace });
    assert.ok(pod.status?.conditions?.some((condition) => condition.type === 'example.com/Gate'));
    await apps.deleteNamespacedDeployment({ name, namespace, propagationPolicy: 'Foreground' });
    await eventually(
      'the pod is gone',
      async () => (await core.listNamespacedPod({ namespace, labelSelector: 'app=x' })).items.length === 0,
    );
  });

  it('list in pages, by selectors, and delete what was selected', async () => {
    const group = 'paged';
    for (let n = 0; n < 5; n++) {
      const labels = { group, parity: n % 2 ? 'odd' : 'even' };
      await core.createNamespacedSecret({
        namespace,
        body: { metadata: { name: `${group}-${n}`, labels }, stringData: { n: String(n) } },
      });
    }
    const found: string[] = [];
    let next: string | undefined;
    do {
      const page = await core.listNamespacedSecret({
        namespace,
        labelSelector: `group=${group}`,
        limit: 2,
        ...(next ? { _continue: next } : {}),
      });
      assert.ok(page.items.length <= 2);
      found.push(...page.items.map((item) => Buffer.from(item.data!['n']!, 'base64').toString()));
      next = page.metadata?._continue;
    } while (next);
    assert.deepEqual(found, ['0', '1', '2', '3', '4']);
    const one = await core.listSecretForAllNamespaces({ fieldSelector: 'metadata.name=paged-3,type=Opaque' });
    assert.deepEqual(
      one.items.map((item) => item.metadata?.name),
      ['paged-3'],
    );
    await core.deleteCollectionNamespacedSecret({ namespace, labelSelector: `group=${group},parity in (even)` });
    const left = await core.listNamespacedSecret({ namespace, labelSelector: `group=${group}` });
    assert.deepEqual(
      left.items.map((item) => item.metadata?.name),
      ['paged-1', 'paged-3'],
    );
  });

  it('watch', async () => {
    const { metadata } = await core.listNamespacedConfigMap({ namespace });
    const seen: string[] = [];
    const query = { resourceVersion: metadata!.resourceVersion, labelSelector: 'watched' };
    const watch = await new Watch(config).watch(
      `/api/v1/namespaces/${namespace}/configmaps`,
      query,
      (type, object) => seen.push(`${type} ${object.metadata.name}`),
      () => {},
    );
    const body = { metadata: { name: 'watched', labels: { watched: '' } } };
    await core.createNamespacedConfigMap({ namespace, body });
    await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'unwatched' } } });
    const headers = setHeaderOptions('Content-Type', PatchStrategy.MergePatch);
    await core.patchNamespacedConfigMap({ name: 'watched', namespace, body: { data: { a: '1' } } }, headers);
    await core.deleteNamespacedConfigMap({ name: 'watched', namespace });
    await eventually('three events', () => seen.length === 3);
    assert.deepEqual(seen, ['ADDED watched', 'MODIFIED watched', 'DELETED watched']);
    watch.abort();
  });

  it('ask what they may do, and who the server is', async () => {
    const review = { spec: { resourceAttributes: { verb: 'delete', resource: 'nodes' } } };
    const { status } = await config.makeApiClient(AuthorizationV1Api).createSelfSubjectAccessReview({ body: review });
    assert.equal(status?.allowed, true);
    assert.equal((await config.makeApiClient(VersionApi).getCode()).minor, '36');
    const token = await core.createNamespacedServiceAccountToken({
      name: 'default',
      namespace,
      body: { spec: { audiences: [] } },
    });
    assert.equal(token.status?.token?.split('.').length, 3);
    const job = {
      metadata: { generateName: 'job-' },
      spec: { suspend: true, template: { spec: { ...template.spec, restartPolicy: 'Never' } } },
    };
    const made = await config.makeApiClient(BatchV1Api).createNamespacedJob({ namespace, body: job });
    assert.match(made.metadata!.name!, /^job-/);
  });
});

describe('a client for any object', () => {
  const writable = (kind: Kind): boolean => kind.verbs.includes('update') && kind.verbs.includes('create');

  for (const kind of builtinKinds.filter(writable)) {
    it(`creates, reads, patches, lists and deletes ${groupResource(kind)}/${kind.version} from YAML`, async () => {
      const config = new KubeConfig();
      config.loadFromFile(plane.kubeconfig);
      const client = KubernetesObjectApi.makeApiClient(config);
      const sample = sampleOf(kind, `any${kind.group.split('.')[0]}-${kind.version}`);
      const [object] = loadAllYaml(stringify(sample)) as KubernetesObject[];
      const created = await client.create(object!);
      const { apiVersion, kind: kindName } = sample;
      const header = {
        apiVersion,
        kind: kindName,
        metadata: {
          name: created.metadata!.name!,
          ...(created.metadata?.namespace ? { namespace: created.metadata.namespace } : {}),
        },
      };
      const read = await client.read(header);
      assert.equal(read.metadata?.uid, created.metadata?.uid);
      const change = { ...header, metadata: { ...header.metadata, labels: { patched: 'yes' } } };
      const patched = await client.patch(change, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch);
      assert.partialDeepStrictEqual(patched.metadata?.labels, { ...sample.metadata.labels, patched: 'yes' });
      const listed = await client.list(
        apiVersion,
        kindName,
        header.metadata.namespace,
        undefined,
        undefined,
        undefined,
        undefined,
        'patched=yes',
      );
      assert.ok(listed.items.some((item) => item.metadata?.name === header.metadata.name));
      await client.delete(header, undefined, undefined, 0, undefined, 'Background');
    });
  }
});
