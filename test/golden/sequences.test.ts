import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startGuardedApi } from '../support/guarded-api.ts';
import { Numbering, type Outcome, readSequences, resolved } from './sequences.ts';

/** Requests that build on each other, as a kube-apiserver 1.36.2 answered them; each sequence in a namespace of its own. */
for (const { name, steps } of readSequences('test/golden/sequences.txt')) {
  it(`sequence: ${name}`, async (t) => {
    const { server, stop } = await startGuardedApi();
    t.after(stop);
    const answers: unknown[] = [];
    const numbering = new Numbering();
    const ours: Outcome[] = [];
    await server.inject({ method: 'POST', url: '/api/v1/namespaces', body: { metadata: { name: 'seq' } } });
    for (const step of steps) {
      const [method = '', url = ''] = resolved(step.do, answers).split(' ');
      const body = step.body === undefined ? undefined : resolved(textOf(step.body), answers);
      const { type = 'application/json', accept } = step;
      const headers = { 'user-agent': 'golden', 'content-type': type, ...(accept ? { accept } : {}) };
      const answer = await server.inject({ method, url, headers, body });
      answers.push(
        answer.headers['content-type'] === 'application/json' && !isWatch(url) ? JSON.parse(answer.body) : answer.body,
      );
      ours.push(numbering.outcome(answer));
    }
    assert.deepEqual(
      ours,
      steps.map(({ answer }) => answer),
    );
  });
}

const textOf = (body: unknown): string => (typeof body === 'string' ? body : JSON.stringify(body));

const isWatch = (url: string): boolean => url.includes('watch=true');
