import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { SignJWT } from 'jose';
import { FakeReader } from '../../../test/support/fake-reader.ts';
import { Node } from '../../api/kinds/core/node.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { Secret } from '../../api/kinds/core/secret.ts';
import { ServiceAccount } from '../../api/kinds/core/service-account.ts';
import type { KubeObject } from '../../api/meta.ts';
import { isStatus } from '../../api/status-error.ts';
import { FakeClock } from '../../lib/clock.ts';
import { createCertificateAuthority, dayMs, issueLeaf, parseCertificate } from '../../pki/certificate.ts';
import type { ExtendedUsage } from '../../pki/extensions.ts';
import { generatePrivateKey } from '../../pki/keys.ts';
import { type Authentication, createAuthentication } from './authentication.ts';
import type { Credentials } from './authenticator.ts';
import { keyId } from './tokens/key-id.ts';
import { createTokenIssuer, type TokenIssuer } from './tokens/token-issuer.ts';
import { createTokenVerifier } from './tokens/token-verifier.ts';

const nowMs = Date.UTC(2026, 5, 1);
const ca = createCertificateAuthority({ commonName: 'ca', nowMs });
const proxyCa = createCertificateAuthority({ commonName: 'proxy-ca', nowMs });
const key = generatePrivateKey();
const serviceAccountKey = generatePrivateKey();

function certificate(
  commonName: string,
  organizations: string[],
  from = ca,
  usages: ExtendedUsage[] = ['clientAuth'],
): Uint8Array {
  const publicKey = createPublicKey(key);
  return parseCertificate(issueLeaf(from, { subject: { commonName, organizations }, publicKey, usages, nowMs })).der;
}

const credentials = (parts: Partial<Credentials>): Credentials => ({
  authorization: undefined,
  clientCertificate: undefined,
  headers: {},
  ...parts,
});
const bearer = (token: string): Credentials => credentials({ authorization: `Bearer ${token}` });

