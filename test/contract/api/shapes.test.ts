import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { FakeClock } from '../../../src/lib/clock.ts';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const shapes = ['Table', 'PartialObjectMetadataList'];
const accept = (as: string): { accept: string } => ({ accept: `application/json;as=${as};v=v1;g=meta.k8s.io` });

/** Without the version of the moment, which other objects move. */
function listOf(body: string): object {
  const list = JSON.parse(body);
  delete list.metadata.resourceVersion;
  delete list.metadata.continue;
  return list;
}

describe('lists in other shapes', () => {
  const clock = new FakeClock();
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    const started = await startTestApi({ clock });
    stop = started.stop;
    send = caller(started.server);
    const annotations = { braces: '}{"metadata":{', quotes: '\\"}', umlaut: 'grün 雪 😀' };
    const created = await send(`POST ${maps}`, {
      metadata: { name: 'a', labels: { l: 'x' }, annotations },
      data: { a: '{"metadata":{', b: '"}' },
    });
    assert.equal(created.status, 201);
    await send(`POST ${maps}`, { metadata: { name: 'b' }, binaryData: { x: 'AAA=' } });
    await send('POST /api/v1/namespaces/default/events', {
      metadata: { name: 'e' },
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      reason: 'Grüße',
      message: '"雪" {fällt} \\',
      type: 'Normal',
    });
    await send('POST /apis/coordination.k8s.io/v1/namespaces/default/leases', { metadata: { name: 'empty' } });
  });
  after(() => stop());

  const paths = [
    maps,
    '/api/v1/namespaces/default/events',
    '/apis/coordination.k8s.io/v1/leases',
    '/apis/rbac.authorization.k8s.io/v1/clusterroles',
    '/api/v1/nodes',
  ];
  for (const path of paths) {
    for (const as of shapes) {
      for (const query of as === 'Table'
        ? ['?', '?includeObject=Object', '?includeObject=None', '?limit=1']
        : ['?', '?limit=1']) {
        it(`${path}${query} as ${as}: from bytes the same as decoded`, async () => {
          const fromBytes = await send(`GET ${path}${query}`, undefined, accept(as));
          const decoded = await send(`GET ${path}${query}&pretty=1`, undefined, accept(as));
          assert.ok(decoded.body.includes('\n'), 'indented JSON is made from decoded objects');
          assert.ok(!fromBytes.body.includes('\n'));
          assert.deepEqual(listOf(fromBytes.body), listOf(decoded.body));
        });
      }
    }
  }

  it('in watches, metadata is the same as that of the object, for every kind of change', async () => {
    const { json } = await send(`GET ${maps}`);
    const path = `GET ${maps}?watch=1&timeoutSeconds=5&resourceVersion=${json.metadata.resourceVersion}`;
    const answers = [send(path), send(path, undefined, accept('PartialObjectMetadata'))];
    await send(`POST ${maps}`, { metadata: { name: 'w', annotations: { a: '}' } } });
    await send(`PUT ${maps}/w`, { metadata: { name: 'w', annotations: { b: '"' } } });
    await send(`DELETE ${maps}/w`);
    clock.advance(6000);
    const [whole, partial] = (await Promise.all(answers)).map((answer) =>
      answer.body
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    );
    assert.equal(partial!.length, 3);
    assert.deepEqual(
      partial,
      whole!.map(({ type, object: { metadata } }) => ({
        type,
        object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata },
      })),
    );
  });
});
