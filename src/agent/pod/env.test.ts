import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ConfigMap, Container, Secret, Service } from '../../api/generated/types.ts';
import { testPod } from '../testing.ts';
import { containerEnv } from './env.ts';
import type { ReferencedObjects } from './objects.ts';

const meta = (name: string) => ({ name, namespace: 'default', uid: '', creationTimestamp: '', resourceVersion: '' });
const settings: ConfigMap = {
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: meta('settings'),
  data: { MODE: 'fast', 'a=b': 'x' },
};
const keys: Secret = {
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: meta('keys'),
  data: { TOKEN: Buffer.from('t0p').toString('base64') },
};
const objects: ReferencedObjects = {
  configMap: async (_, name) => (name === 'settings' ? settings : undefined),
  secret: async (_, name) => (name === 'keys' ? keys : undefined),
};
const service = (name: string, namespace: string, clusterIP: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { ...meta(name), namespace },
  spec: { clusterIP, ports: [{ name: 'http', port: 80, protocol: 'TCP' }] },
  status: {},
});
const services = [
  service('kubernetes', 'default', '10.43.0.1'),
  service('my-db', 'shop', '10.43.0.7'),
  service('x', 'shop', 'None'),
];

const environment = async (container: Partial<Container>, spec = {}, namespace = 'shop'): Promise<Record<string, string>> => {
  const full = { name: 'main', ...container };
  const pod = testPod({ containers: [full], enableServiceLinks: false, ...spec }, { namespace, labels: { app: 'web' } });
  const env = await containerEnv(pod, full, { objects, services, allocatable: { cpu: '4', memory: '8Gi' } });
  return Object.fromEntries(env);
};
const own = async (container: Partial<Container>): Promise<Record<string, string>> =>
  Object.fromEntries(Object.entries(await environment(container)).filter(([name]) => !name.startsWith('KUBERNETES_')));

test('values may refer to what stands before them', async () => {
  const env = await own({
    env: [
      { name: 'A', value: '1' },
      { name: 'B', value: '<$(A)$(C)>' },
      { name: 'C', value: '3' },
    ],
  });
  assert.deepEqual(env, { A: '1', B: '<1$(C)>', C: '3' });
});

test('env wins over envFrom; names with = are left out', async () => {
  const env = await own({
    envFrom: [
      { prefix: 'P_', configMapRef: { name: 'settings' } },
      { configMapRef: { name: 'settings' } },
      { secretRef: { name: 'keys' } },
    ],
    env: [{ name: 'MODE', value: 'slow' }],
  });
  assert.deepEqual(env, { P_MODE: 'fast', MODE: 'slow', TOKEN: 't0p' });
});

test('values come from keys, fields and resources', async () => {
  const env = await own({
    resources: { limits: { memory: '64Mi' } },
    env: [
      { name: 'M', valueFrom: { configMapKeyRef: { name: 'settings', key: 'MODE' } } },
      { name: 'T', valueFrom: { secretKeyRef: { name: 'keys', key: 'TOKEN' } } },
      { name: 'L', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
      { name: 'MEM', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
      { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
      { name: 'NOT', valueFrom: { configMapKeyRef: { name: 'none', key: 'x', optional: true } } },
    ],
  });
  assert.deepEqual(env, { M: 'fast', T: 't0p', L: 'web', MEM: '64', CPU: '4' });
});

for (const [name, container, message] of [
  ['a missing ConfigMap', { envFrom: [{ configMapRef: { name: 'none' } }] }, 'configmap "none" not found'],
  ['a missing Secret', { envFrom: [{ secretRef: { name: 'none' } }] }, 'secret "none" not found'],
  [
    'a missing key',
    { env: [{ name: 'X', valueFrom: { secretKeyRef: { name: 'keys', key: 'no' } } }] },
    "couldn't find key no in Secret shop/keys",
  ],
] as const)
  test(`${name} keeps the container from being made`, async () => {
    await assert.rejects(own(container as unknown as Container), { reason: 'CreateContainerConfigError', message });
  });

test('services are told as variables: the API always, those of the namespace with links', async () => {
  const without = await environment({});
  assert.equal(without['KUBERNETES_SERVICE_HOST'], '10.43.0.1');
  assert.equal(without['MY_DB_SERVICE_HOST'], undefined);
  const linked = await environment({}, { enableServiceLinks: true });
  assert.equal(linked['MY_DB_SERVICE_HOST'], '10.43.0.7');
  assert.equal(linked['MY_DB_SERVICE_PORT_HTTP'], '80');
  assert.equal(linked['MY_DB_PORT'], 'tcp://10.43.0.7:80');
  assert.equal(linked['MY_DB_PORT_80_TCP_ADDR'], '10.43.0.7');
  assert.equal(linked['X_SERVICE_HOST'], undefined);
});
