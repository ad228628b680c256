import { type IpRange, ipAt, offsetIn } from '../../../api/ip-range.ts';

/** Of an IPv6 range only so many addresses are ever looked at. */
const maxSearched = 1_000_000n;

/**
 * Which addresses of a service range are taken, and by which Service. The lower part of the range is left to addresses people choose
 * themselves as long as there is room above (kubernetes: KEP-3070).
 */
export class IpAllocator {
  readonly range: IpRange;
  readonly #owners = new Map<string, string>();
  readonly #random: () => number;
  readonly #first: bigint;
  readonly #size: bigint;

  constructor(range: IpRange, random: () => number = Math.random) {
    this.range = range;
    this.#random = random;
    // The network's own address and, in IPv4, the broadcast address are never given out.
    this.#first = 1n;
    this.#size = range.size - (range.family === 'IPv4' ? 1n : 0n);
  }

  /** Marks an address as an existing Service's own. */
  adopt(ip: string, owner: string): void {
    if (offsetIn(this.range, ip) !== undefined) this.#owners.set(ip, owner);
  }

  /** Takes a given address. Returns what speaks against it, in upstream's words. */
  take(ip: string, owner: string): string | undefined {
    const offset = offsetIn(this.range, ip);
    if (offset === undefined || offset < this.#first || offset >= this.#size) {
      return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${this.range.text}`;
    }
    const holder = this.#owners.get(ip);
    if (holder !== undefined && holder !== owner) return 'provided IP is already allocated';
    this.#owners.set(ip, owner);
    return undefined;
  }

  /** Takes any free address; undefined when the range is used up. */
  takeAny(owner: string): string | undefined {
    const reserved = this.#reservedForChoice();
    return this.#search(reserved, this.#size, owner) ?? this.#search(this.#first, reserved, owner);
  }

  isHeldBy(ip: string, owner: string): boolean {
    return this.#owners.get(ip) === owner;
  }

  release(ip: string, owner: string): void {
    if (this.#owners.get(ip) === owner) this.#owners.delete(ip);
  }

  /** min(max(16, size/16), 256), but never more than the range. */
  #reservedForChoice(): bigint {
    const sixteenth = this.#size / 16n;
    const wanted = sixteenth < 16n ? 16n : sixteenth > 256n ? 256n : sixteenth;
    return wanted >= this.#size ? this.#first : wanted;
  }

  /** From a random place on, once around. */
  #search(from: bigint, to: bigint, owner: string): string | undefined {
    const count = to - from;
    if (count <= 0n) return undefined;
    const limit = count > maxSearched ? maxSearched : count;
    const start = BigInt(Math.floor(this.#random() * Number(limit)));
    for (let i = 0n; i < limit; i++) {
      const ip = ipAt(this.range, from + ((start + i) % limit));
      if (this.#owners.has(ip)) continue;
      this.#owners.set(ip, owner);
      return ip;
    }
    return undefined;
  }
}
