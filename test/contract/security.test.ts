import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CertificateSigningRequest } from '../../src/api/kinds/certificates/certificate-signing-request.ts';
import { Lease } from '../../src/api/kinds/coordination/lease.ts';
import { ConfigMap } from '../../src/api/kinds/core/config-map.ts';
import { Namespace } from '../../src/api/kinds/core/namespace.ts';
import { Node } from '../../src/api/kinds/core/node.ts';
import { Pod } from '../../src/api/kinds/core/pod.ts';
import { Secret } from '../../src/api/kinds/core/secret.ts';
import { ServiceAccount } from '../../src/api/kinds/core/service-account.ts';
import { RoleBinding } from '../../src/api/kinds/rbac/role-binding.ts';
import { isStatus } from '../../src/api/status-error.ts';
import type { Client } from '../../src/client/client.ts';
import type { Credentials } from '../../src/client/credentials.ts';
import { createHttpsClient, type HttpsClient } from '../../src/client/https-client.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { silentLogger } from '../../src/lib/log.ts';
import { certificateHash } from '../../src/pki/certificate.ts';
import { createRequest } from '../../src/pki/csr.ts';
import { bearerOf, parseJoinToken } from '../../src/pki/join-token.ts';
import { generatePrivateKey, privateKeyPem } from '../../src/pki/keys.ts';
import { readOptionalFile } from '../../src/pki/secret-file.ts';
import type { ServerPki } from '../../src/pki/server-pki.ts';
import type { ApiServer } from '../../src/server/api-server.ts';
import { createBootstrapToken, deleteBootstrapToken, listBootstrapTokens } from '../../src/server/join/bootstrap-tokens.ts';
import { type ControlledApi, startControlledApi } from '../support/controlled-api.ts';

