/**
 * Server-side apply and updates by several managers against a small model of who owns which field. `OWNERSHIP_SEED=n` repeats a run,
 * `OWNERSHIP_STEPS=n` makes it longer.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Answered, caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { Random, seedOf } from '../../support/random.ts';

const steps = Number(process.env['OWNERSHIP_STEPS'] ?? 150);
const appliers = ['a', 'b', 'c'];
const updaters = ['u', 'v'];

/** Field → value. Items of lists are fields too: `env[x]` is there when the item is, `env[x].value` belongs to it. */
type Fields = ReadonlyMap<string, unknown>;

interface Subject {
  readonly name: string;
  readonly path: string;
  /** Fields that one manager applies once and for all, so that maps and lists are never empty: who makes one owns that too. */
  readonly base: Fields;
  /** Some other fields, with their values. */
  random(random: Random): Fields;
  /** The object with just these fields. */
  object(fields: Fields): object;
  /** The fields that an object has. */
  fields(object: Answered['json']): Fields;
  /** The field that a path of managedFields stands for; undefined for what the model leaves out. */
  owned(path: readonly string[]): string | undefined;
  /** A patch that makes these fields what they are, and removes the others; undefined: updates are left out. */
  update?(fields: Fields, current: Fields): { readonly body: object; readonly type: string };
}

const values = ['1', '2'];
const some = <T extends object>(name: string, value: T): object => (Object.keys(value).length > 0 ? { [name]: value } : {});
const map = (fields: Fields, prefix: string): Record<string, unknown> =>
  Object.fromEntries(
    [...fields].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]),
  );
const prefixed = (prefix: string, entries: object = {}): [string, unknown][] =>
  Object.entries(entries).map(([name, value]) => [`${prefix}${name}`, value]);
/** What a merge patch says to turn one map into another. */
const difference = (current: Fields, next: Fields, prefix: string): Record<string, unknown> => ({
  ...Object.fromEntries(Object.keys(map(current, prefix)).map((name) => [name, null])),
  ...map(next, prefix),
});

const configMap: Subject = {
  name: 'ConfigMap',
  path: '/api/v1/namespaces/default/configmaps/owned',
  base: new Map([
    ['data.base', '0'],
    ['labels.base', '0'],
  ]),
  random: (random) =>
    new Map(random.some(['data.a', 'data.b', 'data.c', 'labels.x', 'labels.y']).map((name) => [name, random.pick(values)])),
  object: (fields) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'owned', ...some('labels', map(fields, 'labels.')) },
    ...some('data', map(fields, 'data.')),
  }),
  fields: ({ data, metadata }) => new Map([...prefixed('data.', data), ...prefixed('labels.', metadata.labels)]),
  owned: ([first, second, third]) => {
    if (first === 'f:data' && second && second !== '.') return `data.${second.slice(2)}`;
    return second === 'f:labels' && third && third !== '.' ? `labels.${third.slice(2)}` : undefined;
  },
  update: (next, current) => ({
    type: 'merge',
    body: { metadata: { labels: difference(current, next, 'labels.') }, data: difference(current, next, 'data.') },
  }),
};

const ports = ['80/TCP', '80/UDP', '443/TCP'];

function portFields(key: string): Map<string, unknown> {
  const [port, protocol] = key.split('/');
  return new Map<string, unknown>([
    [`ports[${key}]`, true],
    [`ports[${key}].port`, Number(port)],
    [`ports[${key}].protocol`, protocol],
    [`ports[${key}].name`, `${protocol!.toLowerCase()}${port}`],
  ]);
}

const service: Subject = {
  name: 'Service',
  path: '/api/v1/namespaces/default/services/owned',
  base: portFields('1/TCP'),
  random: (random) =>
    new Map(
      random.some(ports).flatMap((key): [string, unknown][] => {
        const item = [...portFields(key)];
        return random.chance(0.5) ? [...item, [`ports[${key}].targetPort`, 8000 + random.below(2)]] : item;
      }),
    ),
  object: (fields) => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'owned' },
    spec: some(
      'ports',
      ['1/TCP', ...ports].filter((key) => fields.has(`ports[${key}]`)).map((key) => map(fields, `ports[${key}].`)),
    ),
  }),
  fields: ({ spec }) =>
    new Map(
      (spec.ports ?? []).flatMap((item: { port: number; protocol: string }) => {
        const key = `ports[${item.port}/${item.protocol}]`;
        return [[key, true], ...prefixed(`${key}.`, item)];
      }),
    ),
  owned: ([, list, item, field]) => {
    if (list !== 'f:ports' || !item?.startsWith('k:')) return undefined;
    const { port, protocol } = JSON.parse(item.slice(2));
    return field === '.' ? `ports[${port}/${protocol}]` : `ports[${port}/${protocol}].${field!.slice(2)}`;
  },
};

