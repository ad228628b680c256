export interface BackoffPolicy {
  readonly initialMs: number;
  readonly maxMs: number;
  /** How much longer each further delay is; 2 when absent. */
  readonly factor?: number;
  /** The share of the delay that chance may add, so that many waiters do not return together; 0 when absent. */
  readonly jitter?: number;
}

/** The delay in milliseconds before attempt number `attempt` (0 = the first retry). `random` gives a number in [0, 1). */
export function backoffDelayMs(policy: BackoffPolicy, attempt: number, random: () => number = Math.random): number {
  const grown = policy.initialMs * (policy.factor ?? 2) ** attempt;
  const delay = Math.min(grown, policy.maxMs);
  return Math.round(delay * (1 + (policy.jitter ?? 0) * random()));
}

/** Counts the failures in a row of one thing and says how long to wait after each. */
export class Backoff {
  readonly #policy: BackoffPolicy;
  readonly #random: () => number;
  #attempt = 0;

  constructor(policy: BackoffPolicy, random: () => number = Math.random) {
    this.#policy = policy;
    this.#random = random;
  }

  /** The delay after one more failure. */
  next(): number {
    return backoffDelayMs(this.#policy, this.#attempt++, this.#random);
  }

  /** It worked: the next failure starts from the beginning. */
  reset(): void {
    this.#attempt = 0;
  }

  get failures(): number {
    return this.#attempt;
  }
}
