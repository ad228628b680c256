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
    ['GET /metrics', 200, 'text/plain; version=0.0.4; charset=utf-8; escaping=underscores'],
    ['HEAD /api/v1/pods', 405],
    ['HEAD /livez', 200],
    ['HEAD /version', 405],
    ['POST /version', 405, 'application/json'],
    ['POST /apis/apps', 405, 'application/json'],
    ['GET /apis/apps/v9', 404, 'application/json'],
    ['GET /apis/apps/v9/deployments', 404, 'application/json'],
    ['GET /api/v9/pods', 404, 'application/json'],
    ['GET /apis//v1/pods', 404, 'text/plain; charset=utf-8'],
    ['GET /api/v1/namespaces/default//configmaps', 404, 'application/json'],
    ['DELETE /api/v1/namespaces/default//configmaps', 404],
    ['PATCH /api/v1/namespaces/default//configmaps', 404],
    ['GET /api/v1/namespaces/default/configmaps/a/', 404],
    ['GET /api/v1/namespaces/default/configmaps/a%2Fb', 404],
    ['GET /api/v1/namespaces/default/configmaps/..', 400],
    ['DELETE /api/v1/namespaces/default/configmaps/.', 400],
    ['GET /api/v1/namespaces/default/configmaps/a%25b', 400],
    ['GET /api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Da/b', 200],
    ['GET /api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3D..', 200],
    ['GET /api/v9', 404, 'application/json'],
    ['GET /apis/unknown.io/v1', 404, 'text/plain; charset=utf-8'],
    ['GET /livez/', 404],
    ['GET /livez/etcd', 200, 'text/plain; charset=utf-8'],
    ['GET /livez/informer-sync', 404],
    ['GET /readyz/informer-sync', 200],
    ['GET /readyz/poststarthook/storage-readiness', 200],
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
    assert.deepEqual(autoscaling.metadata, { name: 'autoscaling' });
    const [autoscaler] = autoscaling.versions[0].resources;
    assert.deepEqual(autoscaler.responseKind, { group: '', version: '', kind: 'HorizontalPodAutoscaler' });
    const deployments = answer.json.items
      .find((i: { metadata: { name: string } }) => i.metadata.name === 'apps')
      .versions[0].resources.find((r: { resource: string }) => r.resource === 'deployments');
    const [scale, status] = deployments.subresources;
    assert.deepEqual(scale.responseKind, { group: 'autoscaling', version: 'v1', kind: 'Scale' });
    assert.deepEqual(status.responseKind, { group: '', version: '', kind: 'Deployment' });
    const etag = String(answer.headers['etag']);
    const again = await send('GET /apis', undefined, { ...aggregated, 'if-none-match': etag });
    assert.deepEqual([again.status, again.body], [304, '']);
    assert.equal((await send('GET /apis')).json.kind, 'APIGroupList');
  });

  it('discovery tells which version of each kind is stored', async () => {
    const hashes = async (path: string): Promise<Record<string, string | undefined>> => {
      const { resources } = (await send(`GET ${path}`)).json;
      return Object.fromEntries(
        resources.map((r: { name: string; storageVersionHash?: string }) => [r.name, r.storageVersionHash]),
      );
    };
    const core = await hashes('/api/v1');
    assert.deepEqual(
      [core['configmaps'], core['pods/status'], core['bindings'], core['componentstatuses']],
      ['qFsyl6wFWjQ=', undefined, undefined, undefined],
    );
    assert.equal((await hashes('/apis/events.k8s.io/v1'))['events'], core['events']);
    const [old, now] = await Promise.all(['v1', 'v2'].map((version) => hashes(`/apis/autoscaling/${version}`)));
    assert.equal(old!['horizontalpodautoscalers'], 'qwQve8ut294=');
    assert.deepEqual(old, { ...now });
  });

  it('health checks can be listed and left out', async () => {
    const { body } = await send('GET /readyz?verbose&exclude=ping&exclude=other&exclude=nonsense');
    assert.match(
      body,
      /^\[\+\]ping excluded: ok\n\[\+\]etcd ok\n(?:\[\+\]\S+ ok\n)*\[\+\]shutdown ok\nwarn: .* matches for "nonsense","other"\nreadyz check passed\n$/,
    );
  });

  it('what is not served is not deprecated either', async () => {
    const { status, headers } = await send('DELETE /api/v1/componentstatuses');
    assert.deepEqual([status, headers['warning']], [405, undefined]);
    assert.ok((await send('GET /api/v1/componentstatuses')).headers['warning']);
  });

  it('discovery is refused to those who cannot read it', async () => {
    const refusal = async (path: string, accept: string): Promise<string> => {
      const answer = await send(`GET ${path}`, undefined, { accept });
      return `${answer.status} ${answer.json?.message ?? answer.headers['content-type']}`;
    };
    const types = 'application/json, application/yaml, application/vnd.kubernetes.protobuf';
    const only = `406 only the following media types are accepted: ${types}`;
    const old = 'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList';
    assert.equal(await refusal('/apis', 'text/html'), only);
    assert.equal(await refusal('/api/v1', 'text/html'), `406 406: Not Acceptable\n\nAvailable representations: ${types}`);
    assert.equal(await refusal('/apis', old), only);
    assert.equal(await refusal('/apis/apps', 'text/html'), only);
    assert.equal(await refusal('/apis/apps/v1', old), only);
    assert.equal(await refusal('/apis/apps/v1', `${old}, application/json`), '200 application/json');
    assert.equal((await send('GET /apis')).headers['vary'], undefined);
  });

  it('the list of paths names groups, checks and documents', async () => {
    const { paths } = (await send('GET /')).json;
    for (const path of ['/apis/apps', '/apis/apps/v1', '/livez/ping', '/readyz/shutdown', '/openapi/v2', '/version'])
      assert.ok(paths.includes(path), path);
    assert.ok(!paths.includes('/livez/shutdown'));
    for (const path of paths.filter((p: string) => !p.startsWith('/openapi')))
      assert.equal((await send(`GET ${path}`)).status, 200, path);
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
    const failures = async (path: string) => {
      const [status, body] = await ask(path);
      return [
        status,
        ...String(body)
          .split('\n')
          .filter((line) => line !== '' && !line.startsWith('[+]')),
      ];
    };
    const disk = '[-]disk failed: reason withheld';
    assert.deepEqual(await failures('/livez'), [500, disk, 'livez check failed']);
    assert.deepEqual(await failures('/readyz'), [500, disk, '[-]nodes failed: reason withheld', 'readyz check failed']);
    assert.deepEqual(await ask('/livez?exclude=disk'), [200, 'ok']);
    assert.deepEqual(await ask('/livez/disk'), [500, 'internal server error: it is full\n']);
    assert.equal((await ask('/livez/nodes'))[0], 404);
    const counted = String((await ask('/metrics/slis'))[1]);
    assert.match(counted, /^kubernetes_healthcheck\{name="disk",type="livez"\} 0$/m);
    assert.match(counted, /^kubernetes_healthchecks_total\{name="disk",status="error",type="livez"\} 1$/m);
    assert.match(counted, /^kubernetes_healthcheck\{name="ping",type="readyz"\} 1$/m);
    await ill.stop();
  });

  it('there is nothing below a sub-resource', async () => {
    const below = await send('GET /api/v1/namespaces/default/status/x');
    assert.deepEqual([below.status, JSON.parse(below.body).message], [404, 'the server could not find the requested resource']);
    assert.equal((await send('GET /api/v1/namespaces/default/status/')).status, 200);
  });

  it('large answers are compressed for those who accept it', async () => {
    const maps = '/api/v1/namespaces/default/configmaps';
    await send(`POST ${maps}`, { metadata: { name: 'large' }, data: { a: 'x'.repeat(200_000) } });
    await send(`POST ${maps}`, { metadata: { name: 'small' }, data: { a: 'x'.repeat(100_000) } });
    const small = await send(`GET ${maps}/small`, undefined, { 'accept-encoding': 'gzip' });
    assert.equal(small.headers['content-encoding'], undefined);
    const large = await send(`GET ${maps}/large`, undefined, { 'accept-encoding': 'br, gzip' });
    assert.equal(large.headers['content-encoding'], 'gzip');
    for (const refused of ['br', 'xgzip', 'gzip;q=0', 'gzip; q=0.0, br']) {
      const plain = await send(`GET ${maps}/large`, undefined, { 'accept-encoding': refused });
      assert.equal(plain.headers['content-encoding'], undefined, refused);
    }
    assert.ok(Number(large.body.length) < 10_000);
  });

  it('what a client would rather have counts more than its order', async () => {
    const typeFor = async (accept: string) =>
      (await send('GET /api/v1/namespaces/default', undefined, { accept })).headers['content-type'];
    assert.equal(await typeFor('application/yaml, application/json'), 'application/yaml');
    assert.equal(await typeFor('application/yaml;q=0.1, application/json;q=0.9'), 'application/json');
    assert.equal(await typeFor('application/json;q=0.5, application/yaml'), 'application/yaml');
  });

  it('a warning about a kind is for those who reach it', async () => {
    for (const path of ['componentstatuses', 'endpoints/x/status'])
      assert.equal((await send(`GET /api/v1/namespaces/default/${path}`)).headers['warning'], undefined);
    assert.ok((await send('GET /api/v1/componentstatuses')).headers['warning']);
  });

  it('answers can be found again by the id of their request', async () => {
    const ids = await Promise.all([1, 2].map(async () => (await send('GET /version')).headers['audit-id']));
    for (const id of ids) assert.match(String(id), /^[\da-f-]{36}$/);
    assert.equal(new Set(ids).size, 2);
  });

  it('people get indented JSON', async () => {
    const { body } = await send('GET /api/v1/namespaces/default', undefined, { 'user-agent': 'curl/8' });
    assert.match(body, /^\{\n {2}"kind": "Namespace",/);
  });
});
