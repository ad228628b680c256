import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';

describe('patches', () => {
  let send: Send;
  let stop: () => Promise<void>;
  before(async () => {
    const api = await startTestApi();
    send = caller(api.server);
    stop = api.stop;
    await send(`POST ${maps}`, { metadata: { name: 'a' }, data: { x: '1' } });
  });
  after(() => stop());

  /** What upstream says when a patch makes something of an object that is none of its kind. */
  const unusable: readonly (readonly [name: string, type: string, patch: unknown, why: RegExp])[] = [
    [
      'a kind that is no text',
      'merge',
      { kind: [] },
      /: json: cannot unmarshal array into Go struct field \.kind of type string$/,
    ],
    [
      'a version that is no text',
      'strategic-merge',
      { apiVersion: {} },
      /^Invalid value: "map\[apiVersion:map\[\]\]": .*\.apiVersion /,
    ],
    ['another kind', 'merge', { kind: 'Secret' }, /": converting \(v1\.Secret\) to \(core\.ConfigMap\): unknown conversion$/],
    ['a version of three parts', 'merge', { apiVersion: 'a/b/c' }, /: unexpected GroupVersion string: a\/b\/c$/],
    [
      'a field of another type',
      'merge',
      { data: { x: 1 } },
      /^Invalid value: "\{\\"kind\\":\\"ConfigMap\\".*: json: cannot unmarshal number/,
    ],
    ['no object at all', 'json', [{ op: 'replace', path: '', value: 1 }], /^Invalid value: "1": /],
    ['metadata of another type', 'json', [{ op: 'replace', path: '/metadata', value: 'x' }], /: json: cannot unmarshal string/],
  ];
  for (const [name, type, patch, why] of unusable) {
    it(`${name} is refused as an invalid patch`, async () => {
      const answer = await send(`PATCH ${maps}/a`, patch, { 'content-type': `application/${type}-patch+json` });
      assert.equal(answer.status, 422, answer.body);
      assert.equal(answer.json.reason, 'Invalid');
      assert.match(answer.json.message, /^ "" is invalid: patch: Invalid value: /);
      const { message, ...cause } = answer.json.details.causes[0];
      assert.deepEqual([cause, Object.keys(answer.json.details)], [{ reason: 'FieldValueInvalid', field: 'patch' }, ['causes']]);
      assert.match(message, why);
    });
  }

  it('unknown fields are refused as an invalid patch when the client is strict', async () => {
    const strict = await send(
      `PATCH ${maps}/a?fieldValidation=Strict`,
      { spec: {} },
      { 'content-type': 'application/merge-patch+json' },
    );
    assert.equal(strict.status, 422, strict.body);
    assert.match(strict.json.details.causes[0].message, /: strict decoding error: unknown field "spec"$/);
  });

  it('nothing changes nothing, but as a merge patch it is none', async () => {
    const { json } = await send(`GET ${maps}/a`);
    for (const type of ['json', 'strategic-merge', 'merge']) {
      const answer = await send(`PATCH ${maps}/a`, 'null', { 'content-type': `application/${type}-patch+json` });
      if (type === 'merge') assert.deepEqual([answer.status, answer.json.message], [400, 'Invalid JSON Patch']);
      else assert.deepEqual(answer.json, json);
    }
  });

  it('a type nobody knows counts more than wrong options', async () => {
    for (const path of [`${maps}/a`, '/apis/apps/v1/namespaces/default/deployments/a/scale']) {
      const { status } = await send(`PATCH ${path}?dryRun=x&fieldValidation=x`, {}, { 'content-type': 'application/json' });
      assert.equal(status, 415);
    }
  });

  it('what is patched must still say its name and version', async () => {
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const missing = (name: string): string =>
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`;
    const applied = await send(`PATCH ${maps}/b?fieldManager=m`, 'kind: ConfigMap\napiVersion: v1\nmetadata: null', apply);
    assert.deepEqual([applied.status, applied.json.message], [400, missing('b')]);
    for (const body of [{ metadata: { name: null } }, { metadata: null }, { apiVersion: null }]) {
      const patched = await send(`PATCH ${maps}/a`, body, { 'content-type': 'application/merge-patch+json' });
      assert.deepEqual([patched.status, patched.json.message], [400, missing('a')]);
    }
  });

  it('two who apply what is not there yet both succeed', async () => {
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const body = (key: string) => `kind: ConfigMap\napiVersion: v1\nmetadata: {name: together}\ndata: {${key}: "1"}`;
    const managers = ['a', 'b', 'c'];
    const answers = await Promise.all(managers.map((m) => send(`PATCH ${maps}/together?fieldManager=${m}`, body(m), apply)));
    assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 201]);
    assert.deepEqual(Object.keys((await send(`GET ${maps}/together`)).json.data).sort(), managers);
  });

  it('a status is put or applied to what there is only', async () => {
    const apply = { 'content-type': 'application/apply-patch+yaml' };
    const put = { metadata: { name: 'none' }, spec: { ports: [{ port: 1 }] }, status: {} };
    assert.equal((await send('PUT /api/v1/namespaces/default/services/none/status', put)).status, 404);
    const deployments = '/apis/apps/v1/namespaces/default/deployments';
    const body = 'kind: Deployment\napiVersion: apps/v1\nstatus: {replicas: 1}';
    assert.equal((await send(`PATCH ${deployments}/none/status?fieldManager=m`, body, apply)).status, 404);
  });
});
