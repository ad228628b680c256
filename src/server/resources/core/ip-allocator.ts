import { type IpRange, ipAt, offsetIn } from '../../../api/ip-range.ts';
import type { IpFamily } from '../../../api/validation/ip.ts';

/** Of an IPv6 range only so many addresses are ever looked at. */
const maxSearched = 1_000_000n;

/**
 * Which addresses of one family are taken, and by which Service. Free ones are looked for in the server's own range, then in those people
 * added. The lower part of a range is left to addresses people choose themselves as long as there is room above (kubernetes: KEP-3070).
 */
export class IpAllocator {
  /** The server's own range. */
  readonly range: IpRange;
  readonly #added = new Map<string, IpRange>();
  readonly #owners = new Map<string, string>();
  /** Held by IPAddress objects that somebody else made. */
  readonly #foreign = new Set<string>();
  readonly #random: () => number;

  constructor(range: IpRange, random: () => number = Math.random) {
    this.range = range;
    this.#random = random;
  }

  get family(): IpFamily {
    return this.range.family;
  }

  /** A further range, by the name of its ServiceCIDR; undefined takes it away. */
  setAdded(name: string, range: IpRange | undefined): void {
    if (range) this.#added.set(name, range);
    else this.#added.delete(name);
  }

  /** Marks an address as an existing Service's own. */
  adopt(ip: string, owner: string): void {
    this.#owners.set(ip, owner);
  }

  /** Marks an address as not to be given out, or takes the mark away. */
  setForeign(ip: string, isForeign: boolean): void {
    if (isForeign) this.#foreign.add(ip);
    else this.#foreign.delete(ip);
  }

  /** Takes a given address. Returns what speaks against it, in upstream's words. */
  take(ip: string, owner: string): string | undefined {
    const range = this.#ranges().find((r) => offsetIn(r, ip) !== undefined);
    if (!range) return 'the provided network does not match the current range';
    const offset = offsetIn(range, ip)!;
    if (offset < firstOffset || offset >= endOf(range)) {
      return `the provided IP (${ip}) is not in the valid range. The range of valid IPs is ${range.text}`;
    }
    const holder = this.#owners.get(ip);
    if (this.#foreign.has(ip) || (holder !== undefined && holder !== owner)) return 'provided IP is already allocated';
    this.#owners.set(ip, owner);
    return undefined;
  }

  /** Takes any free address; undefined when all ranges are used up. */
  takeAny(owner: string): string | undefined {
    for (const range of this.#ranges()) {
      const reserved = reservedForChoice(range);
      const found =
        this.#search(range, { from: reserved, to: endOf(range) }) ?? this.#search(range, { from: firstOffset, to: reserved });
      if (found === undefined) continue;
      this.#owners.set(found, owner);
      return found;
    }
    return undefined;
  }

  holderOf(ip: string): string | undefined {
    return this.#owners.get(ip);
  }

  release(ip: string, owner: string): void {
    if (this.#owners.get(ip) === owner) this.#owners.delete(ip);
  }

  #ranges(): IpRange[] {
    return [this.range, ...this.#added.values()];
  }

  /** From a random place on, once around. */
  #search(range: IpRange, { from, to }: { from: bigint; to: bigint }): string | undefined {
    const count = to - from;
    if (count <= 0n) return undefined;
    const limit = count > maxSearched ? maxSearched : count;
    const start = BigInt(Math.floor(this.#random() * Number(limit)));
    for (let i = 0n; i < limit; i++) {
      const ip = ipAt(range, from + ((start + i) % limit));
      if (!this.#owners.has(ip) && !this.#foreign.has(ip)) return ip;
    }
    return undefined;
  }
}

/** The network's own address and, in IPv4, the broadcast address are never given out. */
const firstOffset = 1n;
const endOf = (range: IpRange): bigint => range.size - (range.family === 'IPv4' ? 1n : 0n);

/** min(max(16, size/16), 256), but never more than the range. */
function reservedForChoice(range: IpRange): bigint {
  const end = endOf(range);
  const sixteenth = end / 16n;
  const wanted = sixteenth < 16n ? 16n : sixteenth > 256n ? 256n : sixteenth;
  return wanted >= end ? firstOffset : wanted;
}
