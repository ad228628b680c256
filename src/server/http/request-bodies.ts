import type { Readable } from 'node:stream';
import { badRequest, requestTooLarge, StatusError } from '../../api/status-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { Turns } from '../../lib/turns.ts';

/** Bodies up to this size are read at once; there are never more of them than requests in flight. */
const smallBodyBytes = 64 * 1024;
/** All larger bodies that are being read or worked on, together: an object takes ten times the memory of its text. */
const maxLargeBodyBytes = 16 * 1024 * 1024;
/** A body of which nothing has come for this long, and at most twice as long, is given up. */
const stallMs = 10_000;

interface Waiting {
  readonly bytes: number;
  readonly enter: () => void;
}

/** Reads the bodies of requests, as many at a time as there is memory for: the others wait, and their senders with them. */
export class RequestBodies {
  /** Those who work on large ones take turns. */
  readonly turns: Turns;
  readonly #clock: Clock;
  #usedBytes = 0;
  #waiting: Waiting[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.turns = new Turns(clock);
  }

  /**
   * The whole body. Rejects with StatusError 413 as soon as it is too large, 408 when it stops coming, 400 when it breaks off. What is
   * passed to `onRelease` gives its room back, and ends the reading if that still goes on.
   */
  read(
    body: Readable,
    options: { limitBytes: number; declaredBytes?: number; onRelease(release: () => void): void },
  ): Promise<Uint8Array> {
    const { limitBytes, declaredBytes, onRelease } = options;
    if (declaredBytes !== undefined && declaredBytes > limitBytes) return Promise.reject(tooLarge(limitBytes));
    return new Promise((resolve, reject) => {
      const reading = new BodyReading({
        body,
        limitBytes,
        clock: this.#clock,
        enter: (bytes, then) => this.#enter(bytes, then),
        resolve,
        reject,
      });
      onRelease(() => reading.release());
      reading.start(declaredBytes ?? 0);
    });
  }

  /** Calls `then` when there is room for so many bytes. Returns what gives the room, or the place in the queue, back. */
  #enter(bytes: number, then: () => void): () => void {
    let entered = false;
    const waiting: Waiting = {
      bytes,
      enter: () => {
        entered = true;
        this.#usedBytes += bytes;
        then();
      },
    };
    this.#waiting.push(waiting);
    this.#admit();
    return () => {
      if (entered) this.#usedBytes -= bytes;
      else this.#waiting = this.#waiting.filter((other) => other !== waiting);
      this.#admit();
    };
  }

  /** First come, first served: small ones must not starve a large one. */
  #admit(): void {
    while (this.#waiting.length > 0 && this.#usedBytes + this.#waiting[0]!.bytes <= maxLargeBodyBytes)
      this.#waiting.shift()!.enter();
  }
}

interface ReadingDeps {
  readonly body: Readable;
  readonly limitBytes: number;
  readonly clock: Clock;
  enter(bytes: number, then: () => void): () => void;
  resolve(bytes: Uint8Array): void;
  reject(error: StatusError): void;
}

/** One body on its way. */
class BodyReading {
  readonly #deps: ReadingDeps;
  #chunks: Buffer[] = [];
  #size = 0;
  /** What may be read before there is room for more. */
  #allowed = smallBodyBytes;
  #leave: (() => void) | undefined;
  #cancelStall: (() => void) | undefined;
  #over = false;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  start(declaredBytes: number): void {
    const { body } = this.#deps;
    body.on('error', () => this.#fail(brokenOff));
    body.on('aborted', () => this.#fail(brokenOff));
    if (body.destroyed) this.#fail(brokenOff);
    if (declaredBytes > smallBodyBytes) this.#askForRoom(declaredBytes, () => this.#listen());
    else this.#listen();
  }

  /** Ends what still goes on; twice does no harm. */
  release(): void {
    this.#fail(brokenOff);
    this.#leave?.();
    this.#leave = undefined;
  }

  #listen(): void {
    if (this.#over) return;
    const { body } = this.#deps;
    body.on('data', this.#onData);
    body.on('end', this.#onEnd);
    this.#watchForStall();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.#size += chunk.length;
    if (this.#size > this.#deps.limitBytes) {
      this.#fail(() => tooLarge(this.#deps.limitBytes));
      return;
    }
    this.#chunks.push(chunk);
    if (this.#size <= this.#allowed || this.#leave) return;
    this.#deps.body.pause();
    this.#cancelStall?.();
    this.#askForRoom(this.#deps.limitBytes, () => {
      this.#watchForStall();
      this.#deps.body.resume();
    });
  };

  readonly #onEnd = (): void => {
    if (this.#over) return;
    this.#over = true;
    this.#cancelStall?.();
    this.#deps.resolve(this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks));
    this.#chunks = [];
  };

  #askForRoom(bytes: number, then: () => void): void {
    this.#leave = this.#deps.enter(bytes, () => {
      if (!this.#over) then();
    });
  }

  /** One timer for many chunks: it looks whether any came. */
  #watchForStall(): void {
    const sizeBefore = this.#size;
    this.#cancelStall = this.#deps.clock.after(stallMs, () => {
      if (this.#size === sizeBefore) this.#fail(stalled);
      else this.#watchForStall();
    });
  }

  /** The error is made only when it is needed. What still comes is read and thrown away by whoever owns the connection, so that the answer can be received. */
  #fail(why: () => StatusError): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelStall?.();
    this.#chunks = [];
    this.#deps.body.off('data', this.#onData).off('end', this.#onEnd);
    this.#deps.reject(why());
  }
}

const brokenOff = (): StatusError => badRequest('the request body ended before it was complete');

function stalled(): StatusError {
  const message = `Timeout: nothing of the request body came for ${stallMs / 1000} seconds`;
  return new StatusError({ code: 408, reason: 'Timeout', message, details: {} });
}

/** 413 with the limit, in upstream's words. */
export function tooLarge(limitBytes: number): StatusError {
  return requestTooLarge(`Request entity too large: limit is ${limitBytes}`);
}
