import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { Namespace } from '../../src/api/kinds/core/namespace.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import { systemMaster } from '../../src/server/auth/user.ts';
import { type ControlledApi, startControlledApi } from '../support/controlled-api.ts';
import { eventually } from '../support/eventually.ts';
import { differingPlaces } from './compare.ts';
import { differences } from './differences.ts';
import { caseIds } from './ids.ts';
import { type RecordedCase, readRecording } from './recording.ts';
import { Scrubber, unrecordedLeftOut } from './scrub.ts';
import { waits } from './waits.ts';

const cases = readRecording('test/golden/kubernetes-1.36.txt');
const kubernetes = new Scrubber();
const skiff = new Scrubber();

/** Upstream names the flow schema and priority level of every answer but of these: connections to nodes, and a user who is not known yet. */
const unclassified = ['log-needs-container', 'log-not-scheduled', 'exec-no-upgrade', 'impersonate-without-user'];
const flowHeaders = ['x-kubernetes-pf-flowschema-uid', 'x-kubernetes-pf-prioritylevel-uid'];

/** Time-outs of requests run fifty times as fast: seconds of them are part of the cases. */
const hastyClock: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 50, callback) };

let api: ControlledApi;

/** The namespace the cases work in, with what controllers put into each. */
before(async () => {
  api = await startControlledApi({ clock: hastyClock, controllers: true });
  await api.client(systemMaster).create(Namespace, { metadata: { name: 'gold' }, spec: {} });
  for (const path of ['serviceaccounts/default', 'configmaps/kube-root-ca.crt']) {
    await eventually(path, async () => (await ask('GET', `/api/v1/namespaces/gold/${path}`)).status === 200);
  }
});

after(() => api.stop());

for (const recorded of cases) test(recorded.id, () => replay(recorded));

test('every recorded request is replayed', () => {
  assert.deepEqual(
    cases.map(({ id }) => id),
    caseIds,
  );
  for (const id of [...Object.keys(differences), ...Object.keys(waits), ...unclassified])
    assert.ok(caseIds.includes(id), `no case is named ${id}`);
});

test('every difference is explained', () => {
  const explained = readFileSync('docs/deviations.md', 'utf8');
  for (const { because } of Object.values(differences).flat()) {
    assert.match(explained, new RegExp(`^- \\*\\*${because.replace(/[/?]/g, '\\$&')}[.]?\\*\\*`, 'm'), because);
  }
});

async function replay(recorded: RecordedCase): Promise<void> {
  const { id, method, url, headers, send } = recorded;
  const wait = waits[id];
  if (wait)
    await eventually(`before ${id}: ${wait.path}`, async () => wait.until(JSON.parse((await ask('GET', wait.path)).body)));
  const expected = kubernetes.answer(recorded.answer);
  const answer = await ask(method, url, headers, send);
  const got = unrecordedLeftOut(skiff.answer(answer), recorded.answer);
  const declared = (differences[id] ?? []).map(({ at, skiff }) => [at, skiff]);
  assert.deepEqual(differingPlaces(expected, got), Object.fromEntries(declared));
  const named = flowHeaders.map((name) => answer.headers[name] !== undefined);
  assert.deepEqual(named, unclassified.includes(id) ? [false, false] : [true, true]);
}

function ask(method: string, url: string, headers: Readonly<Record<string, string>> = {}, body?: string) {
  const clientCertificate = api.admin;
  return api.server.inject({ method, url, headers: { 'user-agent': 'golden', ...headers }, body, clientCertificate });
}
