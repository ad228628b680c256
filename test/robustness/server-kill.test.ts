/**
 * Kills a whole server at random moments while 16 clients write over HTTPS, starts it again on what it left, and checks that everything
 * acknowledged is there. `KILL_SEED=n` repeats a run, `KILL_ROUNDS=n` makes it longer.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isolated } from '../support/isolated.ts';
import { Random, seedOf } from '../support/random.ts';
import { type Answer, ServerProcess } from '../support/server-process.ts';

const clients = 16;
const keysPerClient = 4;
const rounds = Number(process.env['KILL_ROUNDS'] ?? 5);
const path = '/api/v1/namespaces/default/configmaps';

/** What a client knows of one object: the last acknowledged state, and the one that was asked for when the server died. */
interface Known {
  revision: number;
  value: string | undefined;
  attempted?: { readonly value: string | undefined };
}

/** Creates, changes and deletes objects of its own until the server dies. */
async function writeOn(server: ServerProcess, client: number, known: Map<string, Known>, random: () => number): Promise<number> {
  let acknowledged = 0;
  for (let n = 0; ; n++) {
    const name = `c${client}-${Math.floor(random() * keysPerClient)}`;
    const state = known.get(name) ?? { revision: 0, value: undefined };
    known.set(name, state);
    const isThere = state.value !== undefined;
    const value = isThere && random() < 0.2 ? undefined : `${client}-${n}-${'x'.repeat(Math.floor(random() * 2000))}`;
    state.attempted = { value };
    const method = value === undefined ? 'DELETE' : isThere ? 'PUT' : 'POST';
    const body = value === undefined ? undefined : { metadata: { name }, data: { value } };
    let answer: Answer;
    try {
      answer = await server.call(method, isThere ? `${path}/${name}` : path, body);
    } catch {
      return acknowledged;
    }
    assert.ok([200, 201].includes(answer.status), `${method} ${name}: ${answer.status} ${answer.body}`);
    delete state.attempted;
    state.value = value;
    if (value !== undefined) {
      const revision = Number(JSON.parse(answer.body).metadata.resourceVersion);
      assert.ok(revision > state.revision, `revisions rise: ${revision} after ${state.revision}`);
      state.revision = revision;
    }
    acknowledged++;
  }
}

interface ListedObject {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly data: { readonly value: string };
}

/** Compares what the server has with what clients know; a write that was under way may have happened or not. */
async function check(server: ServerProcess, known: Map<string, Known>, atLeast: number): Promise<number> {
  const { body } = await server.call('GET', path);
  const list = JSON.parse(body) as { metadata: { resourceVersion: string }; items: ListedObject[] };
  const found = new Map(list.items.map((item) => [item.metadata.name, item]));
  const revision = Number(list.metadata.resourceVersion);
  assert.ok(revision >= atLeast, `the revision ${revision} must not fall below ${atLeast}`);
  for (const [name, state] of known) {
    const item = found.get(name);
    const allowed = [state.value, ...(state.attempted ? [state.attempted.value] : [])];
    assert.ok(
      allowed.includes(item?.data.value),
      `${name} has ${item?.data.value?.slice(0, 20)}, acknowledged was ${state.value?.slice(0, 20)}`,
    );
    if (item && item.data.value === state.value && !state.attempted)
      assert.equal(Number(item.metadata.resourceVersion), state.revision, `${name} keeps its revision`);
    state.value = item?.data.value;
    delete state.attempted;
    state.revision = Math.max(state.revision, Number(item?.metadata.resourceVersion ?? 0));
  }
  return revision;
}

/** A watch from `revision` goes on, or says that it cannot. */
async function checkWatch(server: ServerProcess, revision: number): Promise<void> {
  const { status, body } = await server.call('GET', `${path}?watch=1&resourceVersion=${revision}&timeoutSeconds=1`);
  assert.equal(status, 200);
  const [first] = body.split('\n').filter(Boolean);
  if (first === undefined) return;
  const event = JSON.parse(first);
  if (event.type === 'ERROR') assert.equal(event.object.code, 410);
  else assert.ok(Number(event.object.metadata.resourceVersion) > revision);
}

isolated(import.meta.url, ({ folder }) => {
  describe('a server that is killed', () => {
    it('has everything it acknowledged when it comes back', { timeout: 9 * 60_000 }, async () => {
      const chance = new Random(seedOf('KILL_SEED'));
      const random = (): number => chance.next();
      const server = new ServerProcess(folder);
      const known = new Map<string, Known>();
      let revision = 0;
      for (let round = 0; round < rounds; round++) {
        await server.start();
        const before = await check(server, known, revision);
        if (round > 0) await checkWatch(server, revision);
        const writers = Array.from({ length: clients }, (_, i) => writeOn(server, i, known, random));
        const lifeMs = 200 + random() * 1500;
        await new Promise((resolve) => setTimeout(resolve, lifeMs));
        await server.stop('SIGKILL');
        const acknowledged = (await Promise.all(writers)).reduce((a, b) => a + b);
        console.log(`round ${round}: ${acknowledged} writes acknowledged in ${Math.round(lifeMs)} ms`);
        assert.ok(acknowledged > 0);
        revision = Math.max(before, ...[...known.values()].map((state) => state.revision));
      }
      await server.start();
      await check(server, known, revision);
      await server.stop('SIGKILL');
    });
  });
});
