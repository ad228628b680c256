import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { test } from 'node:test';
import { FakeClock } from '../../../lib/clock.ts';
import { createCertificateAuthority, issueLeaf, parseCertificate } from '../../../pki/certificate.ts';
import { children, der, derBits, derOid, parseDer, Tag } from '../../../pki/der.ts';
import { Oid } from '../../../pki/oids.ts';
import { createClientCertificateAuthenticator } from './client-certificate.ts';

const nowMs = Date.UTC(2026, 5, 1);
const ca = createCertificateAuthority({ commonName: 'ca', nowMs });
const authenticator = createClientCertificateAuthenticator({ caPem: ca.certificatePem, clock: new FakeClock(nowMs) });

/** A certificate whose subject is CN=bob and these uids: what other tools of the CA's owner may make, ours does not. */
function withUids(...uids: string[]): Uint8Array {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = { commonName: 'bob', organizations: [] };
  const leaf = parseCertificate(issueLeaf(ca, { subject, publicKey, usages: ['clientAuth'], nowMs }));
  const [body, algorithm] = children(parseDer(leaf.der));
  const attribute = (oid: string, value: string): Buffer =>
    der(Tag.set, der(Tag.sequence, derOid(oid), der(Tag.utf8String, Buffer.from(value))));
  const name = der(Tag.sequence, attribute(Oid.commonName, 'bob'), ...uids.map((uid) => attribute(Oid.kubernetesUid, uid)));
  const fields = children(body!).map((field) => (field.raw.equals(leaf.subjectDer) ? name : field.raw));
  const signed = der(Tag.sequence, ...fields);
  return der(Tag.sequence, signed, algorithm!.raw, derBits(sign('sha256', signed, ca.privateKey)));
}

test('the uid in the subject of a certificate is that of the user', () => {
  const uidOf = (...uids: string[]): string | undefined => {
    const user = authenticator.authenticate({ authorization: undefined, clientCertificate: withUids(...uids), headers: {} });
    return user && `${user.name} ${user.uid}`;
  };
  assert.equal(uidOf(), 'bob undefined');
  assert.equal(uidOf('7'), 'bob 7');
  assert.equal(uidOf(''), undefined);
  assert.equal(uidOf('7', '8'), undefined);
});
