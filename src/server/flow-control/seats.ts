import { FairQueue, type QueueLimits } from './fair-queue.ts';
import { RetryAfter } from './retry-after.ts';

/** Requests of a priority level that may be worked on at a time. */
export interface SeatLimits {
  /** Its part of the server. */
  readonly nominal: number;
  /** What is never lent to other levels. */
  readonly lower: number;
  /** With what it may borrow. */
  readonly upper: number;
}

/** Somebody who waits for a seat. */
export interface Waiting {
  readonly level: PriorityLevel;
  readonly flow: string;
  /** A seat has been taken for it. */
  begin(): void;
}

/** A priority level and what goes on in it. */
export class PriorityLevel {
  readonly name: string;
  limits: SeatLimits = { nominal: 0, lower: 0, upper: 0 };
  /** Never waits and is never turned away. */
  exempt = false;
  /** Undefined: whoever finds no seat is turned away. */
  queue: QueueLimits | undefined;
  /** Seats taken. */
  executing = 0;
  readonly waiting = new FairQueue<Waiting>();
  readonly retryAfter = new RetryAfter();

  constructor(name: string) {
    this.name = name;
  }

  get isIdle(): boolean {
    return this.executing === 0 && this.waiting.size === 0;
  }
}

/**
 * The seats of the server. Each level has those it never lends to itself. All others are one pool, for every level up to its upper limit; when
 * one becomes free, the waiting level that has least of its nominal part gets it.
 */
export class Seats {
  #levels: readonly PriorityLevel[] = [];
  #pool = 0;
  #taken = 0;

  /** To be called when limits have changed. `levels` are all that exist or are not idle. */
  configure(levels: readonly PriorityLevel[]): void {
    this.#levels = levels;
    this.#pool = 0;
    this.#taken = 0;
    for (const { limits, executing } of levels) {
      this.#pool += limits.nominal - limits.lower;
      this.#taken += Math.max(0, executing - limits.lower);
    }
    this.#fill();
  }

  /** Takes a seat if one may be had at once. */
  take(level: PriorityLevel): boolean {
    if (level.waiting.size > 0 || !this.#mayTake(level)) return false;
    this.#occupy(level);
    return true;
  }

  /** Gives a seat back. */
  free(level: PriorityLevel): void {
    level.executing--;
    if (level.executing >= level.limits.lower) this.#taken--;
    this.#fill();
  }

  /** Waits for a seat; returns who is turned away for lack of room to wait. */
  wait(who: Waiting, limits: QueueLimits): Waiting | undefined {
    return who.level.waiting.add(who.flow, who, limits);
  }

  /** Waits no longer; false when it has a seat already. */
  giveUp(who: Waiting): boolean {
    return who.level.waiting.remove(who.flow, who);
  }

  #mayTake({ exempt, executing, limits }: PriorityLevel): boolean {
    return exempt || executing < limits.lower || (executing < limits.upper && this.#taken < this.#pool);
  }

  #occupy(level: PriorityLevel): void {
    if (level.executing >= level.limits.lower) this.#taken++;
    level.executing++;
  }

  #fill(): void {
    for (let level = this.#neediest(); level; level = this.#neediest()) {
      this.#occupy(level);
      level.waiting.take()!.begin();
    }
  }

  #neediest(): PriorityLevel | undefined {
    let neediest: PriorityLevel | undefined;
    for (const level of this.#levels) {
      if (level.waiting.size === 0 || !this.#mayTake(level)) continue;
      if (!neediest || fullness(level) < fullness(neediest)) neediest = level;
    }
    return neediest;
  }
}

/** What part of its nominal seats a level would have with one more. */
const fullness = ({ executing, limits }: PriorityLevel): number => (executing + 1) / limits.nominal;
