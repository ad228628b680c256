import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import type { Random } from './random.ts';

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  /** Bytes towards the client that still pass; then the connection is cut in the middle of what it carries. */
  left: number;
  frozen: boolean;
}

/** A TCP proxy on loopback that breaks the connections it carries, as `random` says. */
export class ChaosProxy {
  readonly #random: Random;
  readonly #target: number;
  readonly #pairs = new Set<Pair>();
  readonly #server: Server;
  #isDown = false;
  /** Connections that were broken so far. */
  broken = 0;

  constructor(random: Random, target: number) {
    this.#random = random;
    this.#target = target;
    this.#server = createServer((near) => this.#carry(near));
  }

  /** The port it listens on. */
  start(): Promise<number> {
    return new Promise((resolve) => {
      this.#server.listen(0, '127.0.0.1', () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  /** Breaks one of the connections: at once, after some more bytes, or after it went silent for a while. */
  breakOne(): void {
    const pair = this.#random.pick([...this.#pairs]);
    if (!pair) return;
    const how = this.#random.below(3);
    if (how === 0) this.#cut(pair);
    else if (how === 1) pair.left = this.#random.below(4000);
    else this.#freeze(pair);
  }

  /** Nobody gets through, and nobody keeps a connection. */
  takeDown(): void {
    this.#isDown = true;
    for (const pair of this.#pairs) this.#cut(pair);
  }

  bringUp(): void {
    this.#isDown = false;
  }

  stop(): Promise<void> {
    this.takeDown();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #carry(near: Socket): void {
    if (this.#isDown) {
      near.resetAndDestroy();
      return;
    }
    const pair: Pair = { near, far: connect(this.#target, '127.0.0.1'), left: Number.POSITIVE_INFINITY, frozen: false };
    this.#pairs.add(pair);
    pair.near.on('data', (bytes) => !pair.frozen && pair.far.write(bytes));
    pair.far.on('data', (bytes: Buffer) => this.#deliver(pair, bytes));
    for (const socket of [pair.near, pair.far]) {
      socket.on('error', () => {});
      socket.on('close', () => this.#forget(pair));
    }
  }

  #deliver(pair: Pair, bytes: Buffer): void {
    if (pair.frozen) return;
    pair.near.write(bytes.subarray(0, Math.min(bytes.length, pair.left)));
    pair.left -= bytes.length;
    if (pair.left > 0) return;
    // What was written has to arrive before the end.
    pair.near.end();
    pair.far.destroy();
    this.broken++;
  }

  #cut(pair: Pair): void {
    this.broken++;
    pair.near.resetAndDestroy();
    pair.far.resetAndDestroy();
  }

  /** Half open: both ends believe in it, nothing arrives. */
  #freeze(pair: Pair): void {
    pair.frozen = true;
    setTimeout(() => this.#pairs.has(pair) && this.#cut(pair), 200 + this.#random.below(1500));
  }

  #forget(pair: Pair): void {
    this.#pairs.delete(pair);
    pair.near.destroy();
    pair.far.destroy();
  }
}
