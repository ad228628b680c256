import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { MemoryStore } from '../../../src/storage/memory-store.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const services = '/api/v1/namespaces/default/services';
const port = { port: 80 };

describe('addresses of services', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const store = new MemoryStore();
  before(async () => {
    ({ server, stop } = await startTestApi({ overrides: { store, serviceCidrs: ['10.43.0.0/28'] } }));
    send = caller(server);
  });
  after(() => stop());

  it('are unique, in the range, and come back when the service goes', async () => {
    const names = Array.from({ length: 13 }, (_, i) => `s${i}`);
    const made = await Promise.all(
      names.map((name) => send(`POST ${services}`, { metadata: { name }, spec: { ports: [port] } })),
    );
    const ips = new Set(made.map((a) => a.json.spec.clusterIP));
    assert.equal(ips.size, 13);
    assert.ok(!ips.has('10.43.0.0') && !ips.has('10.43.0.1') && !ips.has('10.43.0.15'));
    const full = await send(`POST ${services}`, { metadata: { name: 'one-too-many' }, spec: { ports: [port] } });
    assert.equal(full.status, 500);
    assert.match(full.json.message, /range is full.*--service-cidr/);
    const freed = made[4]!.json.spec.clusterIP;
    await send(`DELETE ${services}/s4`);
    const again = await send(`POST ${services}`, { metadata: { name: 'again' }, spec: { ports: [port] } });
    assert.equal(again.json.spec.clusterIP, freed);
  });

  it('are not lost by writes that fail, and not leaked either', async () => {
    await send(`DELETE ${services}/s5`);
    const own = (await send(`GET ${services}/s6`)).json.spec.clusterIP;
    const invalid = { metadata: { name: 'Bad_Name' }, spec: { ports: [port] } };
    assert.equal((await send(`POST ${services}`, invalid)).status, 422);
    assert.equal((await send(`POST ${services}?dryRun=All`, { metadata: { name: 'dry' }, spec: { ports: [port] } })).status, 201);
    assert.equal(
      (await send(`POST ${services}`, { metadata: { name: 's6' }, spec: { clusterIP: own, ports: [port] } })).status,
      409,
    );
    const taken = await send(`POST ${services}`, { metadata: { name: 'thief' }, spec: { clusterIP: own, ports: [port] } });
    assert.match(taken.json.message, /failed to allocate IP .*: provided IP is already allocated/);
    assert.equal((await send(`POST ${services}`, { metadata: { name: 's5' }, spec: { ports: [port] } })).status, 201);
  });

  it('change with the type', async () => {
    const create = await send(`POST ${services}`, {
      metadata: { name: 'ext' },
      spec: { type: 'ExternalName', externalName: 'x.y' },
    });
    assert.equal(create.json.spec.clusterIP, undefined);
    await send(`DELETE ${services}/s7`);
    const become = await send(
      `PATCH ${services}/ext`,
      { spec: { type: 'NodePort', externalName: null, ports: [port] } },
      mergePatch,
    );
    assert.equal(become.status, 200, become.body);
    const { nodePort } = become.json.spec.ports[0];
    assert.ok(nodePort >= 30000 && nodePort <= 32767);
    const same = { metadata: { name: 'other' }, spec: { type: 'NodePort', clusterIP: '', ports: [{ ...port, nodePort }] } };
    await send(`DELETE ${services}/s8`);
    assert.match((await send(`POST ${services}`, same)).json.message, /provided port is already allocated/);
    const back = await send(`PATCH ${services}/ext`, { spec: { type: 'ClusterIP' } }, mergePatch);
    assert.equal(back.json.spec.ports[0].nodePort, undefined);
    assert.equal((await send(`POST ${services}`, same)).status, 201);
  });

  it('of headless services are none', async () => {
    const { json } = await send(`POST ${services}`, {
      metadata: { name: 'hl' },
      spec: { clusterIP: 'None', selector: { a: 'b' } },
    });
    assert.deepEqual([json.spec.clusterIP, json.spec.clusterIPs, json.spec.ipFamilies], ['None', ['None'], ['IPv4']]);
    const free = await send(`POST ${services}`, { metadata: { name: 'free' }, spec: { clusterIP: 'None' } });
    assert.deepEqual([free.json.spec.ipFamilies, free.json.spec.ipFamilyPolicy], [['IPv4', 'IPv6'], 'RequireDualStack']);
  });

  it('are known again after a restart, which writes nothing', async () => {
    const before = store.revision;
    const second = await startTestApi({ overrides: { store, serviceCidrs: ['10.43.0.0/28'] } });
    assert.equal(store.revision, before, 'what every cluster has is there already');
    const own = (await send(`GET ${services}/s6`)).json.spec.clusterIP;
    const taken = { metadata: { name: 'thief' }, spec: { clusterIP: own, ports: [port] } };
    assert.equal((await caller(second.server)(`POST ${services}`, taken)).status, 422);
    await second.server.stop();
  });
});
