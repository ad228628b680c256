import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { caller, type Send } from '../../support/api-caller.ts';
import { startTestApi } from '../../support/api-server.ts';

const aggregated = { accept: 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json' };

describe('paths', () => {
  let stop: () => Promise<void>;
  let send: Send;
  before(async () => {
    const started = await startTestApi();
    stop = started.stop;
    send = caller(started.server);
  });
  after(() => stop());

  const rows: readonly [request: string, status: number, type?: string][] = [
    ['GET /nope', 404, 'text/plain; charset=utf-8'],
    ['GET /apis/unknown.io', 404, 'text/plain; charset=utf-8'],
    ['GET /apis/unknown.io/v1/things', 404, 'text/plain; charset=utf-8'],
    ['GET /apis/apps/v1/things', 404, 'application/json'],
    ['GET /api/v1', 200],
    ['GET /api/v1/', 200],
    ['GET /apis/apps', 200],
    ['GET /apis/apps/v1', 200],
    ['GET /api/v1/namespaces/default/nodes', 404],
    ['POST /api/v1/pods', 405],
    ['DELETE /api/v1/pods', 405],
    ['GET /api/v1/pods', 200],
    ['GET /api/v1/namespaces/default', 200],
    ['GET /api/v1/namespaces/default/pods/x/nothing', 404],
    ['GET /livez', 200],
    ['GET /livez/ping', 200],
    ['GET /livez/unknown', 404],
    ['GET /api/v1/pods?timeout=32s', 200],
    ['GET /api/v1/pods?timeout=soon', 400, 'application/json'],
    ['GET /version', 200],
    ['GET /metrics', 200, 'text/plain; version=0.0.4; charset=utf-8'],
    ['HEAD /api/v1/pods', 200],
  ];
  for (const [request, status, type] of rows) {
    it(`${request} is ${status}`, async () => {
      const answer = await send(request);
      assert.equal(answer.status, status, answer.body);
      if (type) assert.equal(answer.headers['content-type'], type);
    });
  }

  it('discovery comes in one document, with an ETag', async () => {
    const answer = await send('GET /apis', undefined, aggregated);
    assert.equal(answer.headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList');
    const groups = answer.json.items.map((i: { metadata: { name: string } }) => i.metadata.name);
    assert.deepEqual(groups.slice(0, 3), ['apiregistration.k8s.io', 'apps', 'events.k8s.io']);
    const autoscaling = answer.json.items.find((i: { metadata: { name: string } }) => i.metadata.name === 'autoscaling');
    assert.deepEqual(
      autoscaling.versions.map((v: { version: string }) => v.version),
      ['v2', 'v1'],
    );
    const etag = String(answer.headers['etag']);
    const again = await send('GET /apis', undefined, { ...aggregated, 'if-none-match': etag });
    assert.deepEqual([again.status, again.body], [304, '']);
    assert.equal((await send('GET /apis')).json.kind, 'APIGroupList');
  });

  it('health checks can be listed and left out', async () => {
    const { body } = await send('GET /readyz?verbose&exclude=ping&exclude=nonsense');
    assert.match(body, /^\[\+\]ping excluded: ok\n\[\+\]storage-readiness ok\nwarn: .*"nonsense"\nreadyz check passed\n$/);
  });

  it('health checks that fail are named; some speak only of readiness', async () => {
    const health = [
      { name: 'disk', check: () => 'it is full' },
      { name: 'nodes', readyOnly: true, check: () => 'none came' },
    ];
    const ill = await startTestApi({ overrides: { health } });
    const ask = async (path: string) => {
      const { status, body } = await caller(ill.server)(`GET ${path}`);
      return [status, body];
    };
    const live = '[+]ping ok\n[-]disk failed: it is full\n';
    assert.deepEqual(await ask('/livez'), [500, `${live}livez check failed\n`]);
    const ready = `${live}[-]nodes failed: none came\n[+]storage-readiness ok\n`;
    assert.deepEqual(
      (await ask('/readyz'))[1]?.toString().split('\n').sort(),
      `${ready}readyz check failed\n`.split('\n').sort(),
    );
    assert.deepEqual(await ask('/livez?exclude=disk'), [200, 'ok']);
    assert.deepEqual(await ask('/livez/disk'), [500, 'internal server error: it is full\n']);
    assert.equal((await ask('/livez/nodes'))[0], 404);
    await ill.stop();
  });

  it('large answers are compressed for those who accept it', async () => {
    const maps = '/api/v1/namespaces/default/configmaps';
    await send(`POST ${maps}`, { metadata: { name: 'large' }, data: { a: 'x'.repeat(200_000) } });
    await send(`POST ${maps}`, { metadata: { name: 'small' }, data: { a: 'x'.repeat(100_000) } });
    const small = await send(`GET ${maps}/small`, undefined, { 'accept-encoding': 'gzip' });
    assert.equal(small.headers['content-encoding'], undefined);
    const large = await send(`GET ${maps}/large`, undefined, { 'accept-encoding': 'br, gzip' });
    assert.equal(large.headers['content-encoding'], 'gzip');
    assert.ok(Number(large.body.length) < 10_000);
  });

  it('what a client would rather have counts more than its order', async () => {
    const typeFor = async (accept: string) =>
      (await send('GET /api/v1/namespaces/default', undefined, { accept })).headers['content-type'];
    assert.equal(await typeFor('application/yaml, application/json'), 'application/yaml');
    assert.equal(await typeFor('application/yaml;q=0.1, application/json;q=0.9'), 'application/json');
    assert.equal(await typeFor('application/json;q=0.5, application/yaml'), 'application/yaml');
  });

  it('people get indented JSON', async () => {
    const { body } = await send('GET /api/v1/namespaces/default', undefined, { 'user-agent': 'curl/8' });
    assert.match(body, /^\{\n {2}"kind": "Namespace",/);
  });
});
