/**
 * What a client must not send, sent to a real server over HTTPS: the right refusal, nothing half-written, and a server that goes on.
 * One file, because all of it is sent to one server, which must still be well at the end.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, constants } from 'node:http2';
import { Agent } from 'node:https';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { eventually } from '../../support/eventually.ts';
import { isolated } from '../../support/isolated.ts';
import { type Answer, ServerProcess } from '../../support/server-process.ts';
import { throwAwayTls } from '../../support/throw-away-tls.ts';

const maps = '/api/v1/namespaces/default/configmaps';
const deployments = '/apis/apps/v1/namespaces/default/deployments';
const json = { 'content-type': 'application/json' };
const yaml = { 'content-type': 'application/yaml' };
const protobuf = { 'content-type': 'application/vnd.kubernetes.protobuf' };
const patchType = (name: string): Record<string, string> => ({ 'content-type': `application/${name}` });
const configMap = (changes: object = {}): object => ({ metadata: { name: 'new' }, ...changes });
/** The most that a request body may have, as upstream. */
const bodyLimit = 3 * 1024 * 1024;
/** What the server may grow by while all of this happens. */
const growthLimitMib = 150;

interface Row {
  readonly name: string;
  /** `METHOD path`. */
  readonly request: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly status: number;
  readonly reason?: string;
  readonly message?: RegExp;
}

const bodies: readonly Row[] = [
  { name: 'broken JSON', request: `POST ${maps}`, body: '{"metadata":{"name":', status: 400, reason: 'BadRequest' },
  { name: 'an empty body', request: `POST ${maps}`, body: '', status: 400, reason: 'BadRequest' },
  { name: 'JSON that is no object', request: `POST ${maps}`, body: '[1]', status: 400, reason: 'BadRequest' },
  { name: 'null', request: `POST ${maps}`, body: 'null', status: 422, reason: 'Invalid' },
  { name: 'text that is not UTF-8', request: `POST ${maps}`, body: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]), status: 400 },
  { name: 'very deep JSON', request: `POST ${maps}`, body: `{"data":${'['.repeat(100_000)}`, status: 400, reason: 'BadRequest' },
  { name: 'broken YAML', request: `POST ${maps}`, body: 'metadata: [name', headers: yaml, status: 400, reason: 'BadRequest' },
  {
    name: 'YAML whose aliases explode',
    request: `POST ${maps}`,
    body: `a: &a [${'x,'.repeat(99)}]\n${[...'bcdefgh'].map((c, i) => `${c}: &${c} [${`*${'abcdefg'[i]},`.repeat(99)}]`).join('\n')}\n`,
    headers: yaml,
    status: 400,
    reason: 'BadRequest',
  },
  {
    name: 'truncated protobuf',
    request: `POST ${maps}`,
    body: Buffer.from('6b38730a0a0a02763112', 'hex'),
    headers: protobuf,
    status: 400,
  },
  { name: 'protobuf without its magic', request: `POST ${maps}`, body: Buffer.from('hello'), headers: protobuf, status: 400 },
  {
    name: 'an unknown content type',
    request: `POST ${maps}`,
    body: '<a/>',
    headers: { 'content-type': 'text/xml' },
    status: 415,
    reason: 'UnsupportedMediaType',
  },
  {
    name: 'a body beyond the limit',
    request: `POST ${maps}`,
    body: configMap({ data: { a: 'x'.repeat(bodyLimit) } }),
    status: 413,
    reason: 'RequestEntityTooLarge',
    message: /limit is 3145728/,
  },
  {
    name: 'a ConfigMap beyond 1 MiB',
    request: `POST ${maps}`,
    body: configMap({ data: { a: 'x'.repeat(1.5 * 1024 * 1024) } }),
    status: 422,
    reason: 'Invalid',
    message: /must have at most 1048576 bytes|Too long/,
  },
  {
    name: 'another kind',
    request: `POST ${maps}`,
    body: { kind: 'Secret', apiVersion: 'v1' },
    status: 400,
    reason: 'BadRequest',
  },
  { name: 'another version', request: `POST ${maps}`, body: configMap({ kind: 'ConfigMap', apiVersion: 'v2' }), status: 400 },
  { name: 'a number for text', request: `POST ${maps}`, body: configMap({ data: { a: 1 } }), status: 400, reason: 'BadRequest' },
  { name: 'a list for an object', request: `POST ${maps}`, body: configMap({ data: [] }), status: 400, reason: 'BadRequest' },
  {
    name: 'text for a number',
    request: `POST ${deployments}`,
    body: { metadata: { name: 'd' }, spec: { replicas: 'two' } },
    status: 400,
    reason: 'BadRequest',
  },
  {
    name: 'no name',
    request: `POST ${maps}`,
    body: { metadata: {} },
    status: 422,
    reason: 'Invalid',
    message: /name or generateName is required/,
  },
  { name: 'a bad name', request: `POST ${maps}`, body: configMap({ metadata: { name: 'A_b' } }), status: 422, reason: 'Invalid' },
  {
    name: 'a long name',
    request: `POST ${maps}`,
    body: configMap({ metadata: { name: 'a'.repeat(254) } }),
    status: 422,
    reason: 'Invalid',
  },
  {
    name: 'a bad label',
    request: `POST ${maps}`,
    body: configMap({ metadata: { name: 'a', labels: { 'a b': '' } } }),
    status: 422,
  },
  { name: 'a bad key', request: `POST ${maps}`, body: configMap({ data: { 'a/b': '' } }), status: 422, reason: 'Invalid' },
  {
    name: 'another namespace',
    request: `POST ${maps}`,
    body: configMap({ metadata: { name: 'a', namespace: 'b' } }),
    status: 400,
  },
  {
    name: 'a resourceVersion to create',
    request: `POST ${maps}`,
    body: configMap({ metadata: { name: 'a', resourceVersion: '1' } }),
    status: 500,
    message: /resourceVersion should not be set/,
  },
  {
    name: 'a missing namespace',
    request: 'POST /api/v1/namespaces/nowhere/configmaps',
    body: configMap(),
    status: 404,
    reason: 'NotFound',
    message: /namespaces "nowhere" not found/,
  },
  {
    name: 'a name that is taken',
    request: `POST ${maps}`,
    body: configMap({ metadata: { name: 'here' } }),
    status: 409,
    reason: 'AlreadyExists',
  },
  {
    name: 'an invalid deployment',
    request: `POST ${deployments}`,
    body: { metadata: { name: 'd' }, spec: { selector: {}, template: {} } },
    status: 422,
    reason: 'Invalid',
    message: /spec\.template\.spec\.containers: Required value/,
  },
];

