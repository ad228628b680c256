/**
 * What a request for one object costs in the server besides sockets and disk: filters, decoding, admission, ownership, validation, encoding. µs of
 * CPU, the best and the median of several rounds. `node bench/requests.ts [ROUNDS] [OBJECTS]`
 */
import type { ApiServer } from '../src/server/api-server.ts';
import { startGuardedApi } from '../test/support/guarded-api.ts';

const rounds = Number(process.argv[2] ?? 9);
const objects = Number(process.argv[3] ?? 2000);
const configMaps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const mergePatch = 'application/merge-patch+json';
const strategicMergePatch = 'application/strategic-merge-patch+json';
const apply = 'application/apply-patch+yaml';

interface Work {
  readonly method: string;
  readonly path: (i: number) => string;
  readonly body?: (i: number, round: number) => object;
  readonly type?: string;
}

const configMap = (name: string, text: string): object => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { a: text.padEnd(512, 'x') },
});

const pod = (i: number): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `p-${i}`, labels: { app: `a-${i % 10}` } },
  spec: {
    containers: [
      {
        name: 'c',
        image: 'registry.example.com/pause:3.10',
        env: Array.from({ length: 6 }, (_, n) => ({ name: `V${n}`, value: `x${n}` })),
        resources: { requests: { cpu: '10m', memory: '16Mi' } },
        ports: [{ containerPort: 80 }],
      },
    ],
  },
});

/** In this order: each finds what those before it left. */
const works: Readonly<Record<string, Work>> = {
  create: { method: 'POST', path: () => configMaps, body: (i) => configMap(`c-${i}`, 'new') },
  get: { method: 'GET', path: (i) => `${configMaps}/c-${i}` },
  put: { method: 'PUT', path: (i) => `${configMaps}/c-${i}`, body: (i, round) => configMap(`c-${i}`, `put ${round}`) },
  'merge-patch': {
    method: 'PATCH',
    path: (i) => `${configMaps}/c-${i}`,
    body: (i, round) => ({ data: { b: `${i}.${round}` } }),
    type: mergePatch,
  },
  'apply, new': {
    method: 'PATCH',
    path: (i) => `${configMaps}/a-${i}?fieldManager=bench`,
    body: (i) => configMap(`a-${i}`, 'new'),
    type: apply,
  },
  'apply, changed': {
    method: 'PATCH',
    path: (i) => `${configMaps}/a-${i}?fieldManager=bench`,
    body: (i, round) => configMap(`a-${i}`, `again ${round}`),
    type: apply,
  },
  delete: { method: 'DELETE', path: (i) => `${configMaps}/c-${i}` },
  'delete applied': { method: 'DELETE', path: (i) => `${configMaps}/a-${i}` },
  'pod create': { method: 'POST', path: () => pods, body: pod },
  'pod strategic-merge-patch': {
    method: 'PATCH',
    path: (i) => `${pods}/p-${i}`,
    body: (i, round) => ({ metadata: { annotations: { x: `${i}.${round}` } } }),
    type: strategicMergePatch,
  },
  'pod delete': { method: 'DELETE', path: (i) => `${pods}/p-${i}?gracePeriodSeconds=0` },
};

const { server, stop } = await startGuardedApi();
const results = new Map<string, number[]>(Object.keys(works).map((name) => [name, []]));
await ready(server);
for (let round = 0; round < rounds; round++)
  for (const [name, work] of Object.entries(works)) results.get(name)!.push(await measure(server, work, round));
await stop();
for (const [name, values] of results) {
  const sorted = values.toSorted((a, b) => a - b);
  console.log(
    `${name.padEnd(28)} best ${sorted[0]!.toFixed(1).padStart(7)} µs   median ${sorted[sorted.length >> 1]!.toFixed(1).padStart(7)} µs`,
  );
}

async function ready(api: ApiServer): Promise<void> {
  const account = { metadata: { name: 'default' } };
  const answer = await api.inject({ method: 'POST', url: '/api/v1/namespaces/default/serviceaccounts', body: account });
  if (answer.status >= 300) throw new Error(answer.body);
}

async function measure(api: ApiServer, { method, path, body, type }: Work, round: number): Promise<number> {
  const bodies = Array.from({ length: objects }, (_, i) => (body ? JSON.stringify(body(i, round)) : undefined));
  const headers = { accept: 'application/json', 'user-agent': 'bench/1', 'content-type': type ?? 'application/json' };
  const before = process.cpuUsage();
  for (let i = 0; i < objects; i++) {
    const text = bodies[i];
    const answer = await api.inject({ method, url: path(i), headers, ...(text === undefined ? {} : { body: text }) });
    if (answer.status >= 300) throw new Error(`${method} ${path(i)}: ${answer.body}`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / objects;
}
