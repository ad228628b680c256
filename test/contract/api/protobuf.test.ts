import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { decodeMessage, openEnvelope } from '../../../src/api/codec/protobuf.ts';
import { ProtobufReader } from '../../../src/api/codec/protobuf-reader.ts';
import { FakeClock } from '../../../src/lib/clock.ts';
import type { ApiServer } from '../../../src/server/api-server.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const protobuf = 'application/vnd.kubernetes.protobuf';

/** The bytes of each field of a message. */
function fieldsOf(bytes: Uint8Array): Map<number, Uint8Array[]> {
  const fields = new Map<number, Uint8Array[]>();
  const reader = new ProtobufReader(bytes);
  while (!reader.done) {
    const { number } = reader.tag();
    fields.set(number, [...(fields.get(number) ?? []), reader.bytes()]);
  }
  return fields;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every shape
type Any = any;

describe('answers in protobuf', () => {
  let server: ApiServer;
  let stop: () => Promise<void>;
  let send: Send;
  const clock = new FakeClock();
  before(async () => {
    ({ server, stop } = await startTestApi({ clock }));
    send = caller(server);
    await send(`POST ${maps}`, { metadata: { name: 'a', labels: { l: '1' } }, data: { k: 'v' } });
    await send(`POST ${maps}`, { metadata: { name: 'b' } });
  });
  after(() => stop());

  /** What a client gets that accepts nothing but protobuf. */
  async function ask(request: string, accept = protobuf) {
    const space = request.indexOf(' ');
    const { status, headers, bytes } = await server.inject({
      method: request.slice(0, space),
      url: request.slice(space + 1),
      headers: { accept },
    });
    return { status, type: headers['content-type'], bytes };
  }

  it('carry objects, lists and errors', async () => {
    const one = await ask(`GET ${maps}/a`);
    assert.deepEqual([one.status, one.type], [200, protobuf]);
    const { apiVersion, kind, raw } = openEnvelope(one.bytes);
    assert.deepEqual([apiVersion, kind], ['v1', 'ConfigMap']);
    const object = decodeMessage(raw, 'ConfigMap') as Any;
    assert.deepEqual([object.metadata.name, object.data], ['a', { k: 'v' }]);
    const list = openEnvelope((await ask(`GET ${maps}?limit=1`)).bytes);
    assert.equal(list.kind, 'ConfigMapList');
    const fields = fieldsOf(list.raw);
    const metadata = decodeMessage(fields.get(1)![0]!, 'ListMeta') as Any;
    assert.ok(metadata.continue && Number(metadata.resourceVersion) > 0);
    assert.equal(metadata.remainingItemCount, 1);
    assert.equal((decodeMessage(fields.get(2)![0]!, 'ConfigMap') as Any).metadata.name, 'a');
    const missing = await ask(`GET ${maps}/none`);
    assert.deepEqual([missing.status, missing.type], [404, protobuf]);
    const status = decodeMessage(openEnvelope(missing.bytes).raw, 'Status') as Any;
    assert.deepEqual([status.reason, status.code, status.details.name], ['NotFound', 404, 'none']);
  });

  it('carry bare metadata, but no tables', async () => {
    const as = (shape: string) => `${protobuf};as=${shape};g=meta.k8s.io;v=v1`;
    const list = openEnvelope((await ask(`GET ${maps}`, as('PartialObjectMetadataList'))).bytes);
    assert.deepEqual([list.apiVersion, list.kind], ['meta.k8s.io/v1', 'PartialObjectMetadataList']);
    const [first] = fieldsOf(list.raw).get(2)!;
    const metadata = decodeMessage(fieldsOf(first!).get(1)![0]!, 'ObjectMeta') as Any;
    assert.deepEqual(metadata.labels, { l: '1' });
    assert.equal((await ask(`GET ${maps}`, as('Table'))).status, 406);
  });

  it('carry the events of a watch', async () => {
    const answer = ask(`GET ${maps}?watch=1&timeoutSeconds=1&allowWatchBookmarks=1`);
    await send('GET /version');
    clock.advance(2000);
    const { type, bytes } = await answer;
    assert.equal(type, `${protobuf};stream=watch`);
    const events: string[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = new DataView(bytes.buffer, bytes.byteOffset + at).getUint32(0);
      const event = fieldsOf(bytes.subarray(at + 4, at + 4 + length));
      const { raw } = openEnvelope(fieldsOf(event.get(2)![0]!).get(1)![0]!);
      const { metadata } = decodeMessage(raw, 'ConfigMap') as Any;
      events.push(`${Buffer.from(event.get(1)![0]!)} ${metadata.name ?? metadata.annotations['k8s.io/initial-events-end']}`);
      at += 4 + length;
    }
    assert.deepEqual(events, ['ADDED a', 'ADDED b', 'BOOKMARK true']);
  });

  it('are only for those who accept nothing else', async () => {
    for (const accept of [`${protobuf},application/json`, `${protobuf}, */*`, `${protobuf};q=0.9, application/json;q=0.1`]) {
      assert.equal((await ask(`GET ${maps}/a`, accept)).type, 'application/json');
    }
    assert.equal((await ask(`GET ${maps}/a`, `text/html, ${protobuf}`)).type, protobuf);
    const metadata = ';as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    const both = [protobuf, 'application/json'].map((type) => type + metadata);
    assert.equal((await ask(`GET ${maps}/a`, both.join())).type, protobuf, 'metadata is put together for each client anyway');
    assert.equal((await ask(`GET ${maps}/a`, both.reverse().join())).type, 'application/json');
    assert.equal((await ask(`GET ${maps}/a`, 'application/cbor')).status, 406);
  });
});
