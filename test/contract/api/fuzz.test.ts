import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { caller } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { complaint, FuzzRequests, fuzzNamespace, printRequest } from '../../support/fuzz-requests.ts';
import { Random, seedOf } from '../../support/random.ts';

const requests = Number(process.env['FUZZ_REQUESTS'] ?? 1000);

describe('requests nobody meant', () => {
  it('names that every object of the language has are names like others', async () => {
    const api = await startTestApi();
    const send = caller(api.server);
    const maps = '/api/v1/namespaces/default/configmaps';
    for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
      const statuses = [
        await send(`POST ${maps}`, { metadata: { name: 'a' } }, { 'content-type': name }),
        await send(`PATCH ${maps}/a`, {}, { 'content-type': name }),
        await send(`GET ${maps}`, undefined, { accept: name }),
        await send(`${name} ${maps}`),
        await send('POST /api/v1/namespaces/default/secrets?dryRun=All', { metadata: { name: 's' }, type: name, data: {} }),
      ].map(({ status }) => status);
      assert.deepEqual(statuses, [415, 415, 406, 405, 201], name);
    }
    await api.stop();
  });

  it('never are a mistake of ours, and leave what is stored readable', async () => {
    const api = await startTestApi();
    const send = caller(api.server);
    const fuzz = new FuzzRequests(new Random(seedOf('FUZZ_SEED')));
    await send('POST /api/v1/namespaces', { metadata: { name: fuzzNamespace } });
    const complaints: string[] = [];
    const statuses = new Map<number, number>();
    for (let n = 0; n < requests; n++) {
      const request = fuzz.next();
      // In process nobody hangs up on a watch, and this server makes no tokens.
      if (request.path.includes('watch=') || request.path.includes('/token?')) continue;
      const answer = await send(`${request.method} ${request.path}`, request.body, request.headers);
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const wrong = complaint(answer);
      if (wrong) complaints.push(`request ${n}: ${wrong}\n${printRequest(request)}`);
    }
    assert.deepEqual(complaints, []);
    assert.ok((statuses.get(200) ?? 0) + (statuses.get(201) ?? 0) > requests / 20, `some requests are good: ${[...statuses]}`);
    await api.stop();
  });
});
