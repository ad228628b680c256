import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type Answered, caller, type Send } from '../support/api-caller.ts';
import { startGuardedApi } from '../support/guarded-api.ts';
import { type Fields, nameOf, type Refusal, readRefusals, withMistake } from './refusals.ts';

/**
 * What a kube-apiserver 1.36.2 finds wrong with objects: each object of a YAML file is right, and the .txt file next to it has mistakes made
 * in it one at a time, in a create or in an update of the stored object, with everything the real server said of them, sorted.
 */
const files = globSync('test/golden/refusals/*.txt');

let send: Send;
let stop: () => Promise<void>;

before(async () => {
  const api = await startGuardedApi();
  stop = api.stop;
  send = caller(api.server);
  for (const name of ['shop', 'other']) {
    await created('/api/v1/namespaces', { metadata: { name } });
    await created(`/api/v1/namespaces/${name}/serviceaccounts`, { metadata: { name: 'default' } });
  }
});

after(() => stop());

for (const file of files) {
  const objects = parseAllDocuments(readFileSync(file.replace(/txt$/, 'yaml'), 'utf8')).map(
    (document) => document.toJS() as Fields,
  );
  const refusals = readRefusals(file);
  describe(file, () => {
    it('has mistakes for each object, and an object for each mistake', () => {
      assert.deepEqual(objects.map(nameOf), [...refusals.keys()]);
    });
    for (const object of objects) {
      it(nameOf(object), async () => {
        const path = await pathOf(object);
        const mistakes = refusals.get(nameOf(object))!;
        const creates = mistakes.filter(({ verb }) => verb === 'create');
        await compare(creates, (refusal) => send(`POST ${path}?dryRun=All`, withMistake(object, refusal)));
        await created(path, object);
        const url = `${path}/${object.metadata.name}`;
        const { resourceVersion } = (await send(`GET ${url}`)).json.metadata;
        const updates = mistakes.filter(({ verb }) => verb === 'update');
        await compare(updates, (refusal) => {
          const body = withMistake(object, refusal);
          return send(`PUT ${url}?dryRun=All`, { ...body, metadata: { ...body.metadata, resourceVersion } });
        });
      });
    }
  });
}

/** The path of an object's collection, from discovery. */
async function pathOf({ apiVersion, kind, metadata }: Fields): Promise<string> {
  const root = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`;
  const { resources } = (await send(`GET ${root}`)).json;
  const found = resources.find(
    (resource: { kind: string; name: string }) => resource.kind === kind && !resource.name.includes('/'),
  );
  return metadata.namespace ? `${root}/namespaces/${metadata.namespace}/${found.name}` : `${root}/${found.name}`;
}

async function created(path: string, body: unknown): Promise<void> {
  const answer = await send(`POST ${path}`, body);
  assert.equal(answer.status, 201, answer.body);
}

/** Makes each mistake, and compares the whole list at once: a change of a message shows everywhere it is used. */
async function compare(refusals: readonly Refusal[], make: (refusal: Refusal) => Promise<Answered>): Promise<void> {
  const actual: Refusal[] = [];
  for (const refusal of refusals) actual.push({ ...refusal, causes: causesOf(await make(refusal)) });
  assert.deepEqual(actual, refusals);
}

function causesOf(answer: Answered): string[] {
  if (answer.status !== 422) return [`${answer.status} ${answer.body}`];
  const causes: { field: string; message: string }[] = answer.json.details?.causes ?? [];
  return [...new Set(causes.map(({ field, message }) => `${field}: ${withoutObject(message)}`))].sort();
}

/** The real server writes objects in messages in the form of its own source, and further lines that show a difference of two. */
const withoutObject = (message: string): string =>
  message.replace(/((?:Invalid|Unsupported|Duplicate) value): (?:[[{].*[\]}]|null)(: |$)/s, '$1: {…}$2').replace(/\n.*/s, '');
