import type { Clock } from '../../lib/clock.ts';
import type { MetricRegistry } from '../../lib/metrics.ts';

const secondMs = 1000;
const kinds = ['readOnly', 'mutating'] as const;

/** Requests that only read, and those that may change something. */
export type RequestKind = (typeof kinds)[number];

/**
 * Requests being worked on. Most are done long before somebody looks: what is shown is the most there were at a time in the last second (apiserver:
 * pkg/server/filters/maxinflight.go), to within a second.
 */
export class InFlight {
  readonly #clock: Clock;
  readonly #working = watermarks();
  readonly #waiting = watermarks();

  constructor(metrics: MetricRegistry, clock: Clock) {
    this.#clock = clock;
    const shown = (name: string, help: string, marks: Watermarks): void =>
      metrics.collected({
        ...{ name, help, type: 'gauge', labels: ['request_kind'] },
        read: () => kinds.map((kind) => [[kind], marks[kind].most(this.#second)] as const),
      });
    const working = 'The most requests that were worked on at a time in the last second.';
    shown('apiserver_current_inflight_requests', working, this.#working);
    const waiting = 'The most requests that waited for their turn at a time in the last second.';
    shown('apiserver_current_inqueue_requests', waiting, this.#waiting);
  }

  get #second(): number {
    return Math.floor(this.#clock.monotonicMs() / secondMs);
  }

  enter(kind: RequestKind): void {
    this.#working[kind].rise(this.#second);
  }

  leave(kind: RequestKind): void {
    this.#working[kind].fall(this.#second);
  }

  wait(kind: RequestKind): void {
    this.#waiting[kind].rise(this.#second);
  }

  /** It waits no more, whatever comes of it. */
  waited(kind: RequestKind): void {
    this.#waiting[kind].fall(this.#second);
  }
}

type Watermarks = Readonly<Record<RequestKind, Watermark>>;

const watermarks = (): Watermarks => ({ readOnly: new Watermark(), mutating: new Watermark() });

/** A number that goes up and down, and the highest it was in this second and in the one before. */
class Watermark {
  #now = 0;
  #second = 0;
  #highest = 0;
  #highestBefore = 0;

  rise(second: number): void {
    this.#turnTo(second);
    this.#now++;
    if (this.#now > this.#highest) this.#highest = this.#now;
  }

  fall(second: number): void {
    this.#turnTo(second);
    this.#now--;
  }

  most(second: number): number {
    this.#turnTo(second);
    return Math.max(this.#highest, this.#highestBefore);
  }

  #turnTo(second: number): void {
    if (second === this.#second) return;
    this.#highestBefore = second === this.#second + 1 ? this.#highest : this.#now;
    this.#highest = this.#now;
    this.#second = second;
  }
}
