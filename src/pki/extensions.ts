import { isIP } from 'node:net';
import { children, contextTag, type DerNode, der, derBits, derOid, oidText, Tag } from './der.ts';
import { Oid } from './oids.ts';

/** Subject alternative names. IP addresses in their usual text form. */
export interface AlternativeNames {
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly emails?: readonly string[];
  readonly uris?: readonly string[];
}

/** How many names there are, of all kinds. */
export const countNames = ({ dns, ips, emails = [], uris = [] }: AlternativeNames): number =>
  dns.length + ips.length + emails.length + uris.length;

export type ExtendedUsage = 'serverAuth' | 'clientAuth' | 'codeSigning' | 'emailProtection' | 'timestamping' | 'ocspSigning';

/** Bits of KeyUsage, numbered as in RFC 5280 §4.2.1.3. */
const KeyUsage = {
  digitalSignature: 0,
  contentCommitment: 1,
  keyEncipherment: 2,
  dataEncipherment: 3,
  keyAgreement: 4,
  keyCertSign: 5,
  crlSign: 6,
  encipherOnly: 7,
} as const;
export type KeyUsageName = keyof typeof KeyUsage;

export function extension(oid: string, value: Uint8Array, critical = false): Buffer {
  const parts = [derOid(oid), ...(critical ? [der(Tag.boolean, Buffer.from([0xff]))] : []), der(Tag.octetString, value)];
  return der(Tag.sequence, ...parts);
}

export function keyUsageExtension(usages: readonly KeyUsageName[]): Buffer {
  let bits = 0;
  for (const usage of usages) bits |= 0x80 >> KeyUsage[usage];
  let unused = 0;
  while (unused < 7 && !(bits & (1 << unused))) unused++;
  return extension(Oid.keyUsage, derBits(Buffer.from([bits]), unused), true);
}

export function extendedKeyUsageExtension(usages: readonly ExtendedUsage[]): Buffer {
  return extension(Oid.extendedKeyUsage, der(Tag.sequence, ...usages.map((u) => derOid(Oid[u]))));
}

/** `critical` when the subject is empty, as RFC 5280 §4.2.1.6 demands. */
export function alternativeNamesExtension(names: AlternativeNames, critical = false): Buffer {
  const entries = [
    ...names.dns.map((name) => der(contextTag(2, false), Buffer.from(name))),
    ...(names.emails ?? []).map((email) => der(contextTag(1, false), Buffer.from(email))),
    ...names.ips.map((ip) => der(contextTag(7, false), ipBytes(ip))),
    ...(names.uris ?? []).map((uri) => der(contextTag(6, false), Buffer.from(uri))),
  ];
  return extension(Oid.subjectAltName, der(Tag.sequence, ...entries), critical);
}

/** Names of kinds that no certificate here can have (directory names, for one) are passed over. */
export function decodeAlternativeNames(value: DerNode): AlternativeNames {
  const texts = (tag: number): string[] =>
    children(value)
      .filter((entry) => entry.tag === contextTag(tag, false))
      .map((entry) => entry.content.toString('latin1'));
  const ips = children(value)
    .filter((entry) => entry.tag === contextTag(7, false))
    .map((entry) => ipText(entry.content));
  const [emails, uris] = [texts(1), texts(6)];
  return { dns: texts(2), ips, ...(emails.length > 0 ? { emails } : {}), ...(uris.length > 0 ? { uris } : {}) };
}

/** Usages by their name; unknown ones by their dotted identifier. */
export function decodeExtendedKeyUsage(value: DerNode): string[] {
  const names = new Map<string, string>(Object.entries(Oid).map(([name, oid]) => [oid, name]));
  return children(value).map((node) => names.get(oidText(node)) ?? oidText(node));
}

/** 4 or 16 bytes. Throws when `text` is no IP address. */
export function ipBytes(text: string): Buffer {
  const version = isIP(text);
  if (version === 4) return Buffer.from(text.split('.').map(Number));
  if (version !== 6) throw new Error(`"${text}" is not an IP address`);
  const withoutZone = text.replace(/%.*$/, '');
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(withoutZone);
  const hex = dotted ? `${dotted[1]}${ipv4Groups(dotted[2]!)}` : withoutZone;
  const [head = '', tail] = hex.split('::');
  const left = head.split(':').filter(Boolean);
  const right = (tail ?? '').split(':').filter(Boolean);
  const zeros = new Array<string>(Math.max(0, 8 - left.length - right.length)).fill('0');
  const groups = Uint16Array.from([...left, ...zeros, ...right], (group) => Number.parseInt(group, 16));
  return Buffer.from(groups.buffer).swap16();
}

function ipv4Groups(dotted: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = dotted.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

/** The inverse of `ipBytes`; IPv6 in the short form of RFC 5952. */
export function ipText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  if (bytes.length !== 16) throw new Error('an IP address in the certificate is malformed');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2));
  const { start, length } = longestZeros(groups);
  const hex = (part: readonly number[]): string => part.map((g) => g.toString(16)).join(':');
  if (length < 2) return hex(groups);
  return `${hex(groups.slice(0, start))}::${hex(groups.slice(start + length))}`;
}

/** The first of the longest runs of zeros. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let i = 0; i < groups.length; i++) {
    let length = 0;
    while (groups[i + length] === 0) length++;
    if (length > best.length) best = { start: i, length };
  }
  return best;
}

/** The one way in which this module writes an address; what is no address stays as it is. */
export function canonicalIp(text: string): string {
  return isIP(text) ? ipText(ipBytes(text)) : text;
}
