import { createHash, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto';
import { children, contextTag, type DerNode, der, derBits, derInteger, derOid, derTime, oidText, parseDer, Tag } from './der.ts';
import {
  type AlternativeNames,
  alternativeNamesExtension,
  countNames,
  type ExtendedUsage,
  extendedKeyUsageExtension,
  extension,
  type KeyUsageName,
  keyUsageExtension,
} from './extensions.ts';
import { generatePrivateKey } from './keys.ts';
import { decodeName, encodeName, isEmptyName, type Subject } from './name.ts';
import { Oid } from './oids.ts';
import { decodePem, encodePem } from './pem.ts';

/** A certificate authority that can sign: its certificate (PEM) and its private key. */
export interface CertificateAuthority {
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
}

export const dayMs = 24 * 60 * 60 * 1000;
/** How long a new CA is valid. */
const caValidityMs = 3653 * dayMs;
/** How long a leaf is valid unless its user asks for less. */
export const leafValidityMs = 365 * dayMs;
/**
 * Certificates are valid from this long before they were made, for machines whose clock is behind (a Pi has no battery clock); short ones by a
 * twelfth of their time, so that who asks for an hour gets no more than five minutes on top.
 */
const clockSkewMs = 60 * 60 * 1000;
const maxSkewShare = 1 / 12;

/**
 * Machines without a battery clock may start in the past. A clock before this moment is wrong for certain: what is made then must still be
 * good when the clock has been set.
 */
const earliestPlausibleMs = Date.UTC(2026, 0, 1);
const endOf = (nowMs: number, validityMs: number): number => Math.max(nowMs, earliestPlausibleMs) + validityMs;

export interface LeafOptions {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly usages: readonly ExtendedUsage[];
  /** Empty: any use of the key. A certificate that says "none" is refused by OpenSSL. */
  readonly keyUsages?: readonly KeyUsageName[];
  readonly names?: AlternativeNames;
  readonly nowMs: number;
  readonly validityMs?: number;
}

/** A new self-signed CA with an ECDSA P-256 key. */
export function createCertificateAuthority(options: { commonName: string; nowMs: number }): CertificateAuthority {
  const privateKey = generatePrivateKey();
  const spki = spkiOf(createPublicKey(privateKey));
  const name = encodeName({ commonName: options.commonName, organizations: [] });
  const keyId = keyIdentifier(spki);
  const certificate = signed(
    {
      issuer: name,
      subject: name,
      spki,
      notBeforeMs: options.nowMs - clockSkewMs,
      notAfterMs: endOf(options.nowMs, caValidityMs),
      extensions: [
        keyUsageExtension(['digitalSignature', 'keyEncipherment', 'keyCertSign', 'crlSign']),
        extension(Oid.basicConstraints, der(Tag.sequence, der(Tag.boolean, Buffer.from([0xff]))), true),
        extension(Oid.subjectKeyIdentifier, der(Tag.octetString, keyId)),
        authorityKeyExtension(keyId),
      ],
    },
    privateKey,
  );
  return { certificatePem: encodePem('CERTIFICATE', certificate), privateKey };
}

/** Signs a leaf; returns it as PEM. It never outlives its CA. About 0.25 ms. */
export function issueLeaf(ca: CertificateAuthority, options: LeafOptions): string {
  const issuer = parseCertificate(ca.certificatePem);
  const spki = spkiOf(options.publicKey);
  const names = options.names ?? { dns: [], ips: [] };
  const keyUsages = options.keyUsages ?? ['digitalSignature', 'keyEncipherment'];
  const validityMs = options.validityMs ?? leafValidityMs;
  const skewMs = Math.min(clockSkewMs, validityMs * maxSkewShare);
  const certificate = signed(
    {
      issuer: issuer.subjectDer,
      subject: encodeName(options.subject),
      spki,
      notBeforeMs: Math.max(options.nowMs - skewMs, issuer.notBeforeMs),
      notAfterMs: Math.min(endOf(options.nowMs, validityMs), issuer.notAfterMs),
      extensions: [
        ...(keyUsages.length > 0 ? [keyUsageExtension(keyUsages)] : []),
        ...(options.usages.length > 0 ? [extendedKeyUsageExtension(options.usages)] : []),
        extension(Oid.basicConstraints, der(Tag.sequence), true),
        extension(Oid.subjectKeyIdentifier, der(Tag.octetString, keyIdentifier(spki))),
        authorityKeyExtension(keyIdentifier(issuer.spki)),
        ...(countNames(names) > 0 ? [alternativeNamesExtension(names, isEmptyName(options.subject))] : []),
      ],
    },
    ca.privateKey,
  );
  return encodePem('CERTIFICATE', certificate);
}

interface ToBeSigned {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly extensions: readonly Buffer[];
}

const ecdsaWithSha256 = der(Tag.sequence, derOid(Oid.ecdsaWithSha256));
const version3 = der(contextTag(0), derInteger(Buffer.from([2])));
/** 127 bits of chance and never zero: the first bit would make it negative. */
const newSerial = (): Buffer => {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
};

function signed(tbs: ToBeSigned, key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'ec') throw new Error('the CA key is not an elliptic-curve key; only those are supported');
  const body = der(
    Tag.sequence,
    version3,
    derInteger(newSerial()),
    ecdsaWithSha256,
    tbs.issuer,
    der(Tag.sequence, derTime(tbs.notBeforeMs), derTime(tbs.notAfterMs)),
    tbs.subject,
    tbs.spki,
    der(contextTag(3), der(Tag.sequence, ...tbs.extensions)),
  );
  return der(Tag.sequence, body, ecdsaWithSha256, derBits(sign('sha256', body, key)));
}

