import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const pods = '/api/v1/namespaces/default/pods';
const small = 2_000;
const factor = 8;
/** What grows with the square of the body would take 64 times as long. */
const maxRatio = 30;

const list = <T>(n: number, item: (i: number) => T): T[] => Array.from({ length: n }, (_, i) => item(i));
const env = (n: number) => list(n, (i) => ({ name: `e${i}` }));
const pod = (items: object[]) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'i', env: items }] },
});
const yaml = { 'content-type': 'application/yaml' };
const apply = { 'content-type': 'application/apply-patch+yaml' };
const strategic = { 'content-type': 'application/strategic-merge-patch+json' };

interface Row {
  readonly name: string;
  /** `{n}` stands for the number of items. */
  readonly request: string;
  body(n: number): unknown;
  readonly headers?: Record<string, string>;
}

/** Bodies whose parts must not each be compared with all the others: one such request would keep everybody waiting. */
const rows: readonly Row[] = [
  { name: 'a list with keys', request: `POST ${pods}?dryRun=All`, body: (n) => pod(env(n)) },
  {
    name: 'an applied list',
    request: `PATCH ${pods}/new?fieldManager=m&dryRun=All`,
    body: (n) => named(pod(env(n)), 'new'),
    headers: apply,
  },
  {
    name: 'an applied list that is there',
    request: `PATCH ${pods}/large-{n}?fieldManager=m&dryRun=All&force=true`,
    body: (n) => named(pod(env(n).reverse()), `large-${n}`),
    headers: apply,
  },
  {
    name: 'an applied list with the last item twice',
    request: `PATCH ${pods}/new?fieldManager=m&dryRun=All`,
    body: (n) => named(pod([...env(n), { name: `e${n - 1}` }]), 'new'),
    headers: apply,
  },
  {
    name: 'digits of what is no quantity',
    request: `POST ${pods}?dryRun=All`,
    body: (n) => ({
      ...pod([]),
      spec: { containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: `${'1'.repeat(4 * n)}x` } } }] },
    }),
  },
  {
    name: 'slashes in the path of a file',
    request: `POST ${pods}?dryRun=All`,
    body: (n) => {
      const items = list(2, (i) => ({ key: `k${i}`, path: `a${'/'.repeat(4 * n)}${i}` }));
      return { ...pod([]), spec: { ...pod([]).spec, volumes: [{ name: 'v', secret: { secretName: 's', items } }] } };
    },
  },
  {
    name: 'ports of a container',
    request: `POST ${pods}?dryRun=All`,
    body: (n) => ({
      ...pod([]),
      spec: { containers: [{ name: 'c', image: 'i', ports: list(n, (i) => ({ containerPort: i + 1 })) }] },
    }),
  },
  {
    name: 'spread constraints',
    request: `POST ${pods}?dryRun=All`,
    body: (n) => ({
      ...pod([]),
      spec: {
        containers: [{ name: 'c', image: 'i' }],
        topologySpreadConstraints: list(n, (i) => ({ maxSkew: 1, topologyKey: `k${i}`, whenUnsatisfiable: 'DoNotSchedule' })),
      },
    }),
  },
  {
    name: 'managers of fields',
    request: 'POST /api/v1/namespaces/default/configmaps?dryRun=All',
    body: (n) => ({
      metadata: {
        name: 'managed',
        managedFields: list(n, (i) => ({
          manager: `m${i}`,
          operation: 'Update',
          apiVersion: 'v1',
          fieldsType: 'FieldsV1',
          fieldsV1: { 'f:data': { [`f:k${i}`]: {} } },
        })),
      },
    }),
  },
  {
    name: 'a merged list',
    request: `PATCH ${pods}/large-{n}?dryRun=All`,
    body: (n) => ({ spec: { containers: [{ name: 'c', env: env(n).reverse() }] } }),
    headers: strategic,
  },
  {
    name: 'an ordered list',
    request: `PATCH ${pods}/large-{n}?dryRun=All`,
    body: (n) => ({ spec: { containers: [{ name: 'c', env: env(n), '$setElementOrder/env': env(n) }] } }),
    headers: strategic,
  },
  {
    name: 'YAML keys',
    request: 'POST /api/v1/namespaces/default/configmaps?dryRun=All',
    body: (n) => `metadata:\n  name: a\ndata:\n${list(n, (i) => `  k${i}: v\n`).join('')}`,
    headers: yaml,
  },
  {
    name: 'unknown fields',
    request: 'POST /api/v1/namespaces/default/configmaps?dryRun=All',
    body: (n) => ({ metadata: { name: 'a' }, ...Object.fromEntries(list(n, (i) => [`x${i}`, i])) }),
  },
  {
    name: 'finalizers',
    request: 'POST /api/v1/namespaces/default/configmaps?dryRun=All',
    body: (n) => ({ metadata: { name: 'a', finalizers: list(n, (i) => `a.b/f${i}`) } }),
  },
  {
    name: 'owners with one uid',
    request: 'POST /api/v1/namespaces/default/configmaps?dryRun=All',
    body: (n) => ({
      metadata: { name: 'a', ownerReferences: list(n, (i) => ({ apiVersion: 'v1', kind: 'Pod', uid: 'u', name: `o${i}` })) },
    }),
  },
];

