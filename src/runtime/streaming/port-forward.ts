import { connect } from 'node:net';
import { Duplex } from 'node:stream';
import type { SpdyStream } from '../../lib/spdy/stream.ts';
import { type CriClient, callTimeoutMs } from '../cri/clients.ts';
import { dialSpdy } from './spdy-dial.ts';

const protocol = 'portforward.k8s.io';
const connectTimeoutMs = 30_000;
/** How long the end of the data waits for its reason. */
const reasonTimeoutMs = 1000;

export interface PortForwardTarget {
  readonly client: CriClient;
  readonly sandboxId: string;
  readonly port: number;
  /** The pod shares the node's network: its ports are reached directly. */
  readonly hostNetwork: boolean;
}

/**
 * A byte stream to a port on the pod's loopback. Only containerd can open a socket inside the pod's network namespace without a helper
 * process, so this goes through its streaming server. The stream is destroyed with the reason when the port refuses.
 */
export async function portForward(target: PortForwardTarget): Promise<Duplex> {
  if (target.hostNetwork) return connectLocally(target.port);
  const { url } = await target.client.unary(
    'runtime.v1.RuntimeService/PortForward',
    { pod_sandbox_id: target.sandboxId, port: [target.port] },
    { timeoutMs: callTimeoutMs.read },
  );
  const connection = await dialSpdy(url, protocol);
  const headers = { port: String(target.port), requestid: '0' };
  const errors = connection.open({ ...headers, streamtype: 'error' });
  const data = connection.open({ ...headers, streamtype: 'data' });
  const forwarded = new ForwardedPort({ data, errors, port: target.port, close: () => connection.close() });
  try {
    await Promise.all([errors.replied, data.replied]);
  } catch (error) {
    connection.close();
    throw error;
  }
  return forwarded;
}

/** Joins the data stream with the error stream, which says why the data stream has ended. */
class ForwardedPort extends Duplex {
  readonly #data: SpdyStream;
  readonly #close: () => void;
  readonly #port: number;

  constructor(parts: {
    readonly data: SpdyStream;
    readonly errors: SpdyStream;
    readonly port: number;
    readonly close: () => void;
  }) {
    super({ allowHalfOpen: true });
    this.#data = parts.data;
    this.#close = parts.close;
    this.#port = parts.port;
    const reason = this.#reasonFrom(parts.errors);
    this.#data.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) this.#data.pause();
    });
    this.#data.on('error', () => {});
    this.#data.on('close', () => this.#ended(reason));
    this.#data.on('end', () => this.#ended(reason));
  }

  override _read(): void {
    this.#data.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    if (this.#data.writable) this.#data.write(chunk, () => callback());
    else callback();
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#data.end(() => callback());
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#data.destroy();
    this.#close();
    callback(error);
  }

  #reasonFrom(errors: SpdyStream): Promise<string> {
    let text = '';
    errors.end();
    errors.setEncoding('utf8');
    errors.on('data', (chunk: string) => {
      text += chunk;
    });
    errors.on('error', () => {});
    return new Promise((resolve) => errors.once('end', () => resolve(text)).once('close', () => resolve(text)));
  }

  #ended(reason: Promise<string>): void {
    const late = new Promise<string>((resolve) => setTimeout(resolve, reasonTimeoutMs, '').unref());
    void Promise.race([reason, late]).then((text) => {
      if (this.destroyed) return;
      if (text !== '') this.destroy(new Error(`forwarding port ${this.#port}: ${text}`));
      else if (!this.readableEnded) this.push(null);
    });
  }
}

function connectLocally(port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: 'localhost', timeout: connectTimeoutMs, allowHalfOpen: true });
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
    socket.once('timeout', () => socket.destroy(new Error(`port ${port} does not answer`)));
    socket.once('error', reject);
  });
}
