import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startGuardedApi } from '../../support/guarded-api.ts';

const core = '/api/v1/namespaces/shop';
const container = { name: 'c', image: 'i' };
const template = { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [container] } };

/** What a kube-apiserver 1.36.2 keeps and refuses of objects that are written once. */
describe('what is kept of new objects', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    ({ server, stop } = await startGuardedApi());
    send = caller(server);
    await send('POST /api/v1/namespaces', { metadata: { name: 'shop' } });
    await send(`POST ${core}/serviceaccounts`, { metadata: { name: 'default' } });
    const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
    await send(`POST ${core}/serviceaccounts`, { metadata: { name: 'strict', annotations } });
  });
  after(() => stop());

  it('a Job without labels has those of its pods', async () => {
    const jobs = '/apis/batch/v1/namespaces/shop/jobs';
    const { json } = await send(`POST ${jobs}`, { metadata: { name: 'j' }, spec: { template } });
    assert.deepEqual(json.metadata.labels, json.spec.template.metadata.labels);
    assert.equal(json.metadata.labels['batch.kubernetes.io/job-name'], 'j');
    const own = await send(`POST ${jobs}`, { metadata: { name: 'k', labels: { a: 'b' } }, spec: { template } });
    assert.deepEqual(own.json.metadata.labels, { a: 'b' });
  });

  it('a pod ends after a second at least; a template says what it says', async () => {
    const spec = { containers: [container], terminationGracePeriodSeconds: -5 };
    const pod = await send(`POST ${core}/pods`, { metadata: { name: 'hasty' }, spec });
    assert.equal(pod.json.spec.terminationGracePeriodSeconds, 1);
    assert.equal(pod.headers['warning'], undefined);
    const kept = await send(`POST ${core}/podtemplates`, { metadata: { name: 'hasty' }, template: { spec } });
    assert.equal(kept.json.template.spec.terminationGracePeriodSeconds, -5);
  });

  it('init containers are not restarted by a resize, sidecars may be', async () => {
    const resizePolicy = [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }];
    const pod = (more: object) => ({
      metadata: { name: 'resized' },
      spec: { containers: [container], initContainers: [{ ...container, name: 'i', resizePolicy, ...more }] },
    });
    const { json, status } = await send(`POST ${core}/pods?dryRun=All`, pod({}));
    assert.equal(status, 422);
    const field = 'spec.initContainers[0].resizePolicy[0].restartPolicy';
    const why = 'Invalid value: "RestartContainer": must not be set to \'RestartContainer\' for non-sidecar initContainers';
    assert.equal(json.message, `Pod "resized" is invalid: ${field}: ${why}`);
    assert.equal((await send(`POST ${core}/pods?dryRun=All`, pod({ restartPolicy: 'Always' }))).status, 201);
  });

  it('a limit range has no empty defaults', async () => {
    const limits = [{ type: 'Container', maxLimitRequestRatio: { cpu: '2' } }];
    const { json } = await send(`POST ${core}/limitranges?dryRun=All`, { metadata: { name: 'ratio' }, spec: { limits } });
    assert.deepEqual(json.spec.limits, limits);
  });

  it('metrics are kept exactly, amounts of resources in thousandths', async () => {
    const averageValue = '1u';
    const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue } } }];
    const scaleTargetRef = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' };
    const hpas = '/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers';
    const hpa = await send(`POST ${hpas}`, { metadata: { name: 'h' }, spec: { maxReplicas: 2, scaleTargetRef, metrics } });
    assert.equal(hpa.json.spec.metrics[0].resource.target.averageValue, '1u');
    const pod = { containers: [{ ...container, resources: { requests: { cpu: '1u' } } }] };
    const { json } = await send(`POST ${core}/pods`, { metadata: { name: 'small' }, spec: pod });
    assert.equal(json.spec.containers[0].resources.requests.cpu, '1m');
  });

  it('the annotation of a DaemonSet is its creator’s', async () => {
    const spec = { selector: { matchLabels: { a: 'b' } }, template: { ...template, spec: { containers: [container] } } };
    const { json } = await send('POST /apis/apps/v1/namespaces/shop/daemonsets', { metadata: { name: 'd' }, spec });
    const owned = json.metadata.managedFields[0].fieldsV1['f:metadata'];
    assert.deepEqual(owned, { 'f:annotations': { '.': {}, 'f:deprecated.daemonset.template.generation': {} } });
    assert.equal(json.metadata.annotations['deprecated.daemonset.template.generation'], '1');
  });

  it('a volume that is attached as described has a driver and nothing of the cluster', async () => {
    const inlineVolumeSpec = {
      hostPath: { path: '/x' },
      capacity: { storage: '1Gi' },
      storageClassName: 's',
      volumeMode: 'Block',
    };
    const spec = { attacher: 'a', nodeName: 'n', source: { inlineVolumeSpec } };
    const { json } = await send('POST /apis/storage.k8s.io/v1/volumeattachments', { metadata: { name: 'v' }, spec });
    assert.deepEqual(
      json.details.causes.map((cause: { field: string }) => cause.field.replace('spec.source.inlineVolumeSpec.', '')),
      ['capacity', 'csi', 'accessModes', 'storageClassName', 'volumeMode'],
    );
  });

  it('the annotation of an ingress that contradicts its class is named as upstream does', async () => {
    const metadata = { name: 'i', annotations: { 'kubernetes.io/ingress.class': 'old' } };
    const defaultBackend = { service: { name: 's', port: { number: 1 } } };
    const body = { metadata, spec: { ingressClassName: 'new', defaultBackend } };
    const { json } = await send('POST /apis/networking.k8s.io/v1/namespaces/shop/ingresses', body);
    assert.equal(json.details.causes[0].field, 'annotations.kubernetes.io/ingress.class');
  });

  it('what admission changes has no generated name yet; what is wrong with it has', async () => {
    const pod = (spec: object) => ({ metadata: { generateName: 'web-' }, spec: { containers: [container], ...spec } });
    const refused = await send(`POST ${core}/pods`, pod({ serviceAccountName: 'nope' }));
    assert.match(refused.json.message, /^pods "web-" is forbidden: error looking up service account/);
    const invalid = await send(`POST ${core}/pods`, pod({ containers: [] }));
    assert.match(invalid.json.message, /^Pod "web-[a-z0-9]{5}" is invalid/);
    const made = await send(`POST ${core}/pods`, pod({}));
    assert.match(made.json.metadata.name, /^web-[a-z0-9]{5}$/);
  });

  it('secrets an account does not allow are refused before the pod is validated', async () => {
    const spec = { serviceAccountName: 'strict', containers: [], imagePullSecrets: [{ name: 'own' }] };
    const { status, json } = await send(`POST ${core}/pods`, { metadata: { name: 'p' }, spec });
    assert.equal(status, 403);
    assert.match(json.message, /imagePullSecrets\[0\]\.name="own" is not allowed/);
  });

  it('a series of events of none is said in events.k8s.io', async () => {
    const event = {
      metadata: { name: 'e' },
      involvedObject: { namespace: 'shop' },
      series: { lastObservedTime: '2026-11-21T00:00:00.000000Z' },
    };
    await send(`POST ${core}/events`, event);
    const { json } = await send('GET /apis/events.k8s.io/v1/namespaces/shop/events/e');
    assert.equal(json.series.count, 0);
  });
});
