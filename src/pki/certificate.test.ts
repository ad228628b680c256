import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  certificateHash,
  createCertificateAuthority,
  dayMs,
  isSignedBy,
  issueLeaf,
  isValidAt,
  parseCertificate,
} from './certificate.ts';
import { createRequest, parseRequest } from './csr.ts';
import { ipBytes, ipText } from './extensions.ts';
import { generatePrivateKey, privateKeyPem } from './keys.ts';

const openssl = (args: readonly string[], input = ''): { status: number | null; output: string } => {
  const run = spawnSync('openssl', args, { input, encoding: 'utf8' });
  return { status: run.status, output: run.stdout + run.stderr };
};
const skip = openssl(['version']).status === 0 ? false : 'needs openssl';

function inFolder<T>(use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-pki-'));
  try {
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('certificates', () => {
  const nowMs = Date.now();
  const ca = createCertificateAuthority({ commonName: 'skiff-ca', nowMs });
  const key = generatePrivateKey();
  const leaf = issueLeaf(ca, {
    subject: { commonName: 'system:node:pi', organizations: ['system:nodes', 'second'] },
    publicKey: createPublicKey(key),
    usages: ['serverAuth', 'clientAuth'],
    names: { dns: ['localhost', 'pi.local'], ips: ['127.0.0.1', '::1', 'fd00::1:0:2'] },
    nowMs,
  });

  test('the strict verifier of openssl accepts the chain', { skip }, () =>
    inFolder((folder) => {
      writeFileSync(join(folder, 'ca.pem'), ca.certificatePem);
      writeFileSync(join(folder, 'leaf.pem'), leaf);
      for (const purpose of ['sslserver', 'sslclient']) {
        const { output } = openssl([
          'verify',
          '-x509_strict',
          '-purpose',
          purpose,
          '-CAfile',
          join(folder, 'ca.pem'),
          join(folder, 'leaf.pem'),
        ]);
        assert.match(output, /: OK/);
      }
      const { output } = openssl(['verify', '-x509_strict', '-CAfile', join(folder, 'ca.pem'), join(folder, 'ca.pem')]);
      assert.match(output, /: OK/);
    }),
  );

  test('openssl reads what was put in', { skip }, () => {
    const { output } = openssl(['x509', '-noout', '-text', '-nameopt', 'RFC2253'], leaf);
    assert.match(output, /Subject: CN=system:node:pi,O=system:nodes\+O=second/);
    assert.match(
      output,
      /DNS:localhost, DNS:pi.local, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FD00:0:0:0:0:1:0:2/,
    );
    assert.match(output, /TLS Web Server Authentication, TLS Web Client Authentication/);
  });

  test('a leaf that would outlive its CA ends with it, also after 2049', { skip }, () => {
    const late = createCertificateAuthority({ commonName: 'late', nowMs: Date.UTC(2045, 0, 1) });
    const pem = issueLeaf(late, {
      subject: { commonName: 'x', organizations: [] },
      publicKey: createPublicKey(key),
      usages: ['clientAuth'],
      nowMs: Date.UTC(2054, 11, 1),
    });
    assert.equal(parseCertificate(pem).notAfterMs, parseCertificate(late.certificatePem).notAfterMs);
    assert.match(openssl(['x509', '-noout', '-enddate'], pem).output, /2055 GMT/);
  });

  test('a leaf for an hour begins five minutes early, one for a year an hour', () => {
    for (const [hours, earlyMinutes] of [
      [1, 5],
      [365 * 24, 60],
    ] as const) {
      const pem = issueLeaf(ca, {
        subject: { commonName: 'x', organizations: [] },
        publicKey: createPublicKey(key),
        usages: ['clientAuth'],
        nowMs: nowMs + dayMs,
        validityMs: hours * 60 * 60 * 1000,
      });
      const { notBeforeMs, notAfterMs } = parseCertificate(pem);
      assert.equal(notAfterMs - notBeforeMs, (hours * 60 + earlyMinutes) * 60 * 1000);
    }
  });

  test('our reader agrees with node', () => {
    const parsed = parseCertificate(leaf);
    const x509 = new X509Certificate(leaf);
    assert.deepEqual(parsed.subject.organizations, ['second', 'system:nodes']);
    assert.equal(parsed.subject.commonName, 'system:node:pi');
    assert.equal(parsed.notAfterMs, Date.parse(x509.validTo));
    assert.equal(parsed.notBeforeMs, Date.parse(x509.validFrom));
    assert.equal(certificateHash(leaf), x509.fingerprint256.replaceAll(':', '').toLowerCase());
  });

  test('only the CA that signed it, only while it is valid', () => {
    const other = createCertificateAuthority({ commonName: 'skiff-ca', nowMs });
    const parsed = parseCertificate(leaf);
    assert.equal(isSignedBy(parsed, new X509Certificate(ca.certificatePem)), true);
    assert.equal(isSignedBy(parsed, new X509Certificate(other.certificatePem)), false);
    assert.equal(isValidAt(parsed, nowMs), true);
    assert.equal(isValidAt(parsed, nowMs + 366 * dayMs), false);
    assert.equal(isValidAt(parsed, nowMs - dayMs), false);
  });

  test('what a machine makes before its clock is set is good when it is', () => {
    const early = createCertificateAuthority({ commonName: 'early', nowMs: 0 });
    const pem = issueLeaf(early, {
      subject: { commonName: 'x', organizations: [] },
      publicKey: createPublicKey(key),
      usages: ['clientAuth'],
      nowMs: 0,
    });
    for (const text of [early.certificatePem, pem])
      for (const ms of [0, Date.UTC(2026, 5, 1)]) assert.ok(isValidAt(parseCertificate(text), ms), new Date(ms).toISOString());
  });

  test('damaged certificates are refused with an error, never accepted', () => {
    const bytes = parseCertificate(leaf).der;
    for (let length = 0; length < bytes.length; length += 7) assert.throws(() => parseCertificate(bytes.subarray(0, length)));
  });
});

describe('certificate requests', () => {
  const key = generatePrivateKey();
  const subject = { commonName: 'system:node:pi', organizations: ['system:nodes'] };
  const names = { dns: ['pi'], ips: ['10.0.0.2'] };

  test('openssl verifies ours', { skip }, () => {
    const { output } = openssl(['req', '-verify', '-noout', '-text'], createRequest({ subject, privateKey: key, names }));
    assert.match(output, /verify OK/);
    assert.match(output, /DNS:pi, IP Address:10.0.0.2/);
  });

  test('ours survive the round trip', () => {
    const parsed = parseRequest(createRequest({ subject, privateKey: key, names }));
    assert.deepEqual(parsed.subject, subject);
    assert.deepEqual(parsed.names, names);
    assert.ok(parsed.publicKey.equals(createPublicKey(key)));
    assert.deepEqual(parseRequest(createRequest({ subject, privateKey: key })).names, { dns: [], ips: [] });
  });

  for (const kind of ['rsa:2048', 'ec', 'ed25519']) {
    test(`those openssl makes with ${kind} keys are understood`, { skip }, () =>
      inFolder((folder) => {
        const out = join(folder, 'r.pem');
        const keyArgs = kind === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-384'] : [kind];
        const made = openssl([
          ...['req', '-new', '-newkey', ...keyArgs, '-nodes', '-keyout', join(folder, 'k.pem'), '-subj', '/C=DE/O=a/O=b/CN=bob'],
          ...['-addext', 'subjectAltName=DNS:x.y,IP:::1,email:a@b', '-addext', 'extendedKeyUsage=clientAuth', '-out', out],
        ]);
        assert.equal(made.status, 0, made.output);
        const parsed = parseRequest(openssl(['req', '-in', out]).output);
        const others = new Map([['2.5.4.6', ['DE']]]);
        assert.deepEqual(parsed.subject, { commonName: 'bob', organizations: ['a', 'b'], others });
        assert.deepEqual(parsed.names, { dns: ['x.y'], ips: ['::1'], emails: ['a@b'] });
        assert.deepEqual(parsed.extendedUsages, ['clientAuth']);
      }),
    );
  }

  test('a certificate says all of the subject that is asked for, but no uid', { skip }, () =>
    inFolder((folder) => {
      const asked =
        '/CN=first/OU=b/OU=a/C=DE/ST=s/L=l/street=x/postalCode=1/O=o/serialNumber=7/CN=bob/1.3.6.1.4.1.57683.2=root/UID=u';
      const made = openssl([
        ...['req', '-new', '-newkey', 'ed25519', '-nodes', '-keyout', join(folder, 'k.pem'), '-out', join(folder, 'r.pem')],
        ...['-subj', asked, '-addext', 'subjectAltName=URI:spiffe://a/b,IP:::1,email:a@b,DNS:x.y'],
      ]);
      assert.equal(made.status, 0, made.output);
      const { subject: wanted, names: all, publicKey } = parseRequest(readFileSync(join(folder, 'r.pem'), 'utf8'));
      const authority = createCertificateAuthority({ commonName: 'ca', nowMs: Date.now() });
      const pem = issueLeaf(authority, { subject: wanted, names: all, publicKey, usages: ['clientAuth'], nowMs: Date.now() });
      const { output } = openssl(['x509', '-noout', '-subject', '-ext', 'subjectAltName'], pem);
      assert.match(
        output,
        /C = DE, O = o, OU = a \+ OU = b, L = l, ST = s, street = x, postalCode = 1, CN = bob, serialNumber = 7\n/,
      );
      assert.match(output, /DNS:x\.y, email:a@b, IP Address:0:0:0:0:0:0:0:1, URI:spiffe:\/\/a\/b/);
    }),
  );

  test('a request signed by another key is refused', () => {
    const good = Buffer.from(createRequest({ subject, privateKey: key }).split('\n').slice(1, -2).join(''), 'base64');
    good[good.length - 1]! ^= 1;
    assert.throws(() =>
      parseRequest(`-----BEGIN CERTIFICATE REQUEST-----\n${good.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`),
    );
    assert.throws(() => parseRequest(privateKeyPem(key)), /PEM block type must be CERTIFICATE REQUEST/);
  });
});

test('IP addresses keep their value through bytes', () => {
  const rows: [string, string][] = [
    ['10.1.2.3', '10.1.2.3'],
    ['::', '::'],
    ['::1', '::1'],
    ['fe80::1', 'fe80::1'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
    ['1:0:3:4:5:6:7:8', '1:0:3:4:5:6:7:8'],
    ['1::', '1::'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
  ];
  for (const [text, expected] of rows) assert.equal(ipText(ipBytes(text)), expected, text);
  assert.throws(() => ipBytes('pi.local'));
});