/** Everything real but the disk of the store: TLS, certificates, tokens, RBAC, admission. */
describe('who may do what, over TLS', () => {
  const clients: HttpsClient[] = [];
  let api: ControlledApi;
  let pki: ServerPki;
  let server: ApiServer;
  let admin: HttpsClient;

  const connect = (credentials: Credentials, ca = pki.ca.certificatePem): HttpsClient => {
    const client = createHttpsClient({ server: `https://127.0.0.1:${server.port}`, ca, credentials, log: silentLogger });
    clients.push(client);
    return client;
  };
  const forbidden = (promise: Promise<unknown>, message: RegExp): Promise<void> =>
    assert.rejects(promise, (e) => {
      assert.ok(isStatus(e, 'Forbidden'), String(e));
      assert.match(e.message, message);
      return true;
    });

  before(async () => {
    api = await startControlledApi({ listen: true });
    ({ pki, server } = api);
    const { certificatePem, privateKeyPem: key } = pki.leaf('admin');
    admin = connect({ certificate: certificatePem, key });
    await admin.create(ServiceAccount, { metadata: { name: 'web', namespace: 'default' } });
  });

  after(async () => {
    for (const client of clients) client.close();
    await api.stop();
  });

  test('the admin certificate may do everything', async () => {
    await admin.create(ConfigMap, { metadata: { name: 'a', namespace: 'default' }, data: { k: 'v' } });
    const { status } = await admin.raw<{ status: { userInfo: { username: string; groups: string[] } } }>(
      'POST',
      '/apis/authentication.k8s.io/v1/selfsubjectreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' },
    );
    assert.equal(status.userInfo.username, 'system:admin');
    assert.deepEqual(status.userInfo.groups, ['system:masters', 'system:authenticated']);
  });

  test('without credentials: health, version and the CA, nothing else', async () => {
    const nobody = connect({});
    assert.ok(await nobody.raw('GET', '/version'));
    await forbidden(
      nobody.list(Pod, { namespace: 'default' }),
      /^pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "default"$/,
    );
    await assert.rejects(connect({ token: 'wrong.secret' }).list(Pod), (e) => isStatus(e, 'Unauthorized'));
  });

  test('a machine finds the CA its token pins', async () => {
    const pem = await new Promise<string>((resolve, reject) => {
      httpsRequest(`https://127.0.0.1:${server.port}/cacerts`, { rejectUnauthorized: false, agent: false }, (answer) => {
        let text = '';
        answer.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        answer.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    assert.equal(certificateHash(pem), parseJoinToken(readOptionalFile(join(api.dir, 'node-token')) ?? '').caHash);
  });

  const requestCertificate = async (
    client: Client,
    name: string,
    wish: { serving: boolean; machineKey: string; by?: string },
  ) => {
    const key = generatePrivateKey();
    const subject = { commonName: `system:node:${name}`, organizations: ['system:nodes'] };
    const names = { dns: [name], ips: ['192.168.7.7'] };
    const pem = createRequest({ subject, privateKey: key, ...(wish.serving ? { names } : {}) });
    const created = await client.create(CertificateSigningRequest, {
      metadata: {
        name: `csr-${name}-${createHash('sha256').update(pem).digest('hex').slice(0, 8)}`,
        annotations: { 'skiff.dev/machine-key': wish.machineKey },
      },
      spec: {
        request: Buffer.from(pem).toString('base64'),
        signerName: wish.serving ? 'kubernetes.io/kubelet-serving' : 'kubernetes.io/kube-apiserver-client-kubelet',
        usages: ['digital signature', wish.serving ? 'server auth' : 'client auth'],
        ...(wish.by ? { username: wish.by, groups: ['system:nodes'] } : {}),
      },
    });
    for (let i = 0; i < 200; i++) {
      const { status } = await client.get(CertificateSigningRequest, { name: created.metadata.name });
      const denied = status?.conditions?.find((c) => c.type !== 'Approved');
      if (denied) return { denied: denied.reason ?? '' };
      if (status?.certificate)
        return { certificate: Buffer.from(status.certificate, 'base64').toString(), key: privateKeyPem(key) };
      await new Promise(setImmediate);
    }
    return {};
  };

  test('a machine joins with the node token, runs pods, and cannot reach beyond them', async () => {
    const token = parseJoinToken(readOptionalFile(join(api.dir, 'node-token')) ?? '');
    const joining = connect({ token: bearerOf(token) });
    await forbidden(joining.list(Secret), /User "system:bootstrap:agent" cannot list resource "secrets"/);
    const issued = await requestCertificate(joining, 'pi', { serving: false, machineKey: 'k1' });
    assert.ok(issued.certificate);
    const node = connect({ certificate: issued.certificate, key: issued.key });
    const hash = createHash('sha256').update('k1').digest('hex');
    await node.create(Node, { metadata: { name: 'pi', annotations: { 'skiff.dev/machine-key-hash': hash } }, spec: {} });
    await node.create(Lease, {
      metadata: { name: 'pi', namespace: 'kube-node-lease' },
      spec: { holderIdentity: 'pi', leaseDurationSeconds: 40, renewTime: new Date().toISOString().replace('Z', '000Z') },
    });
    const addresses = [{ type: 'InternalIP', address: '192.168.7.7' }];
    const conditions = [{ type: 'Ready', status: 'True' }];
    await node.patch(
      Node,
      { name: 'pi' },
      { type: 'strategic', body: { status: { addresses, conditions } }, subresource: 'status' },
    );
    assert.ok((await requestCertificate(node, 'pi', { serving: true, machineKey: 'k1' })).certificate);
    await admin.create(Secret, { metadata: { name: 'used', namespace: 'default' } });
    await admin.create(Secret, { metadata: { name: 'unused', namespace: 'default' } });
    const pod = await admin.create(Pod, {
      metadata: { name: 'p', namespace: 'default' },
      spec: {
        nodeName: 'pi',
        serviceAccountName: 'web',
        containers: [{ name: 'c', image: 'i', envFrom: [{ secretRef: { name: 'used' } }] }],
      },
    });
    assert.equal((await node.get(Secret, { namespace: 'default', name: 'used' })).metadata.name, 'used');
    await forbidden(
      node.get(Secret, { namespace: 'default', name: 'unused' }),
      /no relationship found between node 'pi' and this object/,
    );
    await forbidden(
      node.create(Node, { metadata: { name: 'other' }, spec: {} }),
      /node "pi" is not allowed to modify node "other"/,
    );
    const bound = { apiVersion: 'v1', kind: 'Pod', name: 'p', uid: pod.metadata.uid };
    const request = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [], expirationSeconds: 3607, boundObjectRef: bound },
    };
    const { status } = await node.post<unknown, { status: { token: string } }>(
      ServiceAccount,
      { namespace: 'default', name: 'web' },
      'token',
      request,
    );
    await forbidden(
      connect({ token: status.token }).list(Pod, { namespace: 'default' }),
      /User "system:serviceaccount:default:web" cannot list/,
    );
    await assert.rejects(
      node.post(ServiceAccount, { namespace: 'default', name: 'web' }, 'token', { ...request, spec: { audiences: [] } }),
      (e) => isStatus(e, 'Forbidden') && /token not bound to a pod/.test(e.message),
    );
    const other = connect({ token: bearerOf(token) });
    assert.equal((await requestCertificate(other, 'pi', { serving: false, machineKey: 'k2' })).denied, 'NodeNameTaken');
    assert.ok((await requestCertificate(other, 'pi', { serving: false, machineKey: 'k1' })).certificate);
  });

  test('nobody asks for certificates in the name of others', async () => {
    await admin.create(RoleBinding, {
      metadata: { name: 'edit', namespace: 'default' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' },
      subjects: [{ kind: 'ServiceAccount', name: 'web', namespace: 'default' }],
    });
    const result = await requestCertificate(admin, 'pi', { serving: true, machineKey: 'x', by: 'system:node:pi' });
    assert.deepEqual(result, {});
  });

  test('a service account with edit works in its namespace only', async () => {
    const { status } = await admin.post<unknown, { status: { token: string; expirationTimestamp: string } }>(
      ServiceAccount,
      { namespace: 'default', name: 'web' },
      'token',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 600 } },
    );
    const web = connect({ token: status.token });
    await web.create(ConfigMap, { metadata: { name: 'b', namespace: 'default' } });
    await forbidden(
      web.create(ConfigMap, { metadata: { name: 'b', namespace: 'kube-system' } }),
      /in the namespace "kube-system"/,
    );
    await forbidden(
      web.create(RoleBinding, {
        metadata: { name: 'more', namespace: 'default' },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [],
      }),
      /cannot create resource "rolebindings"/,
    );
    const review = await admin.raw<{ status: { authenticated: boolean; user: { username: string } } }>(
      'POST',
      '/apis/authentication.k8s.io/v1/tokenreviews',
      { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: status.token } },
    );
    assert.equal(review.status.user.username, 'system:serviceaccount:default:web');
    const { issuer } = await web.raw<{ issuer: string }>('GET', '/.well-known/openid-configuration');
    assert.equal(issuer, 'https://kubernetes.default.svc');
    const { keys } = await web.raw<{ keys: unknown[] }>('GET', '/openid/v1/jwks');
    assert.equal(keys.length, 1);
  });

  test('bootstrap tokens are made, listed, used and deleted', async () => {
    const text = await createBootstrapToken(
      { client: admin, clock: systemClock },
      { description: 'for the shed', caHash: pki.caHash },
    );
    const token = parseJoinToken(text);
    assert.deepEqual(
      (await listBootstrapTokens(admin)).map((t) => [t.id, t.description]),
      [[token.id, 'for the shed']],
    );
    const joining = connect({ token: bearerOf(token) });
    assert.ok((await requestCertificate(joining, 'shed', { serving: false, machineKey: 's' })).certificate);
    await deleteBootstrapToken(admin, text);
    await assert.rejects(joining.list(Pod), (e) => isStatus(e, 'Unauthorized'));
  });

  test('a renewed serving certificate is used by new connections, without a restart', async () => {
    pki.setNames({ dns: ['localhost', 'moved'], ips: ['127.0.0.1', '10.9.8.7'] });
    const { certificatePem, privateKeyPem: key } = pki.leaf('admin');
    assert.ok(await connect({ certificate: certificatePem, key }).list(Namespace));
  });
});