describe('authentication', () => {
  let reader = new FakeReader();
  let clock = new FakeClock(nowMs);
  let authentication: Authentication;
  let issuer: TokenIssuer;
  const usedSecrets: string[] = [];
  const remaining: number[] = [];
  const audiences = ['https://kubernetes.default.svc'];

  beforeEach(() => {
    reader = new FakeReader();
    clock = new FakeClock(nowMs);
    issuer = createTokenIssuer({
      keys: [serviceAccountKey],
      issuer: audiences[0]!,
      audiences,
      jwksUri: () => 'https://x/openid/v1/jwks',
      reader,
      clock,
    });
    authentication = createAuthentication({
      reader,
      clock,
      clientCaPem: ca.certificatePem,
      frontProxyCaPem: proxyCa.certificatePem,
      staticTokens: { server: 'server-secret', agent: 'agent-secret' },
      tokenVerifier: createTokenVerifier({
        keys: [serviceAccountKey],
        issuers: audiences,
        apiAudiences: audiences,
        reader,
        clock,
        onSecretUse: ({ metadata }) => usedSecrets.push(metadata.name),
      }),
      audiences,
      observeCertificate: (remainingSeconds) => remaining.push(remainingSeconds),
    });
    usedSecrets.length = 0;
    remaining.length = 0;
    reader.put(ServiceAccount, { metadata: { name: 'web', namespace: 'shop', uid: 'sa-uid' } });
  });

  const refused = (c: Credentials) =>
    assert.rejects(
      async () => authentication.authenticate(c),
      (e) => isStatus(e, 'Unauthorized'),
    );
  const tokenFor = async (request: Parameters<TokenIssuer['issue']>[0]['request'] = {}): Promise<string> =>
    (await issuer.issue({ namespace: 'shop', serviceAccount: 'web', request })).status.token ?? '';

  test('nobody is anonymous', async () => {
    assert.equal((await authentication.authenticate(credentials({}))).name, 'system:anonymous');
    assert.equal((await authentication.authenticate(credentials({ authorization: 'Basic eDp5' }))).name, 'system:anonymous');
  });

  test('a client certificate names the user and its groups', async () => {
    const user = await authentication.authenticate(credentials({ clientCertificate: certificate('bob', ['dev', 'ops']) }));
    assert.equal(user.name, 'bob');
    assert.deepEqual(user.groups, ['dev', 'ops', 'system:authenticated']);
    assert.match(user.extra['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^X509SHA256=[0-9a-f]{64}$/);
  });

  test('certificates of other CAs, for servers, or past their end are refused', async () => {
    const other = createCertificateAuthority({ commonName: 'ca', nowMs });
    for (const bytes of [certificate('bob', [], other), certificate('bob', [], ca, ['serverAuth']), Buffer.from('garbage')])
      await assert.rejects(async () => authentication.authenticate(credentials({ clientCertificate: bytes })), { code: 401 });
    assert.deepEqual(remaining, []);
    const bytes = certificate('bob', []);
    assert.equal((await authentication.authenticate(credentials({ clientCertificate: bytes }))).name, 'bob');
    clock.advance(366 * dayMs);
    await assert.rejects(async () => authentication.authenticate(credentials({ clientCertificate: bytes })), { code: 401 });
    assert.ok(remaining.length === 1 && remaining[0]! > (300 * dayMs) / 1000 && remaining[0]! < (370 * dayMs) / 1000);
  });

  test('a good token counts beside a certificate of another CA', async () => {
    const other = createCertificateAuthority({ commonName: 'ca', nowMs });
    const foreign = certificate('bob', ['system:masters'], other);
    const user = await authentication.authenticate({ ...bearer('agent.agent-secret'), clientCertificate: foreign });
    assert.equal(user.name, 'system:bootstrap:agent');
  });

  test('only a front proxy may speak for others', async () => {
    const headers = {
      'x-remote-user': 'ann',
      'x-remote-group': ['a', 'b'],
      'x-remote-extra-acme.com%2Fteam': 'red',
      'x-remote-uid': '7',
    };
    const proxy = certificate('front-proxy-client', [], proxyCa);
    const user = await authentication.authenticate(credentials({ clientCertificate: proxy, headers }));
    assert.deepEqual(user, {
      name: 'ann',
      uid: '7',
      groups: ['a', 'b', 'system:authenticated'],
      extra: { 'acme.com/team': ['red'] },
    });
    const odd = { 'x-remote-user': 'ann', 'x-remote-extra-__proto__': 'x' };
    const { extra } = await authentication.authenticate(credentials({ clientCertificate: proxy, headers: odd }));
    assert.deepEqual(Object.entries(extra), [['__proto__', ['x']]]);
    const nobody = { 'x-remote-user': 'system:anonymous', 'x-remote-group': 'a' };
    const unknown = await authentication.authenticate(credentials({ clientCertificate: proxy, headers: nobody }));
    assert.deepEqual(unknown.groups, ['a']);
    const stranger = certificate('someone', [], proxyCa);
    await assert.rejects(async () => authentication.authenticate(credentials({ clientCertificate: stranger, headers })), {
      code: 401,
    });
    const client = certificate('front-proxy-client', []);
    assert.equal(
      (await authentication.authenticate(credentials({ clientCertificate: client, headers }))).name,
      'front-proxy-client',
    );
  });

  test('the static join tokens', async () => {
    const agent = await authentication.authenticate(bearer('agent.agent-secret'));
    assert.equal(agent.name, 'system:bootstrap:agent');
    assert.deepEqual(agent.groups, [
      'system:bootstrappers',
      'system:bootstrappers:skiff:default-node-token',
      'system:authenticated',
    ]);
    const server = await authentication.authenticate(bearer('server.server-secret'));
    assert.ok(server.groups.includes('system:bootstrappers:skiff:default-server-token'));
    for (const token of ['agent.server-secret', 'server.agent-secret', 'agent.', 'x', '.x']) await refused(bearer(token));
  });

  test('bootstrap token secrets: only enabled, unexpired, with allowed groups', async () => {
    const data = (over: Record<string, string> = {}): Record<string, string> => {
      const fields = {
        'token-id': 'abcdef',
        'token-secret': '0123456789abcdef',
        'usage-bootstrap-authentication': 'true',
        'auth-extra-groups': 'system:bootstrappers:worker',
        expiration: '2026-06-02T00:00:00Z',
        ...over,
      };
      return Object.fromEntries(Object.entries(fields).map(([k, v]) => [k, Buffer.from(v).toString('base64')]));
    };
    const put = (over?: Record<string, string>, type = 'bootstrap.kubernetes.io/token') =>
      reader.put(Secret, { metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }, type, data: data(over) });
    const token = bearer('abcdef.0123456789abcdef');
    await refused(token);
    put();
    const user = await authentication.authenticate(token);
    assert.equal(user.name, 'system:bootstrap:abcdef');
    assert.deepEqual(user.groups, ['system:bootstrappers', 'system:bootstrappers:worker', 'system:authenticated']);
    put({ 'auth-extra-groups': 'system:bootstrappers:z,system:bootstrappers:a,system:bootstrappers:z' });
    const { groups } = await authentication.authenticate(token);
    assert.deepEqual(groups.slice(1, -1), ['system:bootstrappers:a', 'system:bootstrappers:z']);
    put();
    await refused(bearer('abcdef.0123456789abcdee'));
    put({}, 'Opaque');
    await refused(token);
    for (const over of [
      { 'usage-bootstrap-authentication': 'false' },
      { expiration: '2026-05-31T00:00:00Z' },
      { expiration: 'soon' },
      { 'auth-extra-groups': 'system:masters' },
      { 'token-id': 'xxxxxx' },
    ]) {
      put(over);
      await refused(token);
    }
  });

  test('a service-account token is good for its audience until it ends or its account goes', async () => {
    const token = await tokenFor({ spec: { audiences: [], expirationSeconds: 600 } });
    const user = await authentication.authenticate(bearer(token));
    assert.equal(user.name, 'system:serviceaccount:shop:web');
    assert.equal(user.uid, 'sa-uid');
    assert.deepEqual(user.groups, ['system:serviceaccounts', 'system:serviceaccounts:shop', 'system:authenticated']);
    assert.match(user.extra['authentication.kubernetes.io/credential-id']?.[0] ?? '', /^JTI=/);
    await refused(bearer(await tokenFor({ spec: { audiences: ['vault'] } })));
    await refused(bearer(`${token.slice(0, -4)}AAAA`));
    clock.advance(10 * 60_000 + 59_000);
    assert.equal((await authentication.authenticate(bearer(token))).uid, 'sa-uid');
    clock.advance(2_000);
    await refused(bearer(token));
    const second = await tokenFor();
    reader.put(ServiceAccount, { metadata: { name: 'web', namespace: 'shop', uid: 'made-anew' } });
    await refused(bearer(second));
  });

  test('a token bound to a pod dies with the pod and says where it runs', async () => {
    reader.put(Node, { metadata: { name: 'pi', uid: 'node-uid' } });
    const pod = reader.put(Pod, {
      metadata: { name: 'web-1', namespace: 'shop', uid: 'pod-uid' },
      spec: { containers: [], serviceAccountName: 'web', nodeName: 'pi' },
    });
    const token = await tokenFor({
      spec: {
        audiences: [],
        expirationSeconds: 3607,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web-1', uid: 'pod-uid' },
      },
    });
    const user = await authentication.authenticate(bearer(token));
    assert.deepEqual(user.extra['authentication.kubernetes.io/pod-name'], ['web-1']);
    assert.deepEqual(user.extra['authentication.kubernetes.io/node-uid'], ['node-uid']);
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
    assert.equal(claims['kubernetes.io'].warnafter, nowMs / 1000 + 3607);
    assert.equal(claims.exp, nowMs / 1000 + 365 * 24 * 3600);
    reader.put(Pod, { ...pod, metadata: { ...pod.metadata, deletionTimestamp: new Date(nowMs).toISOString() } });
    assert.equal((await authentication.authenticate(bearer(token))).name, user.name);
    clock.advance(61_000);
    await refused(bearer(token));
    reader.remove(Pod, { namespace: 'shop', name: 'web-1' });
    await refused(bearer(token));
  });

  test('what is wrong with a token of ours is told to those who review it', async () => {
    const seconds = nowMs / 1000;
    const kid = await keyId(serviceAccountKey);
    const signed = (claims: object, header: object = {}): Promise<string> =>
      new SignJWT({ iss: audiences[0]!, aud: [audiences[0]!], 'kubernetes.io': own, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid, ...header })
        .sign(serviceAccountKey);
    const account = { name: 'web', uid: 'sa-uid' };
    const own = { namespace: 'shop', serviceaccount: account };
    const bound = (more: object): object => ({ 'kubernetes.io': { ...own, ...more } });
    reader.put(Pod, { metadata: { name: 'web-1', namespace: 'shop', uid: 'pod-uid' }, spec: { containers: [] } });
    const legacy = { iss: 'kubernetes/serviceaccount', aud: undefined };
    const rows: readonly [claims: object, header: object, why: string][] = [
      [{ exp: seconds - 61 }, {}, 'service account token has expired'],
      [{ nbf: seconds + 61 }, {}, 'service account token is not valid yet'],
      [{ iat: seconds + 61 }, {}, 'service account token is issued in the future'],
      [{}, { kid: 'other' }, 'invalid signature, no keys found'],
      [{ aud: 'vault' }, {}, `token audiences ["vault"] is invalid for the target audiences ["${audiences[0]}"]`],
      [{ 'kubernetes.io': undefined }, {}, 'resource name may not be empty'],
      [bound({ pod: { name: 'gone', uid: 'x' } }), {}, 'service account token has been invalidated'],
      [bound({ pod: { name: 'web-1', uid: 'x' } }), {}, 'pod UID (pod-uid) does not match service account pod ref claim (x)'],
      [legacy, {}, 'sub claim is missing'],
      [{ ...legacy, sub: 'x' }, {}, 'namespace claim is missing'],
    ];
    for (const [claims, header, why] of rows) {
      const { error } = await authentication.authenticateToken(await signed(claims, header));
      assert.equal(error, `[invalid bearer token, ${why}]`);
    }
    const plain = await authentication.authenticateToken(await signed({ aud: undefined }));
    assert.deepEqual(plain.user?.extra, {});
    assert.deepEqual(plain.audiences, [audiences[0]]);
  });

  test('the token is the word after one space', async () => {
    const sent = (authorization: string) => authentication.authenticate({ ...bearer(''), authorization });
    assert.equal((await sent('bearer agent.agent-secret')).name, 'system:bootstrap:agent');
    assert.equal((await sent('Bearer agent.agent-secret and more')).name, 'system:bootstrap:agent');
    assert.equal((await sent('Bearer  agent.agent-secret')).name, 'system:anonymous');
  });

  test('a token in a Secret is good while the Secret holds it', async () => {
    const account = reader.get(ServiceAccount, { namespace: 'shop', name: 'web' })!;
    const token = await issuer.issueForSecret(account, 'web-token');
    await refused(bearer(token));
    reader.put(Secret, {
      metadata: { name: 'web-token', namespace: 'shop' },
      type: 'kubernetes.io/service-account-token',
      data: { token: Buffer.from(token).toString('base64') },
    });
    assert.deepEqual(usedSecrets, []);
    assert.equal((await authentication.authenticate(bearer(token))).name, 'system:serviceaccount:shop:web');
    assert.deepEqual(usedSecrets, ['web-token']);
  });

  test('tokens of others, and unsigned ones, are refused', async () => {
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = JSON.parse(Buffer.from((await tokenFor()).split('.')[1]!, 'base64url').toString());
    await refused(bearer(`${part({ alg: 'none' })}.${part(claims)}.`));
    await refused(bearer(`${part({ alg: 'HS256' })}.${part(claims)}.AAAA`));
    const foreign = createTokenIssuer({
      keys: [generatePrivateKey()],
      issuer: audiences[0]!,
      audiences,
      jwksUri: () => '',
      reader,
      clock,
    });
    const token = (await foreign.issue({ namespace: 'shop', serviceAccount: 'web', request: {} })).status.token ?? '';
    await refused(bearer(token));
  });

  test('requests for tokens are checked', async () => {
    reader.put(Pod, { metadata: { name: 'other', namespace: 'shop' }, spec: { containers: [], serviceAccountName: 'other' } });
    const rows: [Parameters<TokenIssuer['issue']>[0]['request'], RegExp][] = [
      [
        { spec: { expirationSeconds: 599 } },
        /spec.expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes/,
      ],
      [
        { spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'other' } } },
        /cannot bind token for serviceaccount "web" to pod running with different serviceaccount name/,
      ],
      [{ spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'nope' } } }, /pods "nope" not found/],
      [
        { spec: { boundObjectRef: { apiVersion: 'v1', kind: 'Service', name: 'x' } } },
        /cannot bind token to object of type \/v1, Kind=Service/,
      ],
      [{ spec: { boundObjectRef: { apiVersion: 'apps/v1', kind: 'Pod' } } }, /of type apps\/v1, Kind=Pod/],
      [{ spec: { boundObjectRef: { kind: 'Pod' } } }, /Name parameter required/],
      [{ metadata: { namespace: 'other' } as KubeObject['metadata'] }, /namespace of the provided object does not match/],
    ];
    for (const [request, text] of rows)
      await assert.rejects(issuer.issue({ namespace: 'shop', serviceAccount: 'web', request }), text);
    await assert.rejects(issuer.issue({ namespace: 'shop', serviceAccount: 'x', request: {} }), /serviceaccounts "x" not found/);
  });

  test('the published key is the one tokens are signed with', async () => {
    const { keys } = (await issuer.jwks()) as { keys: { kid: string; kty: string; alg: string; use: string }[] };
    const header = JSON.parse(Buffer.from((await tokenFor()).split('.')[0]!, 'base64url').toString());
    assert.equal(keys[0]?.kid, header.kid);
    assert.deepEqual([keys[0]?.kty, keys[0]?.alg, keys[0]?.use], ['EC', 'ES256', 'sig']);
    assert.equal(issuer.discovery()['issuer'], audiences[0]);
  });
});