const authorityKeyExtension = (keyId: Buffer): Buffer =>
  extension(Oid.authorityKeyIdentifier, der(Tag.sequence, der(contextTag(0, false), keyId)));

const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' }) as Buffer;

/** SHA-1 of the public key's bits: method 1 of RFC 5280 §4.2.1.2. A name, not a protection. */
function keyIdentifier(spki: Buffer): Buffer {
  const bits = children(parseDer(spki))[1];
  if (!bits) throw new Error('the public key is malformed');
  return createHash('sha1').update(bits.content.subarray(1)).digest();
}

/** What is asked of a certificate besides its signature. */
export interface ParsedCertificate {
  readonly der: Buffer;
  readonly subject: Subject;
  readonly subjectDer: Buffer;
  readonly spki: Buffer;
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  /** By dotted identifier: the content of the extension's OCTET STRING. */
  readonly extensions: ReadonlyMap<string, DerNode>;
}

/** Reads the first certificate of a PEM text, or a DER one. Throws on anything malformed; does not check the signature. */
export function parseCertificate(input: string | Uint8Array): ParsedCertificate {
  const bytes = typeof input === 'string' ? decodePem('CERTIFICATE', input)[0] : Buffer.from(input);
  if (!bytes) throw new Error('there is no certificate in the PEM text');
  const body = children(parseDer(bytes))[0];
  if (!body) throw new Error('the certificate is malformed');
  const fields = children(body);
  if (fields[0]?.tag === contextTag(0)) fields.shift();
  const [, , , validity, subject, spki, ...rest] = fields;
  if (!validity || !subject || !spki) throw new Error('the certificate is malformed');
  const [notBefore, notAfter] = children(validity).map(timeMs);
  const extensions = rest.find((node) => node.tag === contextTag(3));
  return {
    der: bytes,
    subject: decodeName(subject),
    subjectDer: subject.raw,
    spki: spki.raw,
    notBeforeMs: notBefore!,
    notAfterMs: notAfter!,
    extensions: new Map(extensions ? children(children(extensions)[0]!).map(extensionEntry) : []),
  };
}

/** `[dotted identifier, decoded value]` of one Extension. */
export function extensionEntry(node: DerNode): [string, DerNode] {
  const parts = children(node);
  const value = parts.at(-1);
  if (!parts[0] || !value) throw new Error('an extension of the certificate is malformed');
  return [oidText(parts[0]), parseDer(value.content)];
}

function timeMs(node: DerNode): number {
  const text = node.content.toString('latin1');
  const full = node.tag === Tag.utcTime ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const iso = full.replace(/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) throw new Error('a time in the certificate is malformed');
  return ms;
}

/** True when `ca` signed the certificate. Says nothing about dates. About 0.1 ms. */
export function isSignedBy(certificate: ParsedCertificate, ca: X509Certificate): boolean {
  const x509 = new X509Certificate(certificate.der);
  return x509.checkIssued(ca) && x509.verify(ca.publicKey);
}

/** True between the first and the last moment of the certificate. */
export function isValidAt(certificate: ParsedCertificate, nowMs: number): boolean {
  return nowMs >= certificate.notBeforeMs && nowMs <= certificate.notAfterMs;
}

/** Lower-case hex SHA-256 of the DER of the first certificate in `pem`: what a join token pins. */
export function certificateHash(pem: string): string {
  return createHash('sha256').update(parseCertificate(pem).der).digest('hex');
}
