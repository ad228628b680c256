/** Decoding request bodies: µs for a 2 kB ConfigMap and a 5 kB Pod, beside JSON.parse alone, and the heap the schema takes. */
import { decodeBody } from '../src/api/codec/decode-body.ts';
import { schemaNames, schemaOf } from '../src/api/schema/schema.ts';

const rounds = 20_000;

function pod(): object {
  const container = (name: string): object => ({
    name,
    image: `registry.example.com/team/${name}:1.2.3`,
    command: ['/bin/server', '--listen', ':8080'],
    env: Array.from({ length: 8 }, (_, i) => ({ name: `VARIABLE_${i}`, value: `value-${i}` })),
    ports: [{ name: 'http', containerPort: 8080, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '256Mi' } },
    volumeMounts: [{ name: 'data', mountPath: '/data' }],
    livenessProbe: { httpGet: { path: '/healthz', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
    readinessProbe: { httpGet: { path: '/readyz', port: 8080, scheme: 'HTTP' }, periodSeconds: 10 },
    securityContext: { allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: { drop: ['ALL'] } },
  });
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: { name: 'web-0', namespace: 'default', labels: { app: 'web' }, annotations: { note: 'x'.repeat(300) } },
    spec: {
      volumes: [{ name: 'data', emptyDir: {} }],
      containers: ['web', 'proxy', 'logger', 'metrics'].map(container),
      restartPolicy: 'Always',
      nodeName: 'pi',
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    },
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-01-02T03:04:05Z' }] },
  };
}

function configMap(): object {
  const data = Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`key-${i}`, 'v'.repeat(80)]));
  return { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'settings', namespace: 'default' }, data };
}

function measure(name: string, bytes: Uint8Array, run: () => unknown): void {
  for (let i = 0; i < rounds / 10; i++) run();
  const startedAt = performance.now();
  for (let i = 0; i < rounds; i++) run();
  const us = ((performance.now() - startedAt) * 1000) / rounds;
  console.log(`${name} (${bytes.length} B): ${us.toFixed(1)} µs`);
}

const heapBefore = heapAfterGc();
for (const [type, object] of [
  ['ConfigMap', configMap()],
  ['Pod', pod()],
] as const) {
  const bytes = new TextEncoder().encode(JSON.stringify(object));
  const decoder = new TextDecoder();
  const kind = { group: '', version: 'v1', kind: type, type };
  measure(`${type}: JSON.parse alone`, bytes, () => JSON.parse(decoder.decode(bytes)));
  measure(`${type}: decodeBody`, bytes, () =>
    decodeBody({ bytes, contentType: 'application/json', kind, fieldValidation: 'Warn' }),
  );
  const bad = new TextEncoder().encode(JSON.stringify({ ...object, bogus: 1 }));
  measure(`${type}: decodeBody, one unknown field`, bad, () =>
    decodeBody({ bytes: bad, contentType: 'application/json', kind, fieldValidation: 'Warn' }),
  );
}
const heapUsed = heapAfterGc();
for (const name of schemaNames()) schemaOf(name).fields!.size;
console.log(
  `heap: schema of what a Pod and a ConfigMap need ${(heapUsed - heapBefore) >> 10} kB, of all types ${(heapAfterGc() - heapBefore) >> 10} kB`,
);

function heapAfterGc(): number {
  (globalThis as { gc?: () => void }).gc?.();
  return process.memoryUsage().heapUsed;
}