const variables = ['A', 'B', 'C'];
const deployment: Subject = {
  name: 'Deployment',
  path: '/apis/apps/v1/namespaces/default/deployments/owned',
  base: new Map<string, unknown>([
    ['env[BASE]', true],
    ['env[BASE].name', 'BASE'],
    ['env[BASE].value', '0'],
  ]),
  random: (random) => {
    const env = random.some(variables).flatMap((name): [string, unknown][] => [
      [`env[${name}]`, true],
      [`env[${name}].name`, name],
      [`env[${name}].value`, random.pick(values)],
    ]);
    return new Map<string, unknown>([...env, ...(random.chance(0.3) ? ([['replicas', random.below(3)]] as const) : [])]);
  },
  object: (fields) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'owned' },
    spec: {
      ...(fields.has('replicas') ? { replicas: fields.get('replicas') } : {}),
      selector: { matchLabels: { app: 'x' } },
      template: {
        metadata: { labels: { app: 'x' } },
        spec: {
          containers: [
            {
              name: 'main',
              image: 'i',
              ...some(
                'env',
                ['BASE', ...variables].filter((name) => fields.has(`env[${name}]`)).map((name) => map(fields, `env[${name}].`)),
              ),
            },
          ],
        },
      },
    },
  }),
  fields: ({ spec }) =>
    new Map<string, unknown>([
      ['replicas', spec.replicas],
      ...(spec.template.spec.containers[0].env ?? []).flatMap((item: { name: string }): [string, unknown][] => [
        [`env[${item.name}]`, true],
        ...prefixed(`env[${item.name}].`, item),
      ]),
    ]),
  owned: (path) => {
    if (path[1] === 'f:replicas') return 'replicas';
    const at = path.indexOf('f:env');
    const [item, field] = at < 0 ? [] : path.slice(at + 1);
    if (!item?.startsWith('k:')) return undefined;
    const { name } = JSON.parse(item.slice(2));
    return field === '.' ? `env[${name}]` : `env[${name}].${field!.slice(2)}`;
  },
  update: (next, current) => {
    const gone = variables.filter((name) => current.has(`env[${name}]`) && !next.has(`env[${name}]`));
    const there = variables.filter((name) => next.has(`env[${name}]`));
    const env = [...gone.map((name) => ({ name, $patch: 'delete' })), ...there.map((name) => map(next, `env[${name}].`))];
    return { type: 'strategic-merge', body: { spec: { template: { spec: { containers: [{ name: 'main', env }] } } } } };
  },
};

/** Who owns which field: by manager and operation. */
class Model {
  fields: Map<string, unknown> = new Map();
  readonly owners = new Map<string, Set<string>>();

  /** The fields that others own and that this apply would change. */
  conflicts(manager: string, applied: Fields): string[] {
    const changed = [...applied].filter(([name, value]) => this.fields.has(name) && this.fields.get(name) !== value);
    return changed.map(([name]) => name).filter((name) => this.#others(`${manager} Apply`).some((owned) => owned.has(name)));
  }

  apply(manager: string, applied: Fields): void {
    const self = `${manager} Apply`;
    const before = this.owners.get(self) ?? new Set<string>();
    for (const [name, value] of applied) {
      if (this.fields.get(name) !== value) for (const owned of this.#others(self)) owned.delete(name);
      this.fields.set(name, value);
    }
    this.owners.set(self, new Set(applied.keys()));
    // An item that nobody wants goes with all that is in it, whoever owns that.
    for (const name of before) if (!applied.has(name) && !this.#isWanted(name)) this.#remove(name);
  }

  update(manager: string, next: Fields): void {
    const self = `${manager} Update`;
    const own = this.owners.get(self) ?? new Set<string>();
    this.owners.set(self, own);
    for (const name of [...this.fields.keys()]) if (!next.has(name)) this.#remove(name);
    for (const [name, value] of next) {
      if (this.fields.get(name) === value) continue;
      for (const owned of this.#others(self)) owned.delete(name);
      own.add(name);
      this.fields.set(name, value);
    }
  }

  #others(self: string): Set<string>[] {
    return [...this.owners].filter(([owner]) => owner !== self).map(([, owned]) => owned);
  }

  #isWanted(name: string): boolean {
    return [...this.owners.values()].some((owned) => owned.has(name));
  }

  #remove(name: string): void {
    for (const field of [...this.fields.keys()]) {
      if (field !== name && !(name.endsWith(']') && field.startsWith(`${name}.`))) continue;
      this.fields.delete(field);
      for (const owned of this.owners.values()) owned.delete(field);
    }
  }
}

describe('ownership of fields', () => {
  for (const subject of [configMap, service, deployment]) {
    it(`of a ${subject.name} is what a model of it says`, { timeout: 60_000 }, async () => {
      const api = await startTestApi();
      const random = new Random(seedOf('OWNERSHIP_SEED'));
      const run = new Run(subject, caller(api.server), random);
      await run.start();
      for (let step = 0; step < steps; step++) await run.step(step);
      assert.ok(run.conflicts > 0 && run.forced > 0, `${run.conflicts} conflicts, ${run.forced} forced`);
      await api.stop();
    });
  }
});

class Run {
  conflicts = 0;
  forced = 0;
  readonly #subject: Subject;
  readonly #send: Send;
  readonly #random: Random;
  readonly #model = new Model();
  readonly #log: string[] = [];

