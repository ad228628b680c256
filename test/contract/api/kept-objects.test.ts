import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { eventually } from '../../support/eventually.ts';
import { settle } from '../../support/settle.ts';

const services = '/api/v1/namespaces/default/services';
const addresses = '/apis/networking.k8s.io/v1/ipaddresses';
const ranges = '/apis/networking.k8s.io/v1/servicecidrs';
const schemas = '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas';
const levels = '/apis/flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations';
const spec = { ports: [{ port: 80 }] };

describe('objects the server keeps', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  const store = new MemoryStore();
  before(async () => {
    ({ server, stop } = await startTestApi({ clock, overrides: { store, serviceCidrs: ['10.43.0.0/28'] } }));
    send = caller(server);
  });
  after(() => stop());

  const gone = (path: string): Promise<unknown> =>
    eventually(`${path} is gone`, async () => (await send(`GET ${path}`)).status === 404);
  const present = async (path: string) => {
    await eventually(`${path} is there`, async () => (await send(`GET ${path}`)).status === 200);
    return (await send(`GET ${path}`)).json;
  };

  it('show the address of every service, and of no other', async () => {
    const first = await present(`${addresses}/10.43.0.1`);
    assert.deepEqual(first.spec.parentRef, { resource: 'services', namespace: 'default', name: 'kubernetes' });
    assert.deepEqual(first.metadata.labels, {
      'ipaddress.kubernetes.io/ip-family': 'IPv4',
      'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
    });
    const { clusterIP } = (await send(`POST ${services}`, { metadata: { name: 'web' }, spec })).json.spec;
    await present(`${addresses}/${clusterIP}`);
    await send(`DELETE ${addresses}/${clusterIP}`);
    await present(`${addresses}/${clusterIP}`);
    await send(`DELETE ${services}/web`);
    await gone(`${addresses}/${clusterIP}`);
  });

  it('an address that somebody else holds is not given out', async () => {
    const parentRef = { group: 'example.com', resource: 'things', name: 'x' };
    await send(`POST ${addresses}`, { metadata: { name: '10.43.0.9' }, spec: { parentRef } });
    const refused = await send(`POST ${services}`, { metadata: { name: 'thief' }, spec: { ...spec, clusterIP: '10.43.0.9' } });
    assert.match(refused.json.message, /failed to allocate IP 10.43.0.9: provided IP is already allocated/);
    await send(`DELETE ${addresses}/10.43.0.9`);
    const taken = await send(`POST ${services}`, { metadata: { name: 'thief' }, spec: { ...spec, clusterIP: '10.43.0.9' } });
    assert.equal(taken.status, 201);
    await send(`DELETE ${services}/thief`);
  });

  it('a further range gives addresses until it is deleted, and stays while they are used', async () => {
    const outside = { ...spec, clusterIP: '10.99.0.7' };
    const early = await send(`POST ${services}`, { metadata: { name: 'far' }, spec: outside });
    assert.match(early.json.message, /failed to allocate IP 10.99.0.7: the provided network does not match the current range/);
    await send(`POST ${ranges}`, { metadata: { name: 'more' }, spec: { cidrs: ['10.99.0.0/24'] } });
    await eventually('the range is ready', async () => {
      const { json } = await send(`GET ${ranges}/more`);
      return json.status?.conditions?.[0]?.status === 'True' && json.metadata.finalizers?.length === 1;
    });
    assert.equal((await send(`POST ${services}`, { metadata: { name: 'far' }, spec: outside })).status, 201);
    await present(`${addresses}/10.99.0.7`);
    await send(`DELETE ${ranges}/more`);
    await eventually('the range says why it stays', async () => {
      const { json } = await send(`GET ${ranges}/more`);
      return json.status.conditions[0].reason === 'Terminating';
    });
    const late = await send(`POST ${services}`, { metadata: { name: 'late' }, spec: { ...spec, clusterIP: '10.99.0.8' } });
    assert.match(late.json.message, /does not match the current range/);
    await send(`DELETE ${services}/far`);
    await gone(`${addresses}/10.99.0.7`);
    clock.advance(10_000);
    await gone(`${ranges}/more`);
  });

  it('when the own range is full, further ones are used', async () => {
    await send(`POST ${ranges}`, { metadata: { name: 'more' }, spec: { cidrs: ['10.98.0.0/24'] } });
    await eventually('the range is ready', async () => (await send(`GET ${ranges}/more`)).json.status?.conditions?.[0]);
    const names = Array.from({ length: 15 }, (_, i) => `n${i}`);
    const made = await Promise.all(names.map((name) => send(`POST ${services}`, { metadata: { name }, spec })));
    assert.deepEqual([...new Set(made.map((a) => a.status))], [201]);
    assert.ok(made.some((a) => a.json.spec.clusterIP.startsWith('10.98.0.')));
  });

  it('nothing is written when they are as they should be', async () => {
    await eventually('every schema has been looked at', async () => {
      const { items } = (await send(`GET ${schemas}`)).json;
      return items.length === 11 && items.every((s: { status?: { conditions?: unknown[] } }) => s.status?.conditions?.length);
    });
    const revisionOf = async (from: ApiServer): Promise<number> =>
      Number((await caller(from)(`GET ${services}`)).json.metadata.resourceVersion);
    await settle(() => store.revision);
    const before = await revisionOf(server);
    const again = await startTestApi({ clock, overrides: { store, serviceCidrs: ['10.43.0.0/28'] } });
    await settle(() => store.revision);
    assert.equal(await revisionOf(again.server), before);
    await again.server.stop();
  });

  it('the standard flow schemas and levels are there, and come back', async () => {
    assert.equal((await send(`GET ${levels}`)).json.items.length, 8);
    await send(`DELETE ${schemas}/probes`);
    await present(`${schemas}/probes`);
    await send(`DELETE ${levels}/exempt`);
    await present(`${levels}/exempt`);
  });

  it('the mandatory ones are fixed, others can be changed for good', async () => {
    const fixed = await send(`PATCH ${schemas}/exempt`, { spec: { matchingPrecedence: 2 } }, mergePatch);
    assert.match(fixed.json.message, /spec of 'exempt' must equal the fixed value/);
    const shares = { spec: { limited: { nominalConcurrencyShares: 77 } } };
    assert.match(
      (await send(`PATCH ${levels}/catch-all`, shares, mergePatch)).json.message,
      /spec of 'catch-all' must equal the fixed value/,
    );
    assert.equal((await send(`PATCH ${levels}/exempt`, { spec: { exempt: { lendablePercent: 5 } } }, mergePatch)).status, 200);
    await send(`PATCH ${levels}/system`, shares, mergePatch);
    await eventually('the change is undone', async () => {
      const { limited } = (await send(`GET ${levels}/system`)).json.spec;
      return limited.nominalConcurrencyShares === 30;
    });
    const metadata = { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'false' } };
    await send(`PATCH ${levels}/system`, { metadata, ...shares }, mergePatch);
    await send(`DELETE ${schemas}/probes`);
    await present(`${schemas}/probes`);
    assert.equal((await send(`GET ${levels}/system`)).json.spec.limited.nominalConcurrencyShares, 77);
  });

  it('a schema whose level is missing says so', async () => {
    const rules = [
      { subjects: [{ kind: 'User', user: { name: 'u' } }], nonResourceRules: [{ verbs: ['get'], nonResourceURLs: ['/x'] }] },
    ];
    await send(`POST ${schemas}`, { metadata: { name: 'lost' }, spec: { priorityLevelConfiguration: { name: 'nope' }, rules } });
    const dangling = (status: string): Promise<unknown> =>
      eventually(`dangling is ${status}`, async () => {
        return (await send(`GET ${schemas}/lost`)).json.status?.conditions?.[0]?.status === status;
      });
    await dangling('True');
    const limited = { nominalConcurrencyShares: 1, limitResponse: { type: 'Reject' } };
    await send(`POST ${levels}`, { metadata: { name: 'nope' }, spec: { type: 'Limited', limited } });
    await dangling('False');
  });

  it('flow schemas are listed by precedence', async () => {
    const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io';
    const { rows } = (await send(`GET ${schemas}`, undefined, { accept })).json;
    const names = rows.map((row: { cells: unknown[] }) => row.cells[0]);
    assert.deepEqual([names[0], names[1], names.at(-1)], ['exempt', 'probes', 'catch-all']);
  });
});
