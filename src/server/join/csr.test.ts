import assert from 'node:assert/strict';
import { createHash, createPublicKey, X509Certificate } from 'node:crypto';
import { beforeEach, describe, test } from 'node:test';
import { FakeReader, type Sketch } from '../../../test/support/fake-reader.ts';
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts';
import { Lease } from '../../api/kinds/coordination/lease.ts';
import { Node } from '../../api/kinds/core/node.ts';
import { ClusterRole } from '../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../api/kinds/rbac/cluster-role-binding.ts';
import type { Client } from '../../client/client.ts';
import { FakeClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { createCertificateAuthority, dayMs, parseCertificate } from '../../pki/certificate.ts';
import { createRequest } from '../../pki/csr.ts';
import { decodeExtendedKeyUsage } from '../../pki/extensions.ts';
import { generatePrivateKey } from '../../pki/keys.ts';
import { Oid } from '../../pki/oids.ts';
import { createAuthorization } from '../auth/authorization.ts';
import { bootstrapRbac } from '../auth/bootstrap/bootstrap-rbac.ts';
import { createCsrApprover } from './csr-approver.ts';
import { type CsrDecision, decideCsr } from './csr-decision.ts';
import { SigningRefused, signCsr } from './csr-signing.ts';

const nowMs = Date.UTC(2026, 5, 1);
const ca = createCertificateAuthority({ commonName: 'ca', nowMs });
const key = generatePrivateKey();
const joining = {
  username: 'system:bootstrap:agent',
  groups: ['system:bootstrappers', 'system:bootstrappers:skiff:default-node-token', 'system:authenticated'],
};
const asNode = { username: 'system:node:pi', groups: ['system:nodes', 'system:authenticated'] };

interface Wanted {
  readonly signer?: string;
  readonly commonName?: string;
  readonly organizations?: string[];
  readonly dns?: string[];
  readonly ips?: string[];
  readonly emails?: string[];
  readonly uris?: string[];
  readonly usages?: string[];
  readonly by?: { username: string; groups: string[] };
  readonly machineKey?: string;
  readonly expirationSeconds?: number;
}

function csr(wanted: Wanted = {}): Sketch<CertificateSigningRequest> & CertificateSigningRequest {
  const { signer = 'kube-apiserver-client-kubelet', commonName = 'system:node:pi', organizations = ['system:nodes'] } = wanted;
  const pem = createRequest({
    subject: { commonName, organizations },
    privateKey: key,
    names: { dns: wanted.dns ?? [], ips: wanted.ips ?? [], emails: wanted.emails ?? [], uris: wanted.uris ?? [] },
  });
  return {
    apiVersion: 'certificates.k8s.io/v1',
    kind: 'CertificateSigningRequest',
    metadata: {
      name: 'r',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: new Date(nowMs).toISOString(),
      ...(wanted.machineKey ? { annotations: { 'skiff.dev/machine-key': wanted.machineKey } } : {}),
    },
    spec: {
      request: Buffer.from(pem).toString('base64'),
      signerName: `kubernetes.io/${signer}`,
      usages: wanted.usages ?? ['digital signature', 'client auth'],
      ...(wanted.by ?? joining),
      ...(wanted.expirationSeconds === undefined ? {} : { expirationSeconds: wanted.expirationSeconds }),
    },
    status: {},
  };
}

const serving = { signer: 'kubelet-serving', usages: ['digital signature', 'server auth'], by: asNode };

describe('certificate requests', () => {
  let reader = new FakeReader();
  let clock = new FakeClock(nowMs);
  let decide: (wanted: Wanted) => CsrDecision;

  beforeEach(() => {
    reader = new FakeReader();
    clock = new FakeClock(nowMs);
    for (const object of bootstrapRbac()) {
      if (object.kind === 'ClusterRole') reader.put(ClusterRole, object as unknown as Sketch<ClusterRole>);
      if (object.kind === 'ClusterRoleBinding') reader.put(ClusterRoleBinding, object as unknown as Sketch<ClusterRoleBinding>);
    }
    const authorizer = createAuthorization({ reader });
    decide = (wanted) => decideCsr(csr(wanted), { reader, authorizer, clock });
  });

  const putNode = (ready: string, machineKey?: string, renewedAgoMs = 5_000): void => {
    const hash = machineKey && createHash('sha256').update(machineKey).digest('hex');
    reader.put(Node, {
      metadata: { name: 'pi', ...(hash ? { annotations: { 'skiff.dev/machine-key-hash': hash } } : {}) },
      status: {
        conditions: [{ type: 'Ready', status: ready }],
        addresses: [
          { type: 'InternalIP', address: '192.168.1.9' },
          { type: 'InternalIP', address: 'fd00:0:0:0::9' },
          { type: 'Hostname', address: 'pi.local' },
        ],
      },
    });
    const renewTime = new Date(nowMs - renewedAgoMs).toISOString();
    reader.put(Lease, { metadata: { namespace: 'kube-node-lease', name: 'pi' }, spec: { renewTime } });
  };

  test('a machine with a join token gets a new name', () => {
    assert.equal(decide({ machineKey: 'k' }).verdict, 'approve');
    assert.equal(decide({ usages: ['digital signature', 'key encipherment', 'client auth'] }).verdict, 'approve');
  });

  test('requests that are not a node’s, or by somebody without the right, are left to people', () => {
    for (const wanted of [
      { by: { username: 'bob', groups: ['system:authenticated'] } },
      { commonName: 'bob' },
      { organizations: ['system:masters'] },
      { organizations: ['system:nodes', 'system:masters'] },
      { dns: ['kubernetes'] },
      { usages: ['digital signature', 'client auth', 'server auth'] },
      { usages: ['client auth'] },
      { signer: 'kube-apiserver-client' },
      { signer: 'legacy-unknown' },
      { by: asNode, commonName: 'system:node:other' },
    ])
      assert.equal(decide(wanted).verdict, 'leave', JSON.stringify(wanted));
  });

  test('the name of a running machine is taken; its own key, or its death, frees it', () => {
    putNode('True', 'secret-of-pi');
    const refused = decide({ machineKey: 'other' });
    assert.equal(refused.verdict, 'deny');
    assert.equal(refused.reason, 'NodeNameTaken');
    assert.match(refused.message, /under the name "pi".*--node-name/);
    assert.equal(decide({}).verdict, 'deny');
    assert.equal(decide({ machineKey: 'secret-of-pi' }).verdict, 'approve');
    putNode('True', 'secret-of-pi', 60_000);
    assert.equal(decide({ machineKey: 'other' }).verdict, 'approve');
    putNode('Unknown', 'secret-of-pi');
    assert.equal(decide({ machineKey: 'other' }).verdict, 'approve');
  });

  test('a node renews its own certificate', () => {
    putNode('True', 'k');
    assert.equal(decide({ by: asNode }).verdict, 'approve');
  });

  test('a serving certificate only for addresses of the node, and only for itself', () => {
    assert.equal(decide({ ...serving, dns: ['pi'] }).verdict, 'leave');
    putNode('True', 'k');
    assert.equal(decide({ ...serving, dns: ['pi', 'pi.local'], ips: ['192.168.1.9', 'fd00::9'] }).verdict, 'approve');
    for (const wanted of [
      { ...serving },
      { ...serving, dns: ['kubernetes.default'] },
      { ...serving, ips: ['192.168.1.10'] },
      { ...serving, dns: ['pi'], by: joining },
      { ...serving, dns: ['pi'], usages: ['digital signature', 'client auth'] },
    ])
      assert.equal(decide(wanted).verdict, 'leave', JSON.stringify(wanted));
  });

  test('signing keeps subject, names and usages, and a validity of at most a year', () => {
    const pem = signCsr(csr({ ...serving, dns: ['pi'], ips: ['192.168.1.9'] }), { ca, nowMs }) ?? '';
    const certificate = new X509Certificate(pem);
    assert.ok(certificate.verify(createPublicKey(ca.privateKey)));
    assert.equal(certificate.checkIP('192.168.1.9'), '192.168.1.9');
    const parsed = parseCertificate(pem);
    assert.deepEqual(parsed.subject.organizations, ['system:nodes']);
    assert.deepEqual(decodeExtendedKeyUsage(parsed.extensions.get(Oid.extendedKeyUsage)!), ['serverAuth']);
    assert.equal(parsed.notAfterMs, nowMs + 365 * dayMs);
    const short = parseCertificate(signCsr(csr({ expirationSeconds: 3600 }), { ca, nowMs }) ?? '');
    assert.equal(short.notAfterMs, nowMs + 3_600_000);
  });

  test('a signer refuses what is not for it and ignores strangers', () => {
    assert.throws(() => signCsr(csr({ organizations: ['system:masters'] }), { ca, nowMs }), SigningRefused);
    assert.throws(
      () => signCsr(csr({ signer: 'kube-apiserver-client', usages: ['server auth'] }), { ca, nowMs }),
      SigningRefused,
    );
    assert.equal(signCsr({ ...csr(), spec: { ...csr().spec, signerName: 'acme.com/x' } }, { ca, nowMs }), undefined);
  });

  test('a signer says what is wrong with a request', () => {
    const client = 'kube-apiserver-client';
    const [node, serving] = ['kube-apiserver-client-kubelet', 'kubelet-serving'];
    const rows: readonly [Wanted, string][] = [
      [{ signer: client, usages: ['server auth'] }, 'invalid usage for client certificate: server auth'],
      [{ signer: client, usages: ['key encipherment'] }, 'missing required usage for client certificate: client auth'],
      [{ signer: node, usages: ['client auth'] }, 'usages did not match [client auth digital signature key encipherment]'],
      [{ signer: node, organizations: ['x'], dns: ['x'] }, 'subject organization is not system:nodes'],
      [{ signer: node, dns: ['x'], ips: ['1.1.1.1'] }, 'DNS subjectAltNames are not allowed'],
      [{ signer: node, emails: ['a@b'] }, 'Email subjectAltNames are not allowed'],
      [{ signer: node, uris: ['spiffe://a/b'] }, 'URI subjectAltNames are not allowed'],
      [{ signer: serving, emails: ['a@b'] }, 'DNS or IP subjectAltName is required'],
      [{ signer: serving, dns: ['pi'], emails: ['a@b'] }, 'Email subjectAltNames are not allowed'],
      [{ signer: serving, dns: ['pi'], usages: [] }, 'usages did not match [digital signature key encipherment server auth]'],
    ];
    for (const [wanted, message] of rows) assert.throws(() => signCsr(csr(wanted), { ca, nowMs }), { message });
  });

  test('the approver carries a request from creation to certificate, and removes it later', async () => {
    const client = {
      async update(_kind: unknown, object: CertificateSigningRequest) {
        return reader.put(CertificateSigningRequest, object);
      },
      async delete(_kind: unknown, { name }: { name: string }) {
        reader.remove(CertificateSigningRequest, { name });
      },
    } as unknown as Client;
    const approver = createCsrApprover({
      reader,
      client,
      ca,
      clock,
      log: silentLogger,
      authorizer: createAuthorization({ reader }),
    });
    await approver.start();
    reader.put(CertificateSigningRequest, csr({ machineKey: 'k' }));
    reader.put(CertificateSigningRequest, { ...csr({ ...serving, dns: ['pi'] }), metadata: { ...csr().metadata, name: 's' } });
    await new Promise(setImmediate);
    const done = reader.get(CertificateSigningRequest, { name: 'r' });
    assert.deepEqual(
      done?.status.conditions?.map((c) => c.type),
      ['Approved'],
    );
    assert.match(Buffer.from(done?.status.certificate ?? '', 'base64').toString(), /BEGIN CERTIFICATE/);
    assert.equal(reader.get(CertificateSigningRequest, { name: 's' })?.status.conditions, undefined);
    putNode('True', 'k');
    await new Promise(setImmediate);
    assert.ok(reader.get(CertificateSigningRequest, { name: 's' })?.status.certificate);
    clock.advance(3 * 60 * 60 * 1000);
    await new Promise(setImmediate);
    assert.equal(reader.list(CertificateSigningRequest).length, 0);
    await approver.stop();
  });
});
