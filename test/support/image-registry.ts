import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { fetchTestBinaries } from './fetch-test-binaries.ts';

/** A Docker registry, plain HTTP, on loopback unless told otherwise; `address` asks nobody for a password, `guardedAddress` does. */
export class ImageRegistry {
  readonly credentials = { username: 'user', password: 'secret' };
  readonly address: string;
  readonly guardedAddress: string;
  readonly #folder: string;
  readonly #host: string;
  readonly #ports: { readonly open: number; readonly guarded: number };
  #process: ChildProcess | undefined;
  #guard: Server | undefined;

  /** The ports are ours alone in the network namespace of the test. */
  constructor(folder: string, { ports = { open: 5000, guarded: 5001 }, host = '127.0.0.1' } = {}) {
    this.#folder = folder;
    this.#host = host;
    this.#ports = ports;
    this.address = `${host}:${ports.open}`;
    this.guardedAddress = `${host}:${ports.guarded}`;
  }

  async start(): Promise<void> {
    mkdirSync(this.#folder, { recursive: true });
    const config = join(this.#folder, 'config.yml');
    const storage = `storage:\n  filesystem:\n    rootdirectory: ${join(this.#folder, 'data')}\n`;
    writeFileSync(config, `version: 0.1\nlog:\n  level: error\n${storage}http:\n  addr: ${this.address}\n`);
    this.#process = spawn(join(fetchTestBinaries(), 'docker-registry'), ['serve', config], { stdio: 'ignore' });
    this.#guard = createServer((incoming, outgoing) => {
      const { username, password } = this.credentials;
      const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
      if (incoming.headers.authorization !== expected) {
        outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end();
        return;
      }
      const options = {
        method: incoming.method,
        path: incoming.url,
        port: this.#ports.open,
        host: this.#host,
        headers: incoming.headers,
      };
      const onward = request({ ...options }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(outgoing);
      });
      incoming.pipe(onward);
    });
    this.#guard.listen(this.#ports.guarded, this.#host);
    await eventually('the registry answers', async () => (await this.#call('GET', '/v2/')).status === 200);
  }

  async stop(): Promise<void> {
    this.#process?.kill('SIGKILL');
    this.#guard?.close();
    this.#guard?.closeAllConnections();
  }

  /** Stores blobs and, under `name:tag`, a manifest. */
  async push(
    name: string,
    tag: string,
    manifest: { readonly mediaType: string; readonly data: Buffer },
    blobs: ReadonlyMap<string, Buffer>,
  ): Promise<void> {
    for (const [digest, data] of blobs) {
      const started = await this.#call('POST', `/v2/${name}/blobs/uploads/`);
      const location = new URL(started.location, `http://${this.address}`);
      location.searchParams.set('digest', digest);
      await this.#call('PUT', `${location.pathname}${location.search}`, data, 'application/octet-stream');
    }
    const { status } = await this.#call('PUT', `/v2/${name}/manifests/${tag}`, manifest.data, manifest.mediaType);
    if (status !== 201) throw new Error(`the registry answered ${status} to the manifest`);
  }

  #call(method: string, path: string, body?: Buffer, contentType?: string): Promise<{ status: number; location: string }> {
    return new Promise((resolve, reject) => {
      const headers = { ...(contentType ? { 'content-type': contentType } : {}), 'content-length': body?.length ?? 0 };
      const call = request({ host: this.#host, port: this.#ports.open, method, path, headers }, (answer) => {
        answer.resume();
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, location: answer.headers.location ?? '' }));
      });
      call.on('error', reject);
      call.end(body);
    });
  }
}
