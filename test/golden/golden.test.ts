import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Namespace } from '../../src/api/kinds/core/namespace.ts';
import { ServiceAccount } from '../../src/api/kinds/core/service-account.ts';
import { type Clock, systemClock } from '../../src/lib/clock.ts';
import type { ApiServer } from '../../src/server/api-server.ts';
import { systemMaster } from '../../src/server/auth/user.ts';
import { startGuardedApi } from '../support/guarded-api.ts';
import { deletes } from './cases/deletes.ts';
import { lists } from './cases/lists.ts';
import { patches } from './cases/patches.ts';
import { pods } from './cases/pods.ts';
import { policies } from './cases/policies.ts';
import { representations } from './cases/representations.ts';
import { writes } from './cases/writes.ts';
import type { GoldenCase } from './golden-case.ts';
import { scrub, scrubText } from './scrub.ts';

let server: ApiServer;
let stop: () => Promise<void>;

/** Timers run fifty times as fast: time-outs of seconds are part of the cases. */
const hastyClock: Clock = { ...systemClock, after: (delayMs, callback) => systemClock.after(delayMs / 50, callback) };

/** A server with the whole admission chain, and the namespace the cases work in. */
before(async () => {
  ({ server, stop } = await startGuardedApi({ clock: hastyClock }));
  await server.inProcess.create(systemMaster, Namespace, { metadata: { name: 'gold' }, spec: {} });
  await server.inProcess.create(systemMaster, ServiceAccount, { metadata: { name: 'default', namespace: 'gold' } });
});

after(() => stop());

for (const golden of [...writes, ...representations, ...lists, ...deletes, ...patches, ...pods, ...policies]) {
  test(golden.name, () => run(golden));
}

async function run(golden: GoldenCase): Promise<void> {
  const space = golden.request.indexOf(' ');
  const answer = await server.inject({
    method: golden.request.slice(0, space),
    url: golden.request.slice(space + 1),
    headers: { 'user-agent': 'golden/1', ...golden.headers },
    ...(golden.send === undefined ? {} : { body: golden.send }),
  });
  assert.equal(answer.status, golden.status, answer.body);
  if (golden.fails) {
    const { reason, message, details, code } = JSON.parse(answer.body);
    const got = { ...(reason ? { reason } : {}), message: scrubText(message), ...(details ? { details: scrub(details) } : {}) };
    assert.deepEqual(got, golden.fails);
    assert.equal(code, golden.status);
  }
  if (golden.answers) assert.deepEqual(scrub(JSON.parse(answer.body)), golden.answers);
  if (golden.events) assert.deepEqual(eventNames(answer.body), golden.events);
  if (golden.text !== undefined) assert.equal(scrubText(answer.body.trimEnd()), golden.text);
  if (golden.warning) assert.ok(String(answer.headers['warning']).startsWith(golden.warning), String(answer.headers['warning']));
}

function eventNames(body: string): string[] {
  return body
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
    .map(({ type, object }) => (object.metadata.name ? `${type} ${scrubText(object.metadata.name)}` : type));
}
