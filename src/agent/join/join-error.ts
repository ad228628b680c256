/** Joining did not work. The message says what happened, `hint` what to do; `retryMs` is when trying again makes sense. */
export class JoinError extends Error {
  override readonly name = 'JoinError';
  readonly hint: string;
  readonly retryMs: number | undefined;
  constructor(message: string, options: { hint: string; retryMs?: number; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.retryMs = options.retryMs;
  }
}
