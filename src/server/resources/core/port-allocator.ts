export interface PortRange {
  readonly first: number;
  readonly last: number;
}

/** Which node ports are taken, and by which Service. One Service may use a port for several protocols. */
export class PortAllocator {
  readonly range: PortRange;
  readonly #owners = new Map<number, string>();
  readonly #random: () => number;

  constructor(range: PortRange, random: () => number = Math.random) {
    this.range = range;
    this.#random = random;
  }

  adopt(port: number, owner: string): void {
    this.#owners.set(port, owner);
  }

  /** Takes a given port. Returns what speaks against it, in upstream's words. */
  take(port: number, owner: string): string | undefined {
    const { first, last } = this.range;
    if (port < first || port > last) {
      return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
    }
    const holder = this.#owners.get(port);
    if (holder !== undefined && holder !== owner) return 'provided port is already allocated';
    this.#owners.set(port, owner);
    return undefined;
  }

  /** Takes any free port; undefined when all are used. */
  takeAny(owner: string): number | undefined {
    const { first, last } = this.range;
    const count = last - first + 1;
    const start = Math.floor(this.#random() * count);
    for (let i = 0; i < count; i++) {
      const port = first + ((start + i) % count);
      if (this.#owners.has(port)) continue;
      this.#owners.set(port, owner);
      return port;
    }
    return undefined;
  }

  isHeldBy(port: number, owner: string): boolean {
    return this.#owners.get(port) === owner;
  }

  release(port: number, owner: string): void {
    if (this.#owners.get(port) === owner) this.#owners.delete(port);
  }
}
