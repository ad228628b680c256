import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { extensionEntry } from './certificate.ts';
import { children, contextTag, type DerNode, der, derBits, derInteger, derOid, oidText, parseDer, Tag } from './der.ts';
import {
  type AlternativeNames,
  alternativeNamesExtension,
  countNames,
  decodeAlternativeNames,
  decodeExtendedKeyUsage,
} from './extensions.ts';
import { decodeName, encodeName, type Subject } from './name.ts';
import { Oid } from './oids.ts';
import { decodePem, encodePem } from './pem.ts';

/** A PKCS#10 request whose self-signature has been checked. */
export interface CertificateRequest {
  readonly subject: Subject;
  readonly publicKey: KeyObject;
  readonly names: AlternativeNames;
  readonly extendedUsages: readonly string[];
}

/** A request as PEM, signed with `privateKey` (ECDSA P-256). */
export function createRequest(options: { subject: Subject; privateKey: KeyObject; names?: AlternativeNames }): string {
  const names = options.names ?? { dns: [], ips: [] };
  const attributes =
    countNames(names) === 0
      ? []
      : [der(Tag.sequence, derOid(Oid.extensionRequest), der(Tag.set, der(Tag.sequence, alternativeNamesExtension(names))))];
  const info = der(
    Tag.sequence,
    derInteger(Buffer.from([0])),
    encodeName(options.subject),
    createPublicKey(options.privateKey).export({ type: 'spki', format: 'der' }) as Buffer,
    der(contextTag(0), ...attributes),
  );
  const algorithm = der(Tag.sequence, derOid(Oid.ecdsaWithSha256));
  return encodePem('CERTIFICATE REQUEST', der(Tag.sequence, info, algorithm, derBits(sign('sha256', info, options.privateKey))));
}

/** Hash per signature algorithm; null = the algorithm hashes by itself. */
const hashes: ReadonlyMap<string, string | null> = new Map([
  [Oid.ecdsaWithSha256, 'sha256'],
  [Oid.ecdsaWithSha384, 'sha384'],
  [Oid.ecdsaWithSha512, 'sha512'],
  [Oid.rsaWithSha256, 'sha256'],
  [Oid.rsaWithSha384, 'sha384'],
  [Oid.rsaWithSha512, 'sha512'],
  [Oid.ed25519, null],
]);

/** Reads a PEM request and checks that its sender holds the private key. Throws an Error that says what is wrong. */
export function parseRequest(pem: string): CertificateRequest {
  const bytes = decodePem('CERTIFICATE REQUEST', pem)[0];
  if (!bytes) throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const [info, algorithm, signature] = children(parseDer(bytes));
  if (!info || !algorithm || !signature) throw new Error('the certificate request is malformed');
  const [, subject, spki, attributes] = children(info);
  if (!subject || !spki) throw new Error('the certificate request is malformed');
  const publicKey = createPublicKey({ key: spki.raw, format: 'der', type: 'spki' });
  const hash = hashes.get(oidText(children(algorithm)[0]!));
  if (hash === undefined) throw new Error('the signature algorithm of the certificate request is not supported');
  if (!verify(hash, info.raw, publicKey, signature.content.subarray(1)))
    throw new Error('the signature of the certificate request is wrong');
  const extensions = requestedExtensions(attributes);
  const alternative = extensions.get(Oid.subjectAltName);
  const usage = extensions.get(Oid.extendedKeyUsage);
  return {
    subject: decodeName(subject),
    publicKey,
    names: alternative ? decodeAlternativeNames(alternative) : { dns: [], ips: [] },
    extendedUsages: usage ? decodeExtendedKeyUsage(usage) : [],
  };
}

function requestedExtensions(attributes: DerNode | undefined): ReadonlyMap<string, DerNode> {
  for (const attribute of attributes ? children(attributes) : []) {
    const [type, values] = children(attribute);
    const list = values && children(values)[0];
    if (type && list && oidText(type) === Oid.extensionRequest) return new Map(children(list).map(extensionEntry));
  }
  return new Map();
}
