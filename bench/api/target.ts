import { readFileSync } from 'node:fs';
import type { ClientRequest } from 'node:http';
import { Agent, request } from 'node:https';
import { readKubeconfig } from '../../src/client/kubeconfig.ts';

/** Requests and watches a server under load may have open at the same time. */
const maxSockets = 256;

export interface Call {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly contentType?: string;
}

/** One API server under load, reached over HTTP/1.1 as most client libraries do, with kept-alive connections. */
export class Target {
  readonly name: string;
  readonly #url: URL;
  readonly #agent: Agent;
  readonly #headers: Readonly<Record<string, string>>;

  /** `name=kubeconfig-file` */
  static parse(argument: string): Target {
    const [name, file] = argument.split('=', 2);
    if (!name || !file) throw new Error(`write a target as NAME=KUBECONFIG, not ${JSON.stringify(argument)}`);
    return new Target(name, file);
  }

  constructor(name: string, kubeconfig: string) {
    const { server, ca, credentials } = readKubeconfig(readFileSync(kubeconfig, 'utf8'), {
      readFile: (path) => readFileSync(path, 'utf8'),
    });
    this.name = name;
    this.#url = new URL(server);
    this.#headers = credentials.token ? { authorization: `Bearer ${credentials.token}` } : {};
    this.#agent = new Agent({ keepAlive: true, maxSockets, ca, cert: credentials.certificate, key: credentials.key });
  }

  /** Sends one request and resolves with the answer's bytes; rejects for an answer of 300 or more. */
  call({ method, path, body, contentType = 'application/json' }: Call): Promise<Buffer> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const headers = payload ? { 'content-type': contentType, 'content-length': payload.length } : {};
      const sent = this.#open(method, path, headers, (status, chunks) => {
        const bytes = Buffer.concat(chunks);
        if (status >= 300) reject(new Error(`${this.name}: ${method} ${path}: ${status} ${bytes.toString('utf8', 0, 200)}`));
        else resolve(bytes);
      });
      sent.on('error', reject);
      sent.end(payload);
    });
  }

  /** Opens a watch; `onLine` gets every event as text. Resolves when the server has answered. Returns the function that ends it. */
  watch(path: string, onLine: (line: string) => void): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const sent = request(this.#options('GET', path, {}), (response) => {
        let rest = '';
        response.setEncoding('utf8');
        response.on('data', (text: string) => {
          const lines = (rest + text).split('\n');
          rest = lines.pop()!;
          for (const line of lines) onLine(line);
        });
        response.on('error', () => {});
        resolve(() => sent.destroy());
      });
      sent.on('error', reject);
      sent.end();
    });
  }

  close(): void {
    this.#agent.destroy();
  }

  #open(
    method: string,
    path: string,
    headers: Record<string, string | number>,
    onEnd: (status: number, chunks: Buffer[]) => void,
  ): ClientRequest {
    return request(this.#options(method, path, headers), (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => onEnd(response.statusCode!, chunks));
    });
  }

  #options(method: string, path: string, headers: Record<string, string | number>): object {
    const { hostname, port } = this.#url;
    return {
      agent: this.#agent,
      host: hostname,
      port,
      method,
      path,
      headers: { accept: 'application/json', ...this.#headers, ...headers },
    };
  }
}