/** Bodies each of whose problems quotes a large part of them. */
const owner = (i: number) => ({ apiVersion: 'v1', kind: 'Pod', uid: `u${i}`, name: `o${i}`, controller: true });
const quoting: readonly Row[] = [
  {
    name: 'owners that all are the controller',
    request: 'POST /api/v1/namespaces/default/configmaps?dryRun=All',
    body: (n) => ({ metadata: { name: 'a', ownerReferences: list(n, owner) } }),
  },
  {
    name: 'keys of a list that are no fields',
    request: 'POST /apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All',
    body: (n) => ({
      metadata: { name: 'things.example.com' },
      spec: {
        group: 'example.com',
        names: { plural: 'things', kind: 'Thing' },
        scope: 'Namespaced',
        versions: [
          {
            name: 'v1',
            served: true,
            storage: true,
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  l: {
                    type: 'array',
                    'x-kubernetes-list-type': 'map',
                    'x-kubernetes-list-map-keys': list(n, (i) => `k${i}`),
                    items: { type: 'object', properties: { a: { type: 'string' } } },
                  },
                },
              },
            },
          },
        ],
      },
    }),
  },
];
/** What an answer to one of them may be. */
const maxAnswer = 4 * 1024 * 1024;

function named<T extends { metadata: object }>(object: T, name: string): T {
  return { ...object, metadata: { ...object.metadata, name } };
}

describe('large bodies', () => {
  let send: Send;
  let stop: () => Promise<void>;
  before(async () => {
    const api = await startTestApi();
    send = caller(api.server);
    stop = api.stop;
    await send('POST /api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
    for (const n of [small, small * factor]) {
      assert.equal((await send(`POST ${pods}`, named(pod(env(n)), `large-${n}`))).status, 201);
    }
  });
  after(() => stop());

  for (const row of rows) {
    it(`${row.name}: take time in proportion to their size`, async () => {
      const cost = async (n: number): Promise<number> => {
        const body = row.body(n);
        const start = process.cpuUsage();
        const answer = await send(row.request.replace('{n}', String(n)), body, row.headers);
        assert.ok(
          answer.status < 500 || answer.body.includes('duplicate entries'),
          `${answer.status} ${answer.body.slice(0, 300)}`,
        );
        return process.cpuUsage(start).user;
      };
      // The least of three: others run on the machine, and garbage of the tests before is collected on the way.
      const least = async (n: number): Promise<number> => Math.min(await cost(n), await cost(n), await cost(n));
      // What takes but a few milliseconds cannot be compared.
      const [few, many] = [Math.max(5000, await least(small)), await least(small * factor)];
      assert.ok(many < maxRatio * few, `${small} items: ${few} µs, ${small * factor} items: ${many} µs`);
    });
  }

  for (const row of quoting) {
    it(`${row.name}: are refused in few words`, async () => {
      const answer = await send(row.request, row.body(small * factor));
      assert.equal(answer.status, 422, answer.body.slice(0, 300));
      assert.ok(answer.body.length < maxAnswer, `${answer.body.length} bytes`);
    });
  }

  describe('objects', () => {
    const limit = 3 * 1024 * 1024;

    it('do not grow beyond 3 MiB, whatever changes them', async () => {
      const deployments = '/apis/apps/v1/namespaces/default/deployments';
      const labels = { app: 'a' };
      const template = { metadata: { labels }, spec: pod([{ name: 'e', value: 'x'.repeat(1_200_000) }]).spec };
      const body = { metadata: { name: 'grows' }, spec: { selector: { matchLabels: labels }, template } };
      assert.equal((await send(`POST ${deployments}`, body)).status, 201);
      const grow = [
        { op: 'copy', from: '/spec/template/spec/containers/0/env/0/value', path: '/spec/template/spec/containers/0/args/-' },
      ];
      const patch = (operations: object[]) =>
        send(`PATCH ${deployments}/grows`, operations, { 'content-type': 'application/json-patch+json' });
      assert.equal((await patch([{ op: 'add', path: '/spec/template/spec/containers/0/args', value: ['x'] }])).status, 200);
      assert.equal((await patch(grow)).status, 200);
      const refused = await patch(grow);
      assert.equal(refused.status, 413);
      assert.match(refused.json.message, /Deployment "grows" would be \d+ bytes large, an object may be 3145728/);
      const { body: text } = await send(`GET ${deployments}/grows`);
      assert.ok(text.length < limit, `${text.length} bytes`);
    });

    it('go without managers when these are what makes them too large, and cannot be applied', async () => {
      const wide = pod(list(8, (i) => ({ name: String(i).repeat(200_000) })));
      const created = await send(`POST ${pods}`, named(wide, 'wide'));
      assert.equal(created.status, 201, created.body.slice(0, 300));
      assert.equal(created.json.metadata.managedFields, undefined);
      assert.equal((await send(`PATCH ${pods}/applied?fieldManager=m`, named(wide, 'applied'), apply)).status, 413);
      assert.equal((await send(`GET ${pods}/applied`)).status, 404);
    });
  });
});
