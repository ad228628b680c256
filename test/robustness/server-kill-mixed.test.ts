/**
 * Kills a whole server at random moments under mixed load: objects that finalizers keep, namespaces that go with all that is in them, a quota that
 * is always reached, and watchers that keep a copy. After each start everything acknowledged is as it was, versions have not gone back, watchers
 * go on or are told to list again and have the same as a list, nothing is left of namespaces that are gone, and the quota counts what there is.
 * `KILL_SEED=n` repeats a run, `KILL_ROUNDS=n` makes it longer.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import { Follower } from '../support/follower.ts';
import { isolated } from '../support/isolated.ts';
import { Random, seedOf } from '../support/random.ts';
import { type Answer, ServerProcess } from '../support/server-process.ts';

const rounds = Number(process.env['KILL_ROUNDS'] ?? 3);
const merge = { headers: { 'content-type': 'application/merge-patch+json' } };
const mapsIn = (namespace: string): string => `/api/v1/namespaces/${namespace}/configmaps`;
const finalizer = 'example.com/kept';
/** How many configmaps the quota allows; kube-root-ca.crt is one of them. */
const allowed = 12;
const settledMs = 60_000;

/** What is known of an object: the last acknowledged state, and the one that was asked for when the server died. */
interface Known {
  state: State;
  attempted?: State;
}
type State = 'absent' | 'there' | 'deleting';

interface Item {
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly deletionTimestamp?: string };
}
const itemsOf = (answer: Answer): Item[] => JSON.parse(answer.body).items;

/** One client after the other asks for one step, until the server dies. */
async function untilDead(step: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await step();
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return;
    }
  }
}

