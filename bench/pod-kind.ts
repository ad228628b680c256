/** What the rules of a kind cost on the write path: µs per pod for defaults, metadata, validation, an update, and a row of a table. */
import { Pod } from '../src/api/kinds/core/pod.ts';
import { tableRow } from '../src/api/table/table.ts';
import { validateObjectMeta } from '../src/api/validation/object-meta.ts';

const count = 20_000;

function pod(): Pod {
  const token = { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } };
  return {
    kind: 'Pod',
    apiVersion: 'v1',
    metadata: {
      name: 'web-6d4cf56db6-abcde',
      namespace: 'default',
      uid: 'u',
      resourceVersion: '',
      creationTimestamp: '2026-11-21T00:00:00Z',
      labels: { app: 'web', 'pod-template-hash': '6d4cf56db6' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u', controller: true }],
    },
    spec: {
      serviceAccountName: 'default',
      volumes: [{ name: 'token', projected: { sources: [token] } }, { name: 'data' }],
      containers: [
        {
          name: 'web',
          image: 'nginx:1',
          env: [
            { name: 'A', value: 'b' },
            { name: 'B', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
          ],
          ports: [{ containerPort: 80, name: 'http' }],
          resources: { limits: { cpu: '500m', memory: '128Mi' }, requests: { cpu: '100m' } },
          volumeMounts: [
            { name: 'token', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
            { name: 'data', mountPath: '/data' },
          ],
          livenessProbe: { httpGet: { path: '/', port: 'http' } },
        },
      ],
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
    },
    status: {},
  };
}

function measure(name: string, pods: readonly Pod[], run: (pod: Pod) => unknown): void {
  const startedAt = performance.now();
  for (const object of pods) run(object);
  console.log(`${name}: ${(((performance.now() - startedAt) * 1000) / pods.length).toFixed(1)} µs`);
}

for (const round of ['cold', 'warm']) {
  const pods = Array.from({ length: count }, pod);
  const [first] = pods;
  measure(`${round}: defaults`, pods, (p) => Pod.applyDefaults(p));
  measure(`${round}: metadata`, pods, (p) => validateObjectMeta(Pod, p.metadata));
  measure(`${round}: validate`, pods, (p) => Pod.validate(p));
  measure(`${round}: update`, pods, (p) => Pod.validateUpdate(p, first!));
  measure(`${round}: row`, pods, (p) => tableRow(Pod, p, 0));
}
