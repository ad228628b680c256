/** A container does not come up. `reason` is what kubectl shows while it waits; `retryAtMs` when to try again. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly reason: string;
  readonly retryAtMs: number;
  constructor(reason: string, message: string, retryAtMs: number) {
    super(message);
    this.reason = reason;
    this.retryAtMs = retryAtMs;
  }
}
