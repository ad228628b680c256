/** Thrown for our own mistakes: the request or reconcile in hand fails, the process goes on. */
class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** States an invariant of our own code. For input of others throw the error that belongs to it. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
