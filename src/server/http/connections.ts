import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Connection } from './incoming.ts';

/** Connections on which nobody has shown who they are: those in the TLS handshake, slow headers, anonymous callers. About 70 KB each. */
const maxStrangers = 512;
/** A burst of honest clients gets this long for its handshakes before the oldest of them may be thrown out. */
const strangerGraceMs = 2_000;

/** Connections by how far they are trusted: whoever opens many and says nothing pushes out the oldest that say nothing. */
export class Connections {
  readonly #nowMs: () => number;
  readonly #all = new Set<Socket>();
  /** In the order they came, by the addresses of both ends: TLS hides the socket it runs on. */
  readonly #strangers = new Map<string, { socket: Socket; sinceMs: number }>();
  readonly #trusted = new WeakSet<Connection>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** A connection has been accepted; nothing is known of it. */
  add(socket: Socket): void {
    const ends = endsOf(socket);
    this.#all.add(socket);
    this.#strangers.set(ends, { socket, sinceMs: this.#nowMs() });
    socket.once('close', () => {
      this.#all.delete(socket);
      if (this.#strangers.get(ends)?.socket === socket) this.#strangers.delete(ends);
    });
    if (this.#strangers.size > maxStrangers) this.#strangerToGo(socket).destroy();
  }

  /** Somebody known has made a request on it. */
  trust(connection: Connection): void {
    if (this.#trusted.has(connection)) return;
    this.#trusted.add(connection);
    const socket = 'socket' in connection ? connection.socket : connection;
    if (socket) this.#strangers.delete(endsOf(socket));
  }

  /** The connection itself below that of a peer which failed to begin TLS. */
  strangerOf(failed: TLSSocket): Socket | undefined {
    return this.#strangers.get(endsOf(failed))?.socket;
  }

  breakAll(): void {
    for (const socket of this.#all) socket.destroy();
  }

  /** The oldest, or the newest while the oldest has hardly had a chance. */
  #strangerToGo(newest: Socket): Socket {
    const [{ socket, sinceMs }] = this.#strangers.values().take(1).toArray() as [{ socket: Socket; sinceMs: number }];
    return this.#nowMs() - sinceMs > strangerGraceMs ? socket : newest;
  }
}

function endsOf({
  remoteAddress,
  remotePort,
  localAddress,
}: Pick<Socket, 'remoteAddress' | 'remotePort' | 'localAddress'>): string {
  return `${remoteAddress} ${remotePort} ${localAddress}`;
}