const strict: readonly Row[] = [
  {
    name: 'an unknown field, Strict',
    request: `POST ${maps}?fieldValidation=Strict`,
    body: configMap({ date: {} }),
    status: 400,
    reason: 'BadRequest',
    message: /strict decoding error: unknown field "date"/,
  },
  {
    name: 'a duplicate key, Strict',
    request: `POST ${maps}?fieldValidation=Strict`,
    body: '{"metadata":{"name":"new"},"data":{"a":"1","a":"2"}}',
    status: 400,
    message: /strict decoding error: duplicate field "data\.a"/,
  },
  {
    name: 'a duplicate key in YAML, Strict',
    request: `POST ${maps}?fieldValidation=Strict`,
    body: 'metadata: {name: new}\ndata:\n  a: "1"\n  a: "2"\n',
    headers: yaml,
    status: 400,
    message: /already set in map|duplicate/,
  },
  {
    name: 'an unknown fieldValidation',
    request: `POST ${maps}?fieldValidation=Some`,
    body: configMap(),
    status: 422,
    reason: 'Invalid',
  },
];

const updates: readonly Row[] = [
  {
    name: 'a stale resourceVersion',
    request: `PUT ${maps}/here`,
    body: configMap({ metadata: { name: 'here', resourceVersion: '1' } }),
    status: 409,
    reason: 'Conflict',
    message: /the object has been modified/,
  },
  {
    name: 'a resourceVersion that is none',
    request: `PUT ${maps}/here`,
    body: configMap({ metadata: { name: 'here', resourceVersion: 'x' } }),
    status: 500,
  },
  {
    name: 'another uid',
    request: `PUT ${maps}/here`,
    body: configMap({ metadata: { name: 'here', uid: 'x' } }),
    status: 409,
    reason: 'Conflict',
  },
  {
    name: 'another name',
    request: `PUT ${maps}/here`,
    body: configMap({ metadata: { name: 'there' } }),
    status: 400,
    reason: 'BadRequest',
  },
  {
    name: 'an object that is not there',
    request: `PUT ${maps}/nowhere`,
    body: configMap({ metadata: { name: 'nowhere' } }),
    status: 404,
  },
  { name: 'a broken JSON patch', request: `PATCH ${maps}/here`, body: '[{', headers: patchType('json-patch+json'), status: 400 },
  {
    name: 'an unknown patch operation',
    request: `PATCH ${maps}/here`,
    body: '[{"op":"frob","path":"/data"}]',
    headers: patchType('json-patch+json'),
    status: 422,
  },
  {
    name: 'a JSON patch whose test fails',
    request: `PATCH ${maps}/here`,
    body: '[{"op":"test","path":"/data/a","value":"9"}]',
    headers: patchType('json-patch+json'),
    status: 422,
    reason: 'Invalid',
  },
  {
    name: 'a JSON patch of a missing path',
    request: `PATCH ${maps}/here`,
    body: '[{"op":"remove","path":"/data/nope"}]',
    headers: patchType('json-patch+json'),
    status: 422,
    reason: 'Invalid',
  },
  {
    name: 'a JSON patch with too many operations',
    request: `PATCH ${maps}/here`,
    body: JSON.stringify(Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/kind', value: 'ConfigMap' }))),
    headers: patchType('json-patch+json'),
    status: 413,
    reason: 'RequestEntityTooLarge',
  },
  {
    name: 'a merge patch that is a list',
    request: `PATCH ${maps}/here`,
    body: '[]',
    headers: patchType('merge-patch+json'),
    status: 400,
  },
  {
    name: 'a merge patch of the wrong type',
    request: `PATCH ${maps}/here`,
    body: '{"data":1}',
    headers: patchType('merge-patch+json'),
    status: 422,
  },
  {
    name: 'a strategic patch with an unknown directive',
    request: `PATCH ${maps}/here`,
    body: '{"data":{"$patch":"frob"}}',
    headers: patchType('strategic-merge-patch+json'),
    status: 500,
  },
  {
    name: 'an apply without a manager',
    request: `PATCH ${maps}/here`,
    body: '{}',
    headers: patchType('apply-patch+yaml'),
    status: 422,
  },
  {
    name: 'an apply of another name',
    request: `PATCH ${maps}/here?fieldManager=m`,
    body: '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"there"}}',
    headers: patchType('apply-patch+yaml'),
    status: 400,
  },
  {
    name: 'force without apply',
    request: `PATCH ${maps}/here?force=true`,
    body: '{}',
    headers: patchType('merge-patch+json'),
    status: 422,
    reason: 'Invalid',
  },
  {
    name: 'an unknown patch type',
    request: `PATCH ${maps}/here`,
    body: '{}',
    headers: json,
    status: 415,
    reason: 'UnsupportedMediaType',
  },
];

const addresses: readonly Row[] = [
  { name: 'an unknown resource', request: 'GET /api/v1/nothings', status: 404 },
  { name: 'an unknown group', request: 'GET /apis/example.com/v1/things', status: 404 },
  { name: 'an unknown path', request: 'GET /nothing', status: 404 },
  { name: 'an unknown sub-resource', request: `GET ${maps}/here/nothing`, status: 404 },
  { name: 'an unknown method', request: `PROPFIND ${maps}`, status: 405, reason: 'MethodNotAllowed' },
  { name: 'a method the resource has not', request: `POST ${maps}/here`, body: {}, status: 405, reason: 'MethodNotAllowed' },
  { name: 'an escaped slash', request: 'GET /api/v1/namespaces/a%2Fb/configmaps/x', status: 404 },
  { name: 'a broken escape', request: 'GET /api/v1/namespaces/%zz/configmaps', status: 400, reason: 'BadRequest' },
  { name: 'dots', request: 'GET /api/v1/namespaces/../../etc/passwd', status: 404 },
  {
    name: 'a type that cannot be had',
    request: `GET ${maps}`,
    headers: { accept: 'text/xml' },
    status: 406,
    reason: 'NotAcceptable',
  },
];

const parameters: readonly Row[] = [
  { name: 'limit', request: `GET ${maps}?limit=x`, status: 400 },
  {
    name: 'continue',
    request: `GET ${maps}?continue=x`,
    status: 400,
    reason: 'BadRequest',
    message: /continue key is not valid/,
  },
  { name: 'resourceVersion', request: `GET ${maps}?resourceVersion=x`, status: 400, reason: 'BadRequest' },
  {
    name: 'a resourceVersion to come',
    request: `GET ${maps}?resourceVersion=999999999`,
    status: 504,
    reason: 'Timeout',
    message: /Too large resource version/,
  },
  { name: 'resourceVersionMatch alone', request: `GET ${maps}?resourceVersionMatch=Exact`, status: 422, reason: 'Invalid' },
  { name: 'labelSelector', request: `GET ${maps}?labelSelector=a%3D%3D%3Db`, status: 400, reason: 'BadRequest' },
  {
    name: 'fieldSelector',
    request: `GET ${maps}?fieldSelector=data.a%3Db`,
    status: 400,
    message: /is not a known field selector/,
  },
  { name: 'dryRun', request: `POST ${maps}?dryRun=Some`, body: configMap(), status: 422, reason: 'Invalid' },
  { name: 'propagationPolicy', request: `DELETE ${maps}/here?propagationPolicy=Some`, status: 422, reason: 'Invalid' },
  { name: 'gracePeriodSeconds', request: `DELETE ${maps}/here?gracePeriodSeconds=x`, status: 400 },
  {
    name: 'DeleteOptions',
    request: `DELETE ${maps}/here`,
    body: '{"gracePeriodSeconds":"x"}',
    status: 400,
    reason: 'BadRequest',
  },
  {
    name: 'a uid precondition',
    request: `DELETE ${maps}/here`,
    body: { preconditions: { uid: 'x' } },
    status: 409,
    reason: 'Conflict',
    message: /UID in the precondition/,
  },
  { name: 'sendInitialEvents without watch', request: `GET ${maps}?sendInitialEvents=true`, status: 422, reason: 'Invalid' },
];

isolated(import.meta.url, ({ folder }) => {
  describe('bad input', () => {
    const server = new ServerProcess(folder);
    let memoryBefore = 0;

    before(async () => {
      await server.start();
      await eventually('a namespace', async () => (await server.call('GET', '/api/v1/namespaces/default')).status === 200);
      assert.equal((await server.call('POST', maps, { metadata: { name: 'here' }, data: { a: '1' } })).status, 201);
      memoryBefore = memoryMib(server.pid);
    });
    after(() => server.stop());

    let stateBefore: string;
    const state = async (): Promise<string> => {
      const lists = await Promise.all([maps, deployments].map((path) => server.call('GET', path)));
      return JSON.stringify(lists.map(({ body }) => JSON.parse(body).items));
    };
    beforeEach(async () => {
      stateBefore = await state();
    });
    afterEach(async () => {
      assert.equal(await state(), stateBefore, 'nothing was written');
    });

    const groups = { bodies, strict, updates, addresses, parameters };
    for (const [group, rows] of Object.entries(groups))
      describe(group, () => {
        for (const row of rows)
          it(row.name, async () => {
            const [method = '', path = ''] = row.request.split(' ');
            check(row, await server.call(method, path, row.body, { headers: row.headers ?? {} }));
          });
      });

    it('warns of unknown and duplicate fields unless told otherwise', async () => {
      const body = '{"metadata":{"name":"new"},"date":{},"data":{"a":"1","a":"2"}}';
      const warned = await server.call('POST', `${maps}?dryRun=All`, body);
      assert.equal(warned.status, 201);
      assert.match(String(warned.headers['warning']), /299 - "unknown field \\"date\\"".*duplicate field \\"data\.a\\"/s);
      const ignored = await server.call('POST', `${maps}?dryRun=All&fieldValidation=Ignore`, body);
      assert.deepEqual([ignored.status, ignored.headers['warning']], [201, undefined]);
    });

    describe('identities', () => {
      const as = async (headers: Record<string, string>, certificate: object = {}): Promise<Answer> => {
        const { ca, servername } = server.credentials;
        const agent = new Agent({ ca, servername, ...certificate });
        return server.call('GET', maps, undefined, { agent, headers }).finally(() => agent.destroy());
      };
      const refused: readonly (readonly [name: string, headers: Record<string, string>, status: number])[] = [
        ['nobody', {}, 403],
        ['a token that is none', { authorization: 'Bearer nonsense' }, 401],
        ['a forged token', { authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJzeXN0ZW06bWFzdGVycyJ9.' }, 401],
        ['an empty token', { authorization: 'Bearer ' }, 403],
        ['a password', { authorization: 'Basic YTpi' }, 403],
        ['forged identity headers', { 'x-remote-user': 'admin', 'x-remote-group': 'system:masters' }, 403],
        ['impersonation by nobody', { 'impersonate-user': 'system:admin' }, 403],
      ];
      for (const [name, headers, status] of refused)
        it(name, async () => {
          const answer = await as(headers);
          check({ status, reason: status === 401 ? 'Unauthorized' : 'Forbidden' }, answer);
        });

      it('a certificate of another authority', async () => {
        const { certificatePem, keyPem } = throwAwayTls().client('system:admin', ['system:masters']);
        const answer = await as({}, { cert: certificatePem, key: keyPem });
        assert.equal(answer.status, 401, answer.body);
      });
    });

    describe('connections', () => {
      it('a body that never ends is given up with its client', async () => {
        const socket = await dial();
        socket.write(
          `POST ${maps} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"metadata":`,
        );
        await new Promise((resolve) => setTimeout(resolve, 50));
        socket.destroy();
      });

      it('headers beyond the limit', async () => {
        const socket = await dial();
        socket.write(`GET ${maps} HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(2 * 1024 * 1024)}\r\n\r\n`);
        assert.match(await firstLine(socket), /^(HTTP\/1\.1 431|$)/);
      });

      it('what is no HTTP', async () => {
        const socket = await dial();
        socket.write('\x00\x01nonsense\r\n\r\n');
        assert.match(await firstLine(socket), /^(HTTP\/1\.1 400|$)/);
      });

      it('HTTP/2 streams that are reset at once', async () => {
        const { ca, cert, key, servername } = server.credentials;
        const session = connectHttp2(`https://127.0.0.1:${server.port}`, { ca, cert, key, servername });
        session.on('error', () => {});
        const ended = new Promise((resolve) => session.once('close', resolve));
        for (let n = 0; n < 2000 && !session.destroyed; n++) {
          const stream = session.request({ ':path': maps, ':method': 'POST', 'content-type': 'application/json' });
          stream.on('error', () => {});
          stream.write('{"metadata":');
          stream.close(constants.NGHTTP2_CANCEL);
        }
        await new Promise((resolve) => setTimeout(resolve, 200));
        session.destroy();
        await ended;
      });
    });

    it('leaves the server healthy and small', async () => {
      assert.equal((await server.call('GET', '/readyz')).status, 200);
      const grewMib = memoryMib(server.pid) - memoryBefore;
      assert.ok(grewMib < growthLimitMib, `grew by ${Math.round(grewMib)} MiB`);
    });

    function dial(): Promise<TLSSocket> {
      const { ca, cert, key, servername } = server.credentials;
      return new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port: server.port, ca, cert, key, servername, ALPNProtocols: ['http/1.1'] };
        const socket = connectTls(options, () => resolve(socket));
        socket.once('error', reject);
      });
    }
  });
});

function check({ status, reason, message }: Pick<Row, 'status' | 'reason' | 'message'>, answer: Answer): void {
  const said = `${answer.status} ${answer.body.slice(0, 500)}`;
  assert.equal(answer.status, status, said);
  if (reason) {
    const body = JSON.parse(answer.body);
    assert.deepEqual([body.kind, body.status, body.code, body.reason], ['Status', 'Failure', status, reason], said);
  }
  if (message) assert.match(JSON.parse(answer.body).message, message);
}

/** The first line a peer sends before it hangs up; empty when it only hangs up. */
function firstLine(socket: TLSSocket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    socket.on('error', () => {});
    socket.on('close', () => resolve(text.split('\r\n')[0] ?? ''));
    socket.on('end', () => socket.destroy());
  });
}

function memoryMib(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
}
