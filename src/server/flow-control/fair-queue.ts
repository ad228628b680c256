/** How many may wait. */
export interface QueueLimits {
  readonly perFlow: number;
  readonly all: number;
}

/** Those who wait, by flow. Flows take turns, whatever their length; within a flow it goes by arrival. */
export class FairQueue<T> {
  /** Whose turn it is comes first. None is empty. */
  readonly #flows = new Map<string, Set<T>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Returns who finds no place: the newcomer, or the last of the longest flow, which makes room for those who ask for less. */
  add(flow: string, item: T, limits: QueueLimits): T | undefined {
    const length = this.#flows.get(flow)?.size ?? 0;
    if (length >= limits.perFlow) return item;
    let turnedAway: T | undefined;
    if (this.#size >= limits.all) {
      const [longest, items] = this.#longest();
      if (items.size <= length + 1) return item;
      turnedAway = [...items].at(-1)!;
      this.remove(longest, turnedAway);
    }
    this.#place(flow).add(item);
    this.#size++;
    return turnedAway;
  }

  /** Whose turn it is; the flow is last then. */
  take(): T | undefined {
    for (const [flow, items] of this.#flows) {
      const [first] = items;
      this.#flows.delete(flow);
      items.delete(first!);
      if (items.size > 0) this.#flows.set(flow, items);
      this.#size--;
      return first;
    }
    return undefined;
  }

  /** False when it does not wait any more. */
  remove(flow: string, item: T): boolean {
    const items = this.#flows.get(flow);
    if (!items?.delete(item)) return false;
    if (items.size === 0) this.#flows.delete(flow);
    this.#size--;
    return true;
  }

  #place(flow: string): Set<T> {
    const items = this.#flows.get(flow) ?? new Set();
    this.#flows.set(flow, items);
    return items;
  }

  #longest(): [string, Set<T>] {
    let longest: [string, Set<T>] = ['', new Set()];
    for (const entry of this.#flows) if (entry[1].size > longest[1].size) longest = entry;
    return longest;
  }
}
