import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, mergePatch, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const pods = '/api/v1/namespaces/default/pods';
const jsonPatch = { 'content-type': 'application/json-patch+json' };
const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
const yaml = { 'content-type': 'application/yaml' };

describe('bodies', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    ({ server, stop } = await startTestApi());
    send = caller(server);
    await send(`POST ${maps}`, { metadata: { name: 'a' }, data: { a: '1' } });
  });
  after(() => stop());

  const refusals: [name: string, body: unknown, headers: Record<string, string>, code: number, message: RegExp][] = [
    [
      'a patched object of the wrong type',
      { data: { z: 5 } },
      mergePatch,
      422,
      /^ "" is invalid: patch: Invalid value: "\{\\"kind\\":\\"ConfigMap\\",.*\}": json: cannot unmarshal number into Go struct field ConfigMap\.data of type string$/,
    ],
    [
      'the same from a strategic merge patch',
      { data: { z: 5 } },
      strategic,
      422,
      /^ "" is invalid: patch: Invalid value: "map\[data:map\[z:5\]\]": json: cannot unmarshal/,
    ],
    ['unknown fields', { bogus: 1 }, mergePatch, 422, /: strict decoding error: unknown field "bogus"$/],
    ['equal fields', '{"data":{"a":"1","a":"2"}}', mergePatch, 422, /: strict decoding error: duplicate field "data\.a"$/],
    [
      'equal fields of a strategic merge patch',
      '{"data":{"a":"1","a":"2"}}',
      strategic,
      422,
      /Invalid value: "map\[data:map\[a:2\]\]": strict decoding error: duplicate field "data\.a"$/,
    ],
    [
      'unknown fields of an operation',
      [{ op: 'add', path: '/data/a', value: '1', foo: 1 }],
      jsonPatch,
      422,
      /: strict decoding error: json patch unknown field "\[0\]\.foo"$/,
    ],
    [
      'a merge patch that is a list',
      '[1]',
      mergePatch,
      400,
      /^error decoding patch: json: cannot unmarshal array into Go value of type map\[string\]interface {}$/,
    ],
    ['a strategic merge patch that is a list', '[1]', strategic, 400, /^json: cannot unmarshal array into Go value of type map/],
    [
      'a JSON patch that is an object',
      '{}',
      jsonPatch,
      400,
      /^error decoding patch: json: cannot unmarshal object into Go value of type \[\]handlers\.jsonPatchOp$/,
    ],
    [
      'an operation that is a number',
      '[5]',
      jsonPatch,
      400,
      /cannot unmarshal number into Go value of type handlers\.jsonPatchOp$/,
    ],
    ['a path that is a number', [{ op: 'remove', path: 5 }], jsonPatch, 400, /Go struct field jsonPatchOp\.path of type string$/],
    [
      'an operation nobody knows',
      [{ op: 'jump', path: '/data/a' }],
      jsonPatch,
      422,
      /^the server rejected our request due to an error in our request$/,
    ],
    ['half a merge patch', '{"data":', mergePatch, 400, /^error decoding patch: unexpected end of JSON input$/],
    ['half a strategic merge patch', '{"data":', strategic, 400, /^unexpected end of JSON input$/],
  ];
  for (const [name, body, headers, code, message] of refusals) {
    it(`refuses ${name}`, async () => {
      const { status, json } = await send(`PATCH ${maps}/a?fieldValidation=Strict`, body, headers);
      assert.equal(status, code);
      assert.match(json.message, message);
    });
  }

  it('warns of what a patch has too much', async () => {
    const operations = '[{"op":"add","op":"add","path":"/data/b","value":"1"}]';
    const { status, headers } = await send(`PATCH ${maps}/a`, operations, jsonPatch);
    assert.deepEqual([status, headers['warning']], [200, ['299 - "json patch duplicate field \\"[0].op\\""']]);
    const ignored = await send(`PATCH ${maps}/a?fieldValidation=Ignore`, '{"bogus":1,"data":{"b":"1","b":"2"}}', mergePatch);
    assert.deepEqual([ignored.status, ignored.headers['warning']], [200, undefined]);
  });

  it('takes the first of several YAML documents', async () => {
    const text = 'metadata:\n  name: first\n---\nmetadata:\n  name: second\n';
    const { status, json } = await send(`POST ${maps}`, text, yaml);
    assert.deepEqual([status, json.metadata.name], [201, 'first']);
    assert.equal((await send(`GET ${maps}/second`)).status, 404);
  });

  it('refuses what comes after a JSON object', async () => {
    const { status, json } = await send(`POST ${maps}`, '{"metadata":{"name":"x"}}{"metadata":{"name":"y"}}');
    assert.equal(status, 400);
    assert.match(json.message, /invalid character '\{' after top-level value/);
  });

  it('refuses integers that have a fraction or that it could not keep', async () => {
    const post = (grace: string) =>
      send(
        `POST ${pods}`,
        `{"metadata":{"generateName":"p-"},"spec":{"terminationGracePeriodSeconds":${grace},"containers":[{"name":"c","image":"i"}]}}`,
      );
    const field = 'into Go struct field PodSpec.spec.terminationGracePeriodSeconds of type int64';
    for (const grace of ['30.0', '3e1', '9223372036854775808', '9007199254740993']) {
      const { status, json } = await post(grace);
      assert.equal(status, 400);
      assert.ok(json.message.includes(`json: cannot unmarshal number ${grace} ${field}`), json.message);
    }
    assert.equal((await post('9007199254740991')).json.spec.terminationGracePeriodSeconds, Number.MAX_SAFE_INTEGER);
  });

  it('takes version 0 for none, and refuses what is no version', async () => {
    const put = (resourceVersion: string) => send(`PUT ${maps}/a`, { metadata: { name: 'a', resourceVersion } });
    assert.equal((await put('0')).status, 200);
    const { status, json } = await put('abc');
    assert.deepEqual([status, json.message], [500, 'strconv.ParseUint: parsing "abc": invalid syntax']);
    assert.equal((await put('1')).status, 409);
    const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases';
    await send(`POST ${leases}`, { metadata: { name: 'l' } });
    assert.equal((await send(`PUT ${leases}/l`, { metadata: { name: 'l', resourceVersion: '0' } })).status, 422);
  });
});
