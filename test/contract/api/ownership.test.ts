import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const apply = { 'content-type': 'application/apply-patch+yaml' };
const jsonPatch = { 'content-type': 'application/json-patch+json' };
const inDefault = (plural: string, group = 'api/v1') => `/${group}/namespaces/default/${plural}`;
const pods = inDefault('pods');
const deployments = inDefault('deployments', 'apis/apps/v1');

interface Entry {
  manager: string;
  operation: string;
  apiVersion: string;
  subresource?: string;
  time?: string;
  fieldsV1: Record<string, Record<string, object>>;
}

/** `manager/subresource` → what it owns. */
const owners = (json: { metadata: { managedFields?: Entry[] } }) =>
  Object.fromEntries(
    (json.metadata.managedFields ?? []).map((e) => [[e.manager, e.subresource].filter(Boolean).join('/'), e.fieldsV1]),
  );

const container = { name: 'c', image: 'i' };
const pod = (name: string, spec: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [container], ...spec },
});
const deployment = (name: string, spec: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    selector: { matchLabels: { a: name } },
    template: { metadata: { labels: { a: name } }, spec: { containers: [container] } },
    ...spec,
  },
});

describe('field ownership', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    ({ server, stop } = await startTestApi({
      admission: () => [
        {
          name: 'AddsToleration',
          admit({ object, kind }) {
            if (kind.kind === 'Pod' && object) (object['spec'] as { priority?: number }).priority = 7;
          },
        },
      ],
    }));
    send = caller(server);
  });
  after(() => stop());

  it('leaves what admission and the server add to nobody', async () => {
    for (const made of [
      await send(`POST ${pods}?fieldManager=m`, pod('posted')),
      await send(`PATCH ${pods}/applied?fieldManager=m`, pod('applied'), apply),
    ]) {
      assert.equal(made.status, 201);
      assert.equal(made.json.spec.priority, 7);
      assert.equal(made.json.metadata.generation, 1);
      const mine = owners(made.json)['m']!;
      assert.deepEqual(Object.keys(mine), ['f:spec']);
      assert.ok('f:containers' in mine['f:spec']!);
      assert.ok(!('f:priority' in mine['f:spec']!));
    }
    const service = await send(`POST ${inDefault('services')}?fieldManager=m`, {
      metadata: { name: 's' },
      spec: { ports: [{ port: 80 }] },
    });
    const { 'f:spec': spec } = owners(service.json)['m']!;
    assert.ok(service.json.spec.clusterIP);
    assert.ok(!('f:clusterIP' in spec!) && 'f:sessionAffinity' in spec!, 'defaults are owned, allocations are not');
  });

  it('owns what conversion fills in: where a DaemonSet keeps its generation, the default target of an autoscaler of v1', async () => {
    const { spec } = deployment('a');
    const set = await send(`POST ${inDefault('daemonsets', 'apis/apps/v1')}?fieldManager=m`, { metadata: { name: 'a' }, spec });
    const generation = 'deprecated.daemonset.template.generation';
    assert.equal(set.json.metadata.annotations[generation], '1');
    assert.deepEqual(owners(set.json)['m']!['f:metadata'], { 'f:annotations': { '.': {}, [`f:${generation}`]: {} } });
    const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' };
    const scaler = await send(`POST ${inDefault('horizontalpodautoscalers', 'apis/autoscaling/v1')}?fieldManager=m`, {
      metadata: { name: 'a' },
      spec: { maxReplicas: 3, scaleTargetRef },
    });
    assert.equal(scaler.json.spec.targetCPUUtilizationPercentage, 80);
    assert.ok('f:targetCPUUtilizationPercentage' in owners(scaler.json)['m']!['f:spec']!);
  });

  it('owns through a sub-resource only what this changes', async () => {
    await send(`POST ${deployments}?fieldManager=m`, deployment('parts'));
    const status = { metadata: { labels: { l: '1' }, annotations: { a: '1' } }, spec: { paused: true }, status: { replicas: 3 } };
    const { json } = await send(`PATCH ${deployments}/parts/status?fieldManager=s`, status, mergePatch);
    assert.deepEqual(owners(json)['s/status'], {
      'f:metadata': { 'f:annotations': { '.': {}, 'f:a': {} } },
      'f:status': { 'f:replicas': {} },
    });
    const applied = { ...deployment('parts', { paused: true }), status: { observedGeneration: 1 } };
    const again = await send(`PATCH ${deployments}/parts/status?fieldManager=a`, applied, apply);
    assert.equal(again.status, 200);
    assert.equal(again.json.spec.paused, undefined);
    assert.deepEqual(owners(again.json)['a/status'], { 'f:status': { 'f:observedGeneration': {} } });
    await send(`POST ${pods}?fieldManager=m`, pod('debugged'));
    const debug = { spec: { ephemeralContainers: [{ name: 'd', image: 'i' }] }, metadata: { labels: { not: 'here' } } };
    const path = `${pods}/debugged/ephemeralcontainers?fieldManager=d`;
    const debugged = await send(`PATCH ${path}`, debug, { 'content-type': 'application/strategic-merge-patch+json' });
    assert.deepEqual(Object.keys(owners(debugged.json)['d/ephemeralcontainers']!), ['f:spec']);
  });

  it('leaves the metadata alone where /status does', async () => {
    const schemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
    await send(`POST ${schemas}`, { metadata: { name: 'f' }, spec: { priorityLevelConfiguration: { name: 'p' } } });
    const condition = { type: 'Seen', status: 'True' };
    const patch = { metadata: { labels: { l: '1' } }, status: { conditions: [condition] } };
    const { json } = await send(`PATCH ${schemas}/f/status?fieldManager=s`, patch, mergePatch);
    assert.equal(json.metadata.labels, undefined);
    assert.deepEqual(Object.keys(owners(json)['s/status']!), ['f:status']);
  });

  it('shows who scales, and lets go of what is scaled', async () => {
    await send(`PATCH ${deployments}/scaled?fieldManager=owner`, deployment('scaled', { replicas: 2 }), apply);
    const scale = (replicas: number) => ({
      apiVersion: 'autoscaling/v1',
      kind: 'Scale',
      metadata: { name: 'scaled' },
      spec: { replicas },
    });
    const conflict = await send(`PATCH ${deployments}/scaled/scale?fieldManager=hpa`, scale(5), apply);
    assert.equal(conflict.status, 409);
    assert.equal(conflict.json.message, 'Apply failed with 1 conflict: conflict with "owner": .spec.replicas');
    assert.equal((await send(`PATCH ${deployments}/scaled/scale?fieldManager=hpa&force=true`, scale(5), apply)).status, 200);
    const { json } = await send(`GET ${deployments}/scaled`);
    assert.equal(json.spec.replicas, 5);
    assert.deepEqual(owners(json)['hpa/scale'], { 'f:spec': { 'f:replicas': {} } });
    assert.ok(!('f:replicas' in owners(json)['owner']!['f:spec']!));
    const put = await send(`PUT ${deployments}/scaled/scale?fieldManager=put`, scale(1));
    assert.deepEqual([put.status, put.json.spec.replicas, put.json.metadata.managedFields], [200, 1, undefined]);
    const after = (await send(`GET ${deployments}/scaled`)).json.metadata.managedFields as Entry[];
    const entry = after.find((e) => e.manager === 'put')!;
    assert.deepEqual([entry.operation, entry.apiVersion, entry.subresource], ['Update', 'apps/v1', 'scale']);
    assert.ok(!after.some((e) => e.manager === 'hpa'));
    const table = await send(`GET ${deployments}/scaled/scale`, undefined, {
      accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    });
    assert.deepEqual(table.json.rows[0].cells.slice(0, 3), ['scaled', 1, 0]);
  });

  it('compares in the version each manager wrote', async () => {
    const autoscalers = (version: string) => inDefault('horizontalpodautoscalers', `apis/autoscaling/${version}`);
    const scaleTargetRef = { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' };
    const hpa = (version: string, spec: object) => ({
      apiVersion: `autoscaling/${version}`,
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'h' },
      spec: { scaleTargetRef, maxReplicas: 3, ...spec },
    });
    const cpu = (averageUtilization: number) => ({
      metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } } }],
    });
    await send(
      `PATCH ${autoscalers('v1')}/h?fieldManager=old`,
      hpa('v1', { targetCPUUtilizationPercentage: 50, minReplicas: 2 }),
      apply,
    );
    const refused = await send(`PATCH ${autoscalers('v2')}/h?fieldManager=new`, hpa('v2', cpu(70)), apply);
    assert.equal(refused.status, 409);
    assert.equal(refused.json.message, 'Apply failed with 1 conflict: conflict with "old": .spec.targetCPUUtilizationPercentage');
    const forced = await send(`PATCH ${autoscalers('v2')}/h?fieldManager=new&force=true`, hpa('v2', cpu(70)), apply);
    assert.ok(!('f:targetCPUUtilizationPercentage' in owners(forced.json)['old']!['f:spec']!));
    const dropped = await send(`PATCH ${autoscalers('v2')}/h?fieldManager=old`, hpa('v2', {}), apply);
    assert.equal(dropped.status, 200);
    assert.equal(dropped.json.spec.minReplicas, 1, 'what only v1 had applied is gone, and defaulted');
    assert.equal(dropped.json.spec.metrics[0].resource.target.averageUtilization, 70);
  });

  it('applies what has no metadata: the address says which object is meant', async () => {
    await send(`POST ${deployments}?fieldManager=m`, deployment('unnamed'));
    for (const metadata of [undefined, null, {}]) {
      const body = { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { paused: true } };
      const { status, json } = await send(`PATCH ${deployments}/unnamed?fieldManager=a`, body, apply);
      assert.deepEqual([status, json.metadata.name, json.spec.paused], [200, 'unnamed', true]);
      assert.deepEqual(owners(json)['a'], { 'f:spec': { 'f:paused': {} } });
    }
  });

  it('says what is wrong with an apply as upstream does', async () => {
    const refused = async (body: unknown, query = '') => {
      const { status, json } = await send(`PATCH ${pods}/w?fieldManager=m${query}`, body, apply);
      return [status, json.message, json.reason];
    };
    const wrong = (what: string) => [500, `failed to create typed patch object (/w; /v1, Kind=Pod): ${what}`, undefined];
    assert.deepEqual(await refused(pod('w', { bogus: 1 })), wrong('.spec.bogus: field not declared in schema'));
    assert.deepEqual(
      await refused(pod('w', { bogus: 1 }), '&fieldValidation=Ignore'),
      wrong('.spec.bogus: field not declared in schema'),
    );
    assert.deepEqual(
      await refused(pod('w', { hostNetwork: 'yes', terminationGracePeriodSeconds: 'a' })),
      wrong(
        'errors:\n  .spec.hostNetwork: expected boolean, got &{yes}\n  .spec.terminationGracePeriodSeconds: expected numeric (int or float), got string',
      ),
    );
    assert.deepEqual(
      await refused(pod('w', { containers: [{ name: 'c', env: [{ name: 'A', value: 5 }] }] })),
      wrong('.spec.containers[name="c"].env[name="A"].value: expected string, got &value.valueUnstructured{Value:5}'),
    );
    assert.deepEqual(
      await refused(pod('w', { containers: [container, container] })),
      wrong('.spec.containers: duplicate entries for key [name="c"]'),
    );
    assert.deepEqual(await refused({ ...pod('w'), apiVersion: 'v2' }), [400, 'invalid object type: /v2, Kind=Pod', 'BadRequest']);
    const [code, message] = await refused('a: [');
    assert.equal(code, 400);
    assert.match(message, /^error decoding YAML: error converting YAML to JSON: yaml: line 1: /);
  });

  it('refuses or reports what an apply says twice', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: twice\ndata:\n  a: "1"\n  a: "2"\n';
    const path = `PATCH ${inDefault('configmaps')}/twice?fieldManager=m`;
    const strict = await send(`${path}&fieldValidation=Strict`, text, apply);
    const problem = 'error converting YAML to JSON: yaml: unmarshal errors:\n  line 7: key "a" already set in map';
    assert.deepEqual([strict.status, strict.json.message], [400, `error strict decoding YAML: ${problem}`]);
    const warned = await send(path, text, apply);
    assert.equal(warned.status, 201);
    assert.deepEqual(warned.headers['warning'], ['299 - "line 7: key \\"a\\" already set in map"']);
  });

  it('names a client as it writes its own name', async () => {
    const bytes = Buffer.from('Müller/1.0').toString('latin1');
    const { json } = await send(
      'POST /api/v1/namespaces/default/configmaps',
      { metadata: { name: 'named' }, data: { a: '1' } },
      { 'user-agent': bytes },
    );
    assert.equal(json.metadata.managedFields[0].manager, 'Müller');
  });

  it('orders ports as numbers', async () => {
    const ports = [8443, 443, 80].map((containerPort) => ({ containerPort }));
    const made = await send(`POST ${pods}?fieldManager=m`, pod('ports', { containers: [{ ...container, ports }] }));
    const fields = JSON.stringify(owners(made.json)['m']);
    const found = [...fields.matchAll(/containerPort\\":(\d+)/g)].map((m) => Number(m[1]));
    assert.deepEqual(found, [80, 443, 8443]);
  });

  it('is cleared by an empty list or an empty entry', async () => {
    const maps = inDefault('configmaps');
    await send(`POST ${maps}?fieldManager=m`, { metadata: { name: 'cleared' }, data: { a: '1' } });
    const read = async () => owners((await send(`GET ${maps}/cleared`)).json);
    assert.ok('m' in (await read()));
    await send(`PATCH ${maps}/cleared`, { metadata: { managedFields: [] } }, mergePatch);
    assert.deepEqual(await read(), {});
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'cleared' }, data: { a: '1' } };
    const applied = await send(`PATCH ${maps}/cleared?fieldManager=m`, { ...body, data: { b: '1' } }, apply);
    assert.deepEqual(Object.keys(owners(applied.json)), ['m', 'before-first-apply']);
    await send(`PUT ${maps}/cleared`, { ...body, metadata: { name: 'cleared', managedFields: [{}] } });
    assert.deepEqual(await read(), {});
  });

  it('survives field sets that are not well-formed', async () => {
    const maps = inDefault('configmaps');
    const entry = { manager: 'x', operation: 'Update', apiVersion: 'v1', fieldsType: 'FieldsV1' };
    const managedFields = [{ ...entry, fieldsV1: { 'k:{broken': {}, 'f:data': { 'f:a': {} } } }];
    await send(`POST ${maps}?fieldManager=x`, { metadata: { name: 'broken' }, data: { a: '1' } });
    const replaced = [{ op: 'replace', path: '/metadata/managedFields', value: managedFields }];
    const broken = await send(`PATCH ${maps}/broken`, replaced, jsonPatch);
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'broken' }, data: { a: '2' } };
    assert.equal((await send(`PATCH ${maps}/broken?fieldManager=m`, body, apply)).status, 409);
    const nonsense = [{ op: 'replace', path: '/metadata/managedFields', value: [{ ...entry, operation: 'Wrong' }] }];
    const kept = await send(`PATCH ${maps}/broken`, nonsense, jsonPatch);
    assert.deepEqual(owners(kept.json), owners(broken.json));
  });
});
