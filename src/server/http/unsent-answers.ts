import { bodySize, type FullAnswer } from './exchange.ts';
import type { Connection } from './incoming.ts';

/** What all connections together may have been answered and not yet taken; encryption and V8 hold as much again. */
const maxUnsentBytes = 32 * 1024 * 1024;
/** What an answer costs besides its bytes until it is taken: a stream of HTTP/2, the request, listeners. */
const answerBytes = 8 * 1024;

/** What a body that is made while it is sent takes at most. */
const largestPieceBytes = 128 * 1024;

/** The memory an answer takes until it is taken. */
export function memoryOf(answer: FullAnswer): number {
  const size = bodySize(answer);
  return answerBytes + ('sizeBytes' in answer.parts ? Math.min(size, largestPieceBytes) : size);
}

/** Keeps clients that ask for much and take nothing from filling the memory: the one that holds most is disconnected. */
export class UnsentAnswers {
  readonly #byConnection = new Map<Connection, number>();
  #total = 0;

  /** Returns what is to be called when the answer has been taken, or its connection is gone. */
  add(connection: Connection, bytes: number): () => void {
    this.#count(connection, bytes);
    if (this.#total > maxUnsentBytes) this.#largest().destroy();
    let taken = false;
    return () => {
      if (!taken) this.#count(connection, -bytes);
      taken = true;
    };
  }

  #count(connection: Connection, bytes: number): void {
    this.#total += bytes;
    const held = (this.#byConnection.get(connection) ?? 0) + bytes;
    if (held > 0) this.#byConnection.set(connection, held);
    else this.#byConnection.delete(connection);
  }

  #largest(): Connection {
    return [...this.#byConnection].reduce((most, one) => (one[1] > most[1] ? one : most))[0];
  }
}
