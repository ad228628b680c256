import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { encodeProtobuf } from '../../../src/api/codec/encode-protobuf.ts';
import { groupResource, type Kind } from '../../../src/api/kind.ts';
import { builtinKinds } from '../../../src/api/kinds/index.ts';
import { type AnyObject, apiVersionOf } from '../../../src/api/meta.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';
import { sampleOf } from '../../support/sample-objects.ts';

/** `/api/v1/namespaces/default/pods`: where objects of a kind are. */
function collection(kind: Kind): string {
  const prefix = kind.group ? '/apis' : '/api';
  const scope = kind.scope === 'Namespaced' ? 'namespaces/default/' : '';
  return `${prefix}/${apiVersionOf(kind)}/${scope}${kind.plural}`;
}

/** The server may have said something of the object in the meantime. */
function withoutStatus({ status: _status, metadata, ...object }: AnyObject): object {
  const { resourceVersion: _version, managedFields: _owners, finalizers: _finalizers, ...rest } = metadata;
  return { ...object, metadata: rest };
}

const stored = builtinKinds.filter((kind) => kind.verbs.includes('update') && kind.verbs.includes('create'));

describe('an object of every kind', () => {
  let send: Send;
  let stop: () => Promise<void>;

  before(async () => {
    const api = await startTestApi();
    send = caller(api.server);
    stop = api.stop;
    await send('POST /api/v1/namespaces/default/serviceaccounts', { metadata: { name: 'default' } });
  });
  after(() => stop());

  for (const kind of stored) {
    it(`${groupResource(kind)}/${kind.version}: what was read is written back without a change`, async () => {
      const sample = sampleOf(kind, `sample${kind.group.split('.')[0]}-${kind.version}`);
      const path = collection(kind);
      const created = await send(`POST ${path}`, sample);
      assert.equal(created.status, 201, created.body);
      const warnings = [created.headers['warning'] ?? []].flat().filter((text) => !text.includes(' is deprecated in '));
      assert.deepEqual(warnings, []);
      const one = `${path}/${created.json.metadata.name}`;
      const { json: read, body } = await send(`GET ${one}`);
      assert.deepEqual(withoutStatus(read), withoutStatus(created.json));
      const again = await send(`PUT ${one}`, read);
      assert.equal(again.status, 200, again.body);
      assert.equal(again.json.metadata.resourceVersion, read.metadata.resourceVersion, again.body);
      const yaml = await send(`GET ${one}`, undefined, { accept: 'application/yaml' });
      const fromYaml = await send(`PUT ${one}`, yaml.body, { 'content-type': 'application/yaml' });
      assert.equal(fromYaml.status, 200, fromYaml.body);
      assert.deepEqual(fromYaml.json, read);
      const fromProtobuf = await send(`PUT ${one}`, encodeProtobuf(read), {
        'content-type': 'application/vnd.kubernetes.protobuf',
      });
      assert.deepEqual([fromProtobuf.status, fromProtobuf.json], [200, read]);
      for (const type of ['merge-patch', 'strategic-merge-patch']) {
        const patched = await send(`PATCH ${one}`, body, { 'content-type': `application/${type}+json` });
        assert.deepEqual([patched.status, patched.json], [200, read], type);
      }
    });
  }
});
