import { formatIp, type IpFamily, parseCidr, parseIp } from './validation/ip.ts';

/** A range of addresses, e.g. 10.43.0.0/16. Addresses inside are named by their offset from the first. */
export interface IpRange {
  readonly family: IpFamily;
  readonly first: bigint;
  /** How many addresses there are, the first and the last included. */
  readonly size: bigint;
  /** The CIDR, with bits after the prefix cleared. */
  readonly text: string;
}

/** Throws when the text is no CIDR. */
export function parseIpRange(text: string): IpRange {
  const cidr = parseCidr(text);
  if (!cidr) throw new Error(`${JSON.stringify(text)} is not a block of addresses such as 10.43.0.0/16`);
  const { family, value, prefix } = cidr;
  const size = 1n << BigInt((family === 'IPv4' ? 32 : 128) - prefix);
  const first = value - (value % size);
  return { family, first, size, text: `${formatIp({ family, value: first })}/${prefix}` };
}

/** Undefined when the address is outside. */
export function offsetIn(range: IpRange, ip: string): bigint | undefined {
  const address = parseIp(ip);
  if (address?.family !== range.family) return undefined;
  const offset = address.value - range.first;
  return offset >= 0n && offset < range.size ? offset : undefined;
}

/** The address at an offset; the offset is not checked. */
export function ipAt(range: IpRange, offset: bigint): string {
  return formatIp({ family: range.family, value: range.first + offset });
}
