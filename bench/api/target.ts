import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, connect as connectHttp2, type SecureClientSessionOptions } from 'node:http2';
import type { ConnectionOptions } from 'node:tls';
import { readKubeconfig } from '../../src/client/kubeconfig.ts';
import { cpuSeconds } from '../../test/budget/measure.ts';
import { Connection } from './connection.ts';

/** A connection idle for longer is not used again: the server may be about to close it. */
const maxIdleMs = 1000;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
  /** Instead of JSON. */
  readonly accept?: string;
  /** What the client can unpack; nothing when absent. */
  readonly acceptEncoding?: string;
}

/** One API server under load, reached over HTTP/1.1 with kept-alive connections. */
export class Target {
  readonly name: string;
  /** The server's processes on this machine, where their CPU time is to be measured. */
  readonly pids: readonly number[];
  readonly #connectionOptions: ConnectionOptions;
  readonly #headers: string;
  readonly #idle: { connection: Connection; since: number }[] = [];

  /** `name=kubeconfig-file[,pid[+pid…]]` */
  static parse(argument: string): Target {
    const match = /^([^=]+)=([^,]+)(?:,(\d+(?:\+\d+)*))?$/.exec(argument);
    if (!match) throw new Error(`write a target as NAME=KUBECONFIG[,PID[+PID…]], not ${JSON.stringify(argument)}`);
    return new Target(match[1]!, match[2]!, (match[3] ?? '').split('+').filter(Boolean).map(Number));
  }

  constructor(name: string, kubeconfig: string, pids: readonly number[]) {
    const { server, ca, credentials } = readKubeconfig(readFileSync(kubeconfig, 'utf8'), {
      readFile: (path) => readFileSync(path, 'utf8'),
    });
    const { hostname, port } = new URL(server);
    this.name = name;
    this.pids = pids;
    this.#headers = `host: ${hostname}:${port}\r\n${credentials.token ? `authorization: Bearer ${credentials.token}\r\n` : ''}`;
    this.#connectionOptions = {
      host: hostname,
      port: Number(port || 443),
      ca,
      cert: credentials.certificate,
      key: credentials.key,
    };
  }

  /** CPU time its processes have used so far, or undefined where they are not known. */
  cpuMs(): number | undefined {
    return this.pids.length ? this.pids.reduce((sum, pid) => sum + cpuSeconds(pid) * 1000, 0) : undefined;
  }

  /** Sends one request and resolves with the answer's bytes; rejects for an answer of 300 or more. */
  async call(call: Call): Promise<Buffer> {
    const connection = await this.#connection();
    const { status, body } = await connection.send(this.#request(call));
    if (!connection.ended) this.#idle.push({ connection, since: performance.now() });
    if (status >= 300) throw new Error(`${this.name}: ${call.method} ${call.path}: ${status} ${body.toString('utf8', 0, 200)}`);
    return body;
  }

  /** Opens a watch; `onBytes` gets what arrives. Resolves when the server has answered. Returns the function that ends it. */
  async watch(path: string, onBytes: (bytes: Buffer) => void): Promise<() => void> {
    const connection = await Connection.open(this.#connectionOptions);
    const status = await connection.stream(this.#request({ method: 'GET', path }), onBytes);
    if (status !== 200) throw new Error(`${this.name}: watch ${path}: ${status}`);
    return () => connection.close();
  }

  /** An HTTP/2 connection, as Go's clients use for all they do. */
  openHttp2(): ClientHttp2Session {
    const { host, port } = this.#connectionOptions;
    return connectHttp2(`https://${host}:${port}`, this.#connectionOptions as SecureClientSessionOptions);
  }

  /** Has `count` connections ready: what the calls after it take is theirs alone. */
  async connect(count: number): Promise<void> {
    const connections = await Promise.all(Array.from({ length: count }, () => this.#connection()));
    for (const connection of connections) this.#idle.push({ connection, since: performance.now() });
  }

  /** Opens a connection and closes it again. */
  async handshake(): Promise<void> {
    (await Connection.open(this.#connectionOptions)).close();
  }

  /** Closes the connections nobody uses; more are opened when needed. */
  close(): void {
    for (const { connection } of this.#idle.splice(0)) connection.close();
  }

  async #connection(): Promise<Connection> {
    for (let last = this.#idle.pop(); last; last = this.#idle.pop()) {
      if (!last.connection.ended && performance.now() - last.since < maxIdleMs) return last.connection;
      last.connection.close();
    }
    return Connection.open(this.#connectionOptions);
  }

  #request({ method, path, body, contentType = 'application/json', accept = 'application/json', acceptEncoding }: Call): string {
    const encoding = acceptEncoding ? `accept-encoding: ${acceptEncoding}\r\n` : '';
    const head = `${method} ${path} HTTP/1.1\r\n${this.#headers}accept: ${accept}\r\n${encoding}`;
    if (body === undefined) return `${head}\r\n`;
    const text = JSON.stringify(body);
    return `${head}content-type: ${contentType}\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`;
  }
}
