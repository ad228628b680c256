import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { connect } from 'node:http2';
import { request } from 'node:https';
import { after, before, describe, it } from 'node:test';
import { importJWK, type JWK, jwtVerify } from 'jose';
import { WebSocket } from 'ws';
import { CertificateSigningRequest } from '../../../src/api/kinds/certificates/certificate-signing-request.ts';
import { Secret } from '../../../src/api/kinds/core/secret.ts';
import { ServiceAccount } from '../../../src/api/kinds/core/service-account.ts';
import type { Client } from '../../../src/client/client.ts';
import { type CertificateAuthority, createCertificateAuthority, issueLeaf } from '../../../src/pki/certificate.ts';
import { createRequest } from '../../../src/pki/csr.ts';
import type { ExtendedUsage } from '../../../src/pki/extensions.ts';
import { generatePrivateKey, privateKeyPem } from '../../../src/pki/keys.ts';
import { systemMaster } from '../../../src/server/auth/user.ts';
import { type ControlledApi, startControlledApi } from '../../support/controlled-api.ts';
import { eventually } from '../../support/eventually.ts';

interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: objects of many kinds, as JSON
  readonly json: any;
}

interface Call {
  readonly method?: string;
  readonly body?: object;
  readonly headers?: Record<string, string | string[]>;
  readonly as?: KeyPair;
}

const selfReview = '/apis/authentication.k8s.io/v1/selfsubjectreviews';
const tokenReviews = '/apis/authentication.k8s.io/v1/tokenreviews';