  constructor(subject: Subject, send: Send, random: Random) {
    this.#subject = subject;
    this.#send = send;
    this.#random = random;
  }

  start(): Promise<void> {
    return this.#apply('base', this.#subject.base, false, 'start');
  }

  async step(step: number): Promise<void> {
    const random = this.#random;
    const fields = this.#subject.random(random);
    if (this.#subject.update && random.chance(0.3)) await this.#update(random.pick(updaters), fields);
    else await this.#apply(random.pick(appliers), fields, random.chance(0.4), String(step));
  }

  async #apply(manager: string, fields: Fields, force: boolean, step: string): Promise<void> {
    this.#log.push(`${step}: ${manager} applies${force ? ' with force' : ''} ${JSON.stringify([...fields])}`);
    const conflicts = this.#model.conflicts(manager, fields);
    const path = `${this.#subject.path}?fieldManager=${manager}${force ? '&force=true' : ''}`;
    const headers = { 'content-type': 'application/apply-patch+yaml' };
    const answer = await this.#send(`PATCH ${path}`, this.#subject.object(fields), headers);
    if (conflicts.length > 0 && !force) {
      this.conflicts++;
      assert.equal(answer.status, 409, this.#report(answer));
      const causes = new Set(answer.json.details.causes.map((cause: { field: string }) => cause.field));
      assert.equal(causes.size, conflicts.length, this.#report(answer));
      return;
    }
    assert.ok([200, 201].includes(answer.status), this.#report(answer));
    if (conflicts.length > 0) this.forced++;
    this.#model.apply(manager, fields);
    this.#check(answer);
    const again = await this.#send(`PATCH ${path}`, this.#subject.object(fields), headers);
    assert.equal(again.json.metadata.resourceVersion, answer.json.metadata.resourceVersion, this.#report(again));
  }

  async #update(manager: string, fields: Fields): Promise<void> {
    const current = this.#model.fields;
    const next = new Map([...this.#subject.base, ...fields]);
    if (this.#subject === deployment) {
      next.delete('replicas');
      if (current.has('replicas')) next.set('replicas', current.get('replicas'));
    }
    this.#log.push(`${manager} updates to ${JSON.stringify([...next])}`);
    const { body, type } = this.#subject.update!(next, current);
    const headers = { 'content-type': `application/${type}-patch+json` };
    const answer = await this.#send(`PATCH ${this.#subject.path}?fieldManager=${manager}`, body, headers);
    assert.equal(answer.status, 200, this.#report(answer));
    this.#model.update(manager, next);
    this.#check(answer);
  }

  /** The object has the fields the model has (and defaults), and their owners are the same. */
  #check(answer: Answered): void {
    const live = this.#subject.fields(answer.json);
    const known = [...live].filter(([name]) => this.#model.fields.has(name) || !/replicas|targetPort|protocol/.test(name));
    assert.deepEqual(known.sort(), [...this.#model.fields].sort(), this.#report(answer));
    const found = new Map<string, string[]>();
    for (const { manager, operation, fieldsV1 } of answer.json.metadata.managedFields) {
      const owned = paths(fieldsV1).map((path) => this.#subject.owned(path));
      found.set(`${manager} ${operation}`, owned.filter((name) => name !== undefined).sort());
    }
    for (const [owner, owned] of this.#model.owners) {
      assert.deepEqual(found.get(owner) ?? [], [...owned].sort(), `${owner}\n${this.#report(answer)}`);
    }
  }

  #report(answer: Answered): string {
    const owners = [...this.#model.owners].map(([owner, owned]) => `${owner}: ${[...owned]}`);
    return [...this.#log.slice(-8), ...owners, answer.body.slice(0, 3000)].join('\n');
  }
}

function paths(fields: Record<string, object>, above: readonly string[] = []): string[][] {
  return Object.entries(fields).flatMap(([name, below]) => {
    const path = [...above, name];
    return Object.keys(below).length === 0 ? [path] : paths(below as Record<string, object>, path);
  });
}
