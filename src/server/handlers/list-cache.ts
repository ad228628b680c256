import type { Clock } from '../../lib/clock.ts';
import type { BodyForms } from '../http/exchange.ts';
import type { ListItems } from './list-items.ts';

/** Larger lists are made piece by piece for each reader. */
const maxListBytes = 8 * 1024 * 1024;
/** All that is kept; the list that was not asked for the longest goes first. Compressed forms come on top, a tenth as large. */
const maxBytes = 16 * 1024 * 1024;
/** Smaller lists are made faster than they are found again. */
const minListBytes = 32 * 1024;
/** Readers that come together share a list, and clients that ask again and again; it is no use to keep it for longer. */
const unusedMs = 5_000;

interface CachedList {
  readonly items: ListItems;
  readonly unfollow: () => void;
  /** The compressed form of the answer that began with `head`. */
  forms: { readonly head: string; readonly body: BodyForms };
  usedMs: number;
}

/** The bytes of recent lists, as long as nothing changes in what they list: many clients that ask for the same get the same bytes. */
export class ListCache {
  readonly #clock: Clock;
  readonly #lists = new Map<string, CachedList>();
  #bytes = 0;
  #cancelSweep: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** True for lists of a size that is worth keeping. */
  readonly isWorthKeeping = (sizeBytes: number): boolean => sizeBytes >= minListBytes && sizeBytes <= maxListBytes;

  find(key: string): ListItems | undefined {
    const list = this.#lists.get(key);
    if (!list) return undefined;
    list.usedMs = this.#clock.monotonicMs();
    return list.items;
  }

  /** Keeps a list until `follow` calls back: at the first change in what it lists. `follow` returns the function that ends it. */
  add(key: string, items: ListItems, follow: (onChange: () => void) => () => void): void {
    if (!this.isWorthKeeping(items.sizeBytes)) return;
    this.#drop(key);
    const unfollow = follow(() => this.#drop(key));
    const forms = { head: '', body: {} };
    this.#lists.set(key, { items, unfollow, forms, usedMs: this.#clock.monotonicMs() });
    this.#bytes += items.sizeBytes;
    while (this.#bytes > maxBytes) this.#drop(this.#leastRecent());
    this.#cancelSweep ??= this.#clock.after(unusedMs, this.#sweep);
  }

  /** Where the compressed form of a kept list is remembered for those who get the same head. */
  formsOf(key: string, head: string): BodyForms | undefined {
    const list = this.#lists.get(key);
    if (list && list.forms.head !== head) list.forms = { head, body: {} };
    return list?.forms.body;
  }

  #leastRecent(): string {
    return [...this.#lists].reduce((a, b) => (b[1].usedMs < a[1].usedMs ? b : a))[0];
  }

  #drop(key: string): void {
    const list = this.#lists.get(key);
    if (!list) return;
    this.#lists.delete(key);
    this.#bytes -= list.items.sizeBytes;
    list.unfollow();
  }

  readonly #sweep = (): void => {
    const oldest = this.#clock.monotonicMs() - unusedMs;
    for (const [key, list] of this.#lists) if (list.usedMs <= oldest) this.#drop(key);
    this.#cancelSweep = this.#lists.size > 0 ? this.#clock.after(unusedMs, this.#sweep) : undefined;
  };
}