/** What a client has to show so that the server knows it, over real TLS. */
describe('credentials', () => {
  let api: ControlledApi;
  let client: Client;
  let admin: KeyPair;

  before(async () => {
    api = await startControlledApi({ listen: true });
    client = api.client(systemMaster);
    const { certificatePem, privateKeyPem: key } = api.pki.leaf('admin');
    admin = { cert: certificatePem, key };
    await client.create(ServiceAccount, { metadata: { name: 'web', namespace: 'default' } });
  });
  after(() => api.stop());

  function call(path: string, { method = 'GET', body, headers = {}, as }: Call = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const url = `https://127.0.0.1:${api.server.port}${path}`;
      const tls = { ca: api.pki.ca.certificatePem, agent: false as const, ...as };
      const sent = request(url, { method, headers: { 'content-type': 'application/json', ...headers }, ...tls }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, json: JSON.parse(Buffer.concat(chunks).toString()) }));
      });
      sent.on('error', reject).end(body && JSON.stringify(body));
    });
  }

  const whoAmI = async (as: KeyPair | undefined, headers: Record<string, string | string[]> = {}) => {
    const { status, json } = await call(selfReview, { method: 'POST', body: {}, headers, ...(as ? { as } : {}) });
    return { status, user: json.status?.userInfo ?? json.message };
  };

  function certificate(commonName: string, options: { usages: ExtendedUsage[]; ca?: CertificateAuthority }): KeyPair {
    const key = generatePrivateKey();
    const subject = { commonName, organizations: ['dev'] };
    const { ca = api.pki.ca, usages } = options;
    return {
      cert: issueLeaf(ca, { subject, publicKey: createPublicKey(key), usages, nowMs: Date.now() }),
      key: privateKeyPem(key),
    };
  }

  it('signs a certificate for `client auth` that clients can use', async () => {
    const key = generatePrivateKey();
    const pem = createRequest({ subject: { commonName: 'carol', organizations: ['dev'] }, privateKey: key });
    const created = await client.create(CertificateSigningRequest, {
      metadata: { name: 'carol' },
      spec: {
        request: Buffer.from(pem).toString('base64'),
        signerName: 'kubernetes.io/kube-apiserver-client',
        usages: ['client auth'],
      },
    });
    const conditions = [{ type: 'Approved', status: 'True', reason: 'Test' }];
    await client.update(CertificateSigningRequest, { ...created, status: { conditions } }, { subresource: 'approval' });
    const signed = await eventually('the certificate', async () => {
      return (await client.get(CertificateSigningRequest, { name: 'carol' })).status?.certificate;
    });
    const { status, user } = await whoAmI({ cert: Buffer.from(signed, 'base64').toString(), key: privateKeyPem(key) });
    assert.equal(status, 201);
    assert.equal(user.username, 'carol');
    assert.deepEqual(user.groups, ['dev', 'system:authenticated']);
  });

  it('takes certificates that say nothing of their use, and none that say another', async () => {
    assert.equal((await whoAmI(certificate('plain', { usages: [] }))).user.username, 'plain');
    assert.equal((await whoAmI(certificate('web', { usages: ['serverAuth'] }))).status, 401);
    const foreign = createCertificateAuthority({ commonName: 'foreign', nowMs: Date.now() });
    assert.equal((await whoAmI(certificate('eve', { usages: ['clientAuth'], ca: foreign }))).status, 401);
    assert.match((await whoAmI(undefined)).user, /User "system:anonymous" cannot create/);
  });

  it('believes a front proxy, word for word', async () => {
    const { certificatePem, privateKeyPem: key } = api.pki.leaf('front-proxy-client');
    const proxy = { cert: certificatePem, key };
    const said = {
      'x-remote-user': 'bob',
      'x-remote-uid': '7',
      'x-remote-group': ['cn=staff, ou=groups', 'x, system:masters'],
      'x-remote-extra-acme.com%2fproject': ['a', 'b, c'],
    };
    const { user } = await whoAmI(proxy, said);
    assert.deepEqual(user.groups, [...said['x-remote-group'], 'system:authenticated']);
    assert.deepEqual([user.username, user.uid, user.extra], ['bob', '7', { 'acme.com/project': ['a', 'b, c'] }]);
    assert.equal((await whoAmI(admin, said)).user.username, 'system:admin', 'from others the headers mean nothing');
  });

  it('keeps the commas of impersonated groups, over HTTP/2 too', async () => {
    const groups = ['a, system:masters', 'b'];
    const headers = { 'impersonate-user': 'bob', 'impersonate-group': groups };
    assert.deepEqual((await whoAmI(admin, headers)).user.groups, [...groups, 'system:authenticated']);
    const session = connect(`https://127.0.0.1:${api.server.port}`, { ca: api.pki.ca.certificatePem, ...admin });
    try {
      const stream = session.request({ ':method': 'POST', ':path': selfReview, 'content-type': 'application/json', ...headers });
      stream.end('{}');
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(chunk as Buffer);
      const { userInfo } = JSON.parse(Buffer.concat(chunks).toString()).status;
      assert.deepEqual(userInfo.groups, [...groups, 'system:authenticated']);
    } finally {
      session.destroy();
    }
  });

  const requestToken = async (spec: object): Promise<string> => {
    const path = '/api/v1/namespaces/default/serviceaccounts/web/token';
    const { json } = await call(path, { method: 'POST', body: { spec }, as: admin });
    return json.status.token;
  };
  const review = async (spec: object) => (await call(tokenReviews, { method: 'POST', body: { spec }, as: admin })).json.status;
  const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

  it('signs tokens that others can check with what it publishes', async () => {
    const token = await requestToken({ audiences: ['shop'], expirationSeconds: 700 });
    const discovery = (await call('/.well-known/openid-configuration', { as: admin })).json;
    const { keys } = (await call('/openid/v1/jwks', { as: admin })).json as { keys: JWK[] };
    const { payload, protectedHeader } = await jwtVerify(token, await importJWK(keys[0]!), {
      issuer: discovery.issuer,
      audience: 'shop',
    });
    assert.equal(payload.sub, 'system:serviceaccount:default:web');
    assert.equal(payload.exp! - payload.iat!, 700);
    assert.equal(protectedHeader.kid, keys[0]!.kid);
    assert.ok(discovery.id_token_signing_alg_values_supported.includes(protectedHeader.alg));
  });

  it('reviews tokens for the audiences asked about', async () => {
    const token = await requestToken({ audiences: ['shop'] });
    assert.equal((await whoAmI(undefined, bearer(token))).status, 401, 'a token for others');
    const shop = await review({ token, audiences: ['shop', 'bank'] });
    assert.deepEqual([shop.authenticated, shop.audiences], [true, ['shop']]);
    assert.deepEqual(await review({ token, audiences: ['bank'] }), {
      user: {},
      error: '[invalid bearer token, token audiences ["shop"] is invalid for the target audiences ["bank"]]',
    });
    assert.deepEqual(await review({ token: 'garbage' }), { user: {}, error: 'invalid bearer token' });
  });

  it('takes the token of a WebSocket from its protocols: browsers cannot send other headers', async () => {
    const token = await requestToken({});
    const open = (...protocols: string[]): Promise<string> =>
      new Promise((resolve) => {
        const url = `wss://127.0.0.1:${api.server.port}/api/v1/namespaces?watch=1&timeoutSeconds=1`;
        const ws = new WebSocket(url, protocols, { ca: api.pki.ca.certificatePem });
        const stop = (text: string): void => {
          resolve(text);
          ws.terminate();
        };
        ws.on('unexpected-response', (_request, response) => {
          response.on('data', (chunk: Buffer) => stop(JSON.parse(chunk.toString()).message));
        });
        ws.on('open', () => stop('open'));
        ws.on('error', (error) => stop(error.message));
      });
    const named = `base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString('base64url')}`;
    assert.match(await open('v4.channel.k8s.io', named), /User "system:serviceaccount:default:web" cannot watch/);
    assert.match(await open('v4.channel.k8s.io'), /User "system:anonymous" cannot watch/);
    assert.equal(await open('v4.channel.k8s.io', `${named}x`), 'Unauthorized');
  });

  it('ends a token with the object it is bound to', async () => {
    const { uid } = (await client.create(Secret, { metadata: { name: 'bound', namespace: 'default' } })).metadata;
    const boundObjectRef = { apiVersion: 'v1', kind: 'Secret', name: 'bound', uid };
    const token = await requestToken({ boundObjectRef });
    assert.equal((await whoAmI(undefined, bearer(token))).user.username, 'system:serviceaccount:default:web');
    await client.delete(Secret, { namespace: 'default', name: 'bound' });
    assert.equal((await whoAmI(undefined, bearer(token))).status, 401);
  });

  it('takes the token of a Secret until it is marked invalid', async () => {
    const key = { namespace: 'default', name: 'lasting' };
    const annotations = { 'kubernetes.io/service-account.name': 'web' };
    await client.create(Secret, { metadata: { ...key, annotations }, type: 'kubernetes.io/service-account-token' });
    const stored = await eventually('the token', async () => (await client.get(Secret, key)).data?.['token']);
    const token = Buffer.from(stored, 'base64').toString();
    assert.equal((await whoAmI(undefined, bearer(token))).user.username, 'system:serviceaccount:default:web');
    const labels = { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' };
    await client.patch(Secret, key, { type: 'merge', body: { metadata: { labels } } });
    assert.equal((await whoAmI(undefined, bearer(token))).status, 401);
    assert.match((await review({ token })).error, /has been marked invalid/);
  });
});