isolated(import.meta.url, ({ folder }) => {
  describe('a server that is killed under mixed load', () => {
    const random = new Random(seedOf('KILL_SEED'));
    const server = new ServerProcess(folder);
    const kept = new Map<string, Known>();
    const namespaces = new Map<string, Known>();
    let highest = 0;
    let acknowledged = 0;

    const ask = async (method: string, path: string, body: unknown, good: readonly number[], options = {}): Promise<Answer> => {
      const answer = await server.call(method, path, body, options);
      assert.ok(good.includes(answer.status), `${method} ${path}: ${answer.status} ${answer.body.slice(0, 300)}`);
      const revision = Number(JSON.parse(answer.body).metadata?.resourceVersion ?? 0);
      highest = Math.max(highest, revision);
      acknowledged++;
      return answer;
    };

    /** Changes the state of one object as one request does, and notes that it was acknowledged. */
    async function become(known: Map<string, Known>, name: string, state: State, request: () => Promise<Answer>): Promise<void> {
      const entry = known.get(name) ?? { state: 'absent' };
      known.set(name, entry);
      entry.attempted = state;
      await request();
      entry.state = state;
      delete entry.attempted;
    }

    /** An object of its own with a finalizer: made, deleted, let go. */
    async function keptStep(client: number): Promise<void> {
      const name = `kept-${client}-${random.below(4)}`;
      const path = `${mapsIn('mixed')}/${name}`;
      const { state } = kept.get(name) ?? { state: 'absent' };
      if (state === 'absent') {
        const body = { metadata: { name, finalizers: [finalizer] }, data: { a: 'x'.repeat(random.below(2000)) } };
        await become(kept, name, 'there', () => ask('POST', mapsIn('mixed'), body, [201]));
      } else if (state === 'deleting') {
        await become(kept, name, 'absent', () => ask('PATCH', path, { metadata: { finalizers: null } }, [200], merge));
      } else if (random.chance(0.5)) await ask('PATCH', path, { data: { a: String(random.below(1000)) } }, [200], merge);
      else await become(kept, name, 'deleting', () => ask('DELETE', path, undefined, [200]));
    }

    /** A namespace with something in it, and its end. Names are never used again. */
    async function namespaceStep(client: number, n: number): Promise<void> {
      const name = `gone-${client}-${n}`;
      await become(namespaces, name, 'there', () => ask('POST', '/api/v1/namespaces', { metadata: { name } }, [201]));
      for (let i = 0; i < 3; i++) await ask('POST', mapsIn(name), { metadata: { name: `m${i}` } }, [201]);
      await ask('POST', `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`, { metadata: { name: 'lease' } }, [201]);
      const event = {
        metadata: { name: 'event' },
        involvedObject: { kind: 'ConfigMap', name: 'm0', namespace: name },
        reason: 'Made',
      };
      await ask('POST', `/api/v1/namespaces/${name}/events`, event, [201]);
      if (random.chance(0.7)) {
        await become(namespaces, name, 'deleting', () => ask('DELETE', `/api/v1/namespaces/${name}`, undefined, [200]));
      }
    }

    /** Fills a namespace beyond its quota, and makes room again. */
    async function quotaStep(): Promise<void> {
      const name = `q-${random.below(2 * allowed)}`;
      if (random.chance(0.6)) await ask('POST', mapsIn('bounded'), { metadata: { name } }, [201, 403, 409]);
      else await ask('DELETE', `${mapsIn('bounded')}/${name}`, undefined, [200, 404]);
    }

    async function setUp(): Promise<void> {
      for (const name of ['mixed', 'bounded']) await ask('POST', '/api/v1/namespaces', { metadata: { name } }, [201]);
      const quota = { metadata: { name: 'few' }, spec: { hard: { 'count/configmaps': String(allowed) } } };
      await ask('POST', '/api/v1/namespaces/bounded/resourcequotas', quota, [201]);
      await quotaIsRight();
    }

    async function quotaIsRight(): Promise<void> {
      await eventually(
        'the quota counts what there is',
        async () => {
          const quota = JSON.parse((await server.call('GET', '/api/v1/namespaces/bounded/resourcequotas/few')).body);
          const count = itemsOf(await server.call('GET', mapsIn('bounded'))).length;
          assert.ok(count <= allowed, `${count} configmaps, ${allowed} are allowed`);
          return quota.status?.used?.['count/configmaps'] === String(count);
        },
        settledMs,
      );
    }

    async function keptIsRight(): Promise<void> {
      const answer = await server.call('GET', mapsIn('mixed'));
      const found = new Map(itemsOf(answer).map((item) => [item.metadata.name, item]));
      const revision = Number(JSON.parse(answer.body).metadata.resourceVersion);
      assert.ok(revision >= highest, `the revision ${revision} must not fall below ${highest}`);
      for (const [name, known] of kept) {
        const item = found.get(name);
        const state: State = !item ? 'absent' : item.metadata.deletionTimestamp ? 'deleting' : 'there';
        assert.ok([known.state, known.attempted].includes(state), `${name} is ${state}, acknowledged was ${known.state}`);
        known.state = state;
        delete known.attempted;
      }
    }

    /** Those that were deleted go, the others stay with what is in them. */
    async function namespacesAreRight(): Promise<void> {
      const terminating = (): string[] => [...namespaces].flatMap(([name, { state }]) => (state === 'deleting' ? [name] : []));
      const there = async (): Promise<Map<string, Item>> => {
        const items = itemsOf(await server.call('GET', '/api/v1/namespaces'));
        return new Map(items.map((item) => [item.metadata.name, item]));
      };
      const found = await there();
      for (const [name, known] of namespaces) {
        const item = found.get(name);
        if (known.state === 'there' && known.attempted === undefined) assert.ok(item, `${name} was acknowledged`);
        if (!item) known.state = 'absent';
        else if (item.metadata.deletionTimestamp) known.state = 'deleting';
        else assert.notEqual(known.state, 'deleting', `${name} was deleted`);
        delete known.attempted;
      }
      await eventually(
        'deleted namespaces go',
        async () => {
          const left = await there();
          return terminating().every((name) => !left.has(name));
        },
        settledMs,
      );
      for (const name of terminating()) namespaces.get(name)!.state = 'absent';
    }

    /** Whatever has a namespace has one that is there. */
    async function nothingIsOrphaned(): Promise<void> {
      const lists = ['/api/v1/configmaps', '/api/v1/events', '/api/v1/serviceaccounts', '/apis/coordination.k8s.io/v1/leases'];
      const items = (await Promise.all(lists.map(async (path) => itemsOf(await server.call('GET', path))))).flat();
      const names = new Set(itemsOf(await server.call('GET', '/api/v1/namespaces')).map(({ metadata }) => metadata.name));
      const orphans = items.filter(({ metadata }) => !names.has(metadata.namespace!));
      assert.deepEqual(
        orphans.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
        [],
      );
    }

    it('comes back with all of it', { timeout: 30 * 60_000 }, async () => {
      const followers = ['/api/v1/configmaps', '/api/v1/namespaces'].map((path) => new Follower(server, path));
      await server.start();
      await setUp();
      let made = 0;
      for (let round = 0; round < rounds; round++) {
        const following = followers.map((follower) => follower.follow());
        acknowledged = 0;
        const work = [
          ...Array.from({ length: 6 }, (_, client) => untilDead(() => keptStep(client))),
          ...Array.from({ length: 2 }, (_, client) => untilDead(() => namespaceStep(client, made++))),
          ...Array.from({ length: 4 }, () => untilDead(quotaStep)),
        ];
        const lifeMs = 300 + random.below(2000);
        await new Promise((resolve) => setTimeout(resolve, lifeMs));
        await server.stop('SIGKILL');
        await Promise.all([...work, ...following]);
        const seen = followers.map(({ events }) => events);
        console.log(`round ${round}: ${acknowledged} acknowledged in ${lifeMs} ms; watchers saw ${seen.join(' and ')} events`);
        highest = Math.max(highest, ...followers.map(({ revision }) => revision));
        await server.start();
        await keptIsRight();
        await namespacesAreRight();
        await quotaIsRight();
        await nothingIsOrphaned();
        await Promise.all(followers.map((follower) => follower.catchUp()));
      }
      const { relists } = followers[0]!;
      console.log(`${relists} lists instead of going on`);
      await server.stop();
    });
  });
});
