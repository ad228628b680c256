import type { FieldError } from '../field-error.ts';
import { invalid } from './errors.ts';

export const ipMessage = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
export const cidrMessage = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

export type IpFamily = 'IPv4' | 'IPv6';

export interface ParsedIp {
  readonly family: IpFamily;
  /** The address as a number of 32 or 128 bits. */
  readonly value: bigint;
}

const octet = /^(0|[1-9]\d{0,2})$/;
const hextet = /^[0-9a-fA-F]{1,4}$/;

/** An IPv4 or IPv6 address in text, undefined when it is none. Octets with leading zeros are refused: they are ambiguous. */
export function parseIp(text: string): ParsedIp | undefined {
  if (!text.includes(':')) {
    const value = parseV4(text);
    return value === undefined ? undefined : { family: 'IPv4', value: BigInt(value) };
  }
  const groups = expandV6(text);
  if (!groups) return undefined;
  let value = 0n;
  for (const group of groups) value = (value << 16n) | BigInt(group);
  // An IPv4-mapped address is an IPv4 address to Go, and so to clients.
  return value >> 32n === 0xffffn ? { family: 'IPv4', value: value & 0xffffffffn } : { family: 'IPv6', value };
}

function parseV4(text: string): number | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const part of octets) {
    if (!octet.test(part) || Number(part) > 255) return undefined;
    value = value * 256 + Number(part);
  }
  return value;
}

function expandV6(text: string): number[] | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? '');
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? '') : [];
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 1) return missing === 0 ? head : undefined;
  return missing < 1 ? undefined : [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes('.')) {
      const v4 = parseV4(part);
      if (v4 === undefined) return undefined;
      groups.push(Math.floor(v4 / 65536), v4 % 65536);
    } else if (hextet.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

export interface ParsedCidr extends ParsedIp {
  readonly prefix: number;
}

/** `10.0.0.0/8`; undefined when it is no CIDR. Host bits may be set. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const ip = parseIp(text.slice(0, slash));
  const length = text.slice(slash + 1);
  if (!ip || !/^(0|[1-9]\d{0,2})$/.test(length)) return undefined;
  const prefix = Number(length);
  return prefix > bitsOf(ip.family) ? undefined : { ...ip, prefix };
}

const bitsOf = (family: IpFamily): number => (family === 'IPv4' ? 32 : 128);

/** True when no bit is set behind the prefix. */
export function isNetworkAddress({ family, value, prefix }: ParsedCidr): boolean {
  return value % (1n << BigInt(bitsOf(family) - prefix)) === 0n;
}

/** True when `inner` lies within `outer`. */
export function cidrContains(outer: ParsedCidr, inner: ParsedCidr): boolean {
  if (outer.family !== inner.family || inner.prefix < outer.prefix) return false;
  const shift = BigInt(bitsOf(outer.family) - outer.prefix);
  return outer.value >> shift === inner.value >> shift;
}

/** RFC 5952 form of an address. */
export function formatIp({ family, value }: ParsedIp): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.');
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - 16 * i)) & 0xffffn));
  const gap = longestZeroRun(groups);
  const hex = groups.map((g) => g.toString(16));
  if (gap.length < 2) return hex.join(':');
  return `${hex.slice(0, gap.start).join(':')}::${hex.slice(gap.start + gap.length).join(':')}`;
}

function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let end = start;
    while (groups[end] === 0) end++;
    if (end - start > best.length) best = { start, length: end - start };
  }
  return best;
}

/** An IP address; absent or empty text is left alone. */
export function checkIp(errors: FieldError[], field: string, text: string | undefined): void {
  if (text && !parseIp(text)) errors.push(invalid(field, text, ipMessage));
}

/** An IP address that must be there. */
export function requireIp(errors: FieldError[], field: string, text: string | undefined): void {
  if (!text || !parseIp(text)) errors.push(invalid(field, text ?? '', ipMessage));
}

/** A CIDR; absent or empty text is left alone. */
export function checkCidr(errors: FieldError[], field: string, text: string | undefined): void {
  if (text && !parseCidr(text)) errors.push(invalid(field, text, cidrMessage));
}
