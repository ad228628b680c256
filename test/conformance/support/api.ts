import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import type { Credentials } from '../../support/server-process.ts';
import { WatchStream } from './watch-stream.ts';

// Tests look into answers of every shape.
// biome-ignore lint/suspicious/noExplicitAny: see above
export type Json = any;

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** A list stands for a header that is sent more than once. */
export type Headers = Readonly<Record<string, string | string[]>>;

export type Query = Readonly<Record<string, string | number | boolean>>;

/** What the server answers when it refuses: a Status. */
export class ApiError extends Error {
  readonly status: number;
  readonly answer: Json;

  constructor(request: string, status: number, answer: Json) {
    super(`${request}: ${status} ${answer?.reason ?? ''}: ${answer?.message ?? JSON.stringify(answer)}`);
    this.status = status;
    this.answer = answer;
  }
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const;

export type PatchType = keyof typeof patchTypes;
export const patchKinds = Object.keys(patchTypes) as PatchType[];

/** What client-go's typed clients accept: the server may answer either, and answers JSON. */
const acceptTyped = { accept: 'application/vnd.kubernetes.protobuf,application/json' };

/** One HTTP/2 connection to the server, as client-go keeps it: every call and every watch is a stream of it. */
export class Connection {
  readonly #url: string;
  readonly #credentials: Credentials;
  #session: ClientHttp2Session | undefined;

  constructor(port: number, credentials: Credentials) {
    this.#url = `https://127.0.0.1:${port}`;
    this.#credentials = credentials;
  }

  close(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  open(method: string, path: string, headers: Headers = {}, body?: string): ClientHttp2Stream {
    if (!this.#session || this.#session.closed || this.#session.destroyed) {
      this.#session = connect(this.#url, this.#credentials);
      // Whoever waits for an answer hears of it from his stream.
      this.#session.on('error', () => {});
      this.#session.unref();
    }
    const stream = this.#session.request({ ':method': method, ':path': path, ...headers }, { endStream: body === undefined });
    if (body !== undefined) stream.end(body);
    return stream;
  }

  send(method: string, path: string, headers: Headers = {}, body?: string): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const stream = this.open(method, path, headers, body);
      let answered: Record<string, string | string[] | undefined> = {};
      const chunks: Buffer[] = [];
      stream.on('response', (got) => {
        answered = got as typeof answered;
      });
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () =>
        resolve({ status: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks).toString() }),
      );
    });
  }
}

/** The API as one user sees it. */
export class Api {
  readonly #connection: Connection;
  readonly #headers: Headers;

  constructor(connection: Connection, headers: Headers = acceptTyped) {
    this.#connection = connection;
    this.#headers = headers;
  }

  /** The same API, with these headers in every request. */
  with(headers: Headers): Api {
    return new Api(this.#connection, { ...this.#headers, ...headers });
  }

  /** The answer as it comes, whatever its status. `body` is sent as JSON, or as it is when it is text. */
  send(method: string, path: string, body?: Json, headers: Headers = {}): Promise<HttpAnswer> {
    const type = body === undefined ? {} : { 'content-type': 'application/json' };
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    return this.#connection.send(method, path, { ...this.#headers, ...type, ...headers }, text);
  }

  /** The parsed answer. Rejects with an ApiError unless the status is 2xx. */
  async call(method: string, path: string, body?: Json, headers: Headers = {}): Promise<Json> {
    const answer = await this.send(method, path, body, headers);
    const isJson = String(answer.headers['content-type']).startsWith('application/json');
    const parsed = isJson ? JSON.parse(answer.body) : answer.body;
    if (answer.status >= 200 && answer.status < 300) return parsed;
    throw new ApiError(`${method} ${path}`, answer.status, parsed);
  }

  get(path: string): Promise<Json> {
    return this.call('GET', path);
  }

  /** Resolves when the server has accepted the watch. */
  watch(path: string): Promise<WatchStream> {
    return WatchStream.open(this.#connection.open('GET', path, this.#headers), path);
  }

  /** `group/version/plural`, or `v1/plural` of the core group; of one namespace, or of the cluster (and all namespaces). */
  resource(name: string, namespace?: string): Resource {
    return new Resource(this, name, namespace);
  }
}

/** A resource in one namespace, or in the cluster. */
export class Resource {
  readonly name: string;
  readonly namespace: string | undefined;
  readonly #api: Api;

  constructor(api: Api, name: string, namespace?: string) {
    this.#api = api;
    this.name = name;
    this.namespace = namespace;
  }

  /** `/api/v1` or `/apis/GROUP/VERSION`. */
  get groupVersionPath(): string {
    const parts = this.name.split('/');
    return `${parts.length === 2 ? '/api' : '/apis'}/${parts.slice(0, -1).join('/')}`;
  }

  path(options: { readonly name?: string; readonly subresource?: string | undefined; readonly query?: Query } = {}): string {
    const plural = this.name.slice(this.name.lastIndexOf('/') + 1);
    const parts = [plural, options.name, options.subresource].filter((part) => part !== undefined);
    const inNamespace = this.namespace === undefined ? '' : `/namespaces/${this.namespace}`;
    const query = new URLSearchParams(Object.entries(options.query ?? {}).map(([key, value]) => [key, String(value)]));
    return `${this.groupVersionPath}${inNamespace}/${parts.join('/')}${query.size > 0 ? `?${query}` : ''}`;
  }

  create(object: Json, query: Query = {}): Promise<Json> {
    return this.#api.call('POST', this.path({ query }), object);
  }

  get(name: string, subresource?: string): Promise<Json> {
    return this.#api.call('GET', this.path({ name, subresource }));
  }

  list(query: Query = {}): Promise<Json> {
    return this.#api.call('GET', this.path({ query }));
  }

  watch(query: Query = {}): Promise<WatchStream> {
    return this.#api.watch(this.path({ query: { watch: true, ...query } }));
  }

  update(object: Json, subresource?: string): Promise<Json> {
    return this.#api.call('PUT', this.path({ name: object.metadata.name, subresource }), object);
  }

  /** Reads the object, changes it and writes it back, or a sub-resource of the same form; starts again when somebody was faster. */
  async change(name: string, edit: (object: Json) => void, subresource?: string): Promise<Json> {
    for (;;) {
      const object = await this.get(name);
      edit(object);
      try {
        return await this.update(object, subresource);
      } catch (error) {
        if (!(error instanceof ApiError) || error.answer.reason !== 'Conflict') throw error;
      }
    }
  }

  patch(
    name: string,
    patch: Json,
    options: { readonly type?: PatchType; readonly subresource?: string; readonly query?: Query } = {},
  ): Promise<Json> {
    const { type = 'merge', subresource, query = {} } = options;
    return this.#api.call('PATCH', this.path({ name, subresource, query }), patch, { 'content-type': patchTypes[type] });
  }

  delete(name: string, options?: Json): Promise<Json> {
    return this.#api.call('DELETE', this.path({ name }), options);
  }

  deleteCollection(query: Query, options?: Json): Promise<Json> {
    return this.#api.call('DELETE', this.path({ query }), options);
  }
}
