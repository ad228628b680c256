import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { Agent, type RequestOptions, request } from 'node:https';
import { join } from 'node:path';
import { parse } from 'yaml';
import { eventually } from './eventually.ts';

/** For tests in namespaces of their own, which have every port to themselves. */
const usualPort = 6443;
const stopTimeoutMs = 30_000;

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Credentials {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly servername: string;
}

/** `skiff server --disable-agent` from source, on loopback, with its data in one folder. Outside `isolated` it needs a port that is free. */
export class ServerProcess {
  readonly port: number;
  readonly #folder: string;
  readonly #dataDir: string;
  #child: ChildProcess | undefined;
  #agent: Agent | undefined;

  constructor(folder: string, options: { readonly dataDir?: string; readonly port?: number } = {}) {
    this.#folder = folder;
    this.#dataDir = options.dataDir ?? join(folder, 'data');
    this.port = options.port ?? usualPort;
  }

  get pid(): number {
    return this.#child!.pid!;
  }

  /** The administrator's. */
  get credentials(): Credentials {
    const { clusters, users } = parse(readFileSync(this.kubeconfig, 'utf8'));
    const pem = (text: string): Buffer => Buffer.from(text, 'base64');
    return {
      ca: pem(clusters[0].cluster['certificate-authority-data']),
      cert: pem(users[0].user['client-certificate-data']),
      key: pem(users[0].user['client-key-data']),
      servername: 'localhost',
    };
  }

  get kubeconfig(): string {
    return join(this.#folder, 'kubeconfig');
  }

  /** Resolves when it is ready. */
  async start(): Promise<void> {
    const flags = ['--disable-agent', '--data-dir', this.#dataDir, '--run-dir', join(this.#folder, 'run')];
    const address = ['--bind-address', '127.0.0.1', '--advertise-address', '192.168.77.11', '--node-ip', '192.168.77.11'];
    this.#child = spawn(
      process.execPath,
      [
        'src/main.ts',
        'server',
        ...flags,
        ...address,
        '--https-listen-port',
        String(this.port),
        '--write-kubeconfig',
        this.kubeconfig,
      ],
      { stdio: process.env['SKIFF_TEST_DEBUG'] ? 'inherit' : 'ignore' },
    );
    const ready = async (): Promise<boolean> => {
      this.#agent ??= new Agent({ ...this.credentials, keepAlive: true, maxSockets: 64 });
      return (await this.call('GET', '/readyz')).status === 200;
    };
    await eventually('the server is ready', ready, 60_000);
  }

  /** Ends it; with SIGTERM (SIGKILL when that takes too long) or as told. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
    await ended;
    clearTimeout(timer);
    this.#agent?.destroy();
    this.#agent = undefined;
  }

  /** As the administrator, with `body` as JSON (or as it is, when it is text or bytes). Rejects when the connection breaks. */
  call(method: string, path: string, body?: unknown, options: RequestOptions = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const agent = options.agent ?? this.#agent;
      if (!agent) return reject(new Error('the server is down'));
      const bytes = bytesOf(body);
      const headers = {
        ...(bytes ? { 'content-type': 'application/json', 'content-length': bytes.length } : {}),
        ...options.headers,
      };
      const call = request({ host: '127.0.0.1', port: this.port, method, path, ...options, headers, agent }, (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('error', reject).on('end', () => {
          const { statusCode = 0, headers: answered } = answer;
          resolve({ status: statusCode, headers: answered, body: Buffer.concat(chunks).toString('utf8') });
        });
      });
      call.on('error', reject).end(bytes);
    });
  }
}

function bytesOf(body: unknown): Uint8Array | undefined {
  if (body === undefined || body instanceof Uint8Array) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
