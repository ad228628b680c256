import type { Kind } from '../api/kind.ts';
import { apiVersionOf, type KubeObject, type NewObject, type ObjectKey, type ObjectList } from '../api/meta.ts';
import { type StatusBody, StatusError } from '../api/status-error.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/log.ts';
import type { Client, DeleteOptions, ListOptions, PatchType, WatchHandler, WatchOptions } from './client.ts';
import type { CredentialsSource } from './credentials.ts';
import { Http2Transport, type HttpResponse } from './http2-transport.ts';
import { LineSplitter } from './line-splitter.ts';
import { keyOfMetadata, listQuery, query, resourcePath, watchQuery } from './resource-url.ts';

export interface HttpsClientOptions {
  /** `https://host:port` */
  readonly server: string;
  /** PEM of the cluster's authority. */
  readonly ca?: string;
  readonly credentials: CredentialsSource;
  readonly log: Logger;
  readonly clock?: Clock;
  /** `skiff-agent/1.0`: names the field manager of what it writes. */
  readonly userAgent?: string;
  /** The name the server's certificate must carry, when it differs from the host. */
  readonly serverName?: string;
  /** Leave managedFields out of lists and watches: they are half of a small object, and nobody here reads them. */
  readonly dropManagedFields?: boolean;
  /** Told of every answer's status, and of `<error>` when none came. */
  readonly onAnswer?: (method: string, code: string) => void;
}

/** A Client over HTTPS that can be closed, and that can send what the Client interface has no method for. */
export interface HttpsClient extends Client {
  /** A request to any path; resolves with the decoded JSON. Rejects with a StatusError for an answer of 400 or more. */
  raw<R>(method: string, path: string, body?: unknown): Promise<R>;
  close(): void;
}

const contentTypes: Readonly<Record<PatchType, string>> = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
};

/** The Kubernetes API over one HTTP/2 connection. Objects it returns belong to the caller. */
export function createHttpsClient(options: HttpsClientOptions): HttpsClient {
  return new JsonClient(options);
}

class JsonClient implements HttpsClient {
  readonly #transport: Http2Transport;
  readonly #userAgent: string;
  readonly #dropManagedFields: boolean;
  readonly #onAnswer: HttpsClientOptions['onAnswer'];

  constructor(options: HttpsClientOptions) {
    const { userAgent = 'skiff', dropManagedFields = false, clock = systemClock, onAnswer, ...transport } = options;
    this.#transport = new Http2Transport({ ...transport, clock });
    this.#userAgent = userAgent;
    this.#dropManagedFields = dropManagedFields;
    this.#onAnswer = onAnswer;
  }

  get<T extends KubeObject>(kind: Kind<T>, key: ObjectKey): Promise<T> {
    return this.#send('GET', resourcePath(kind, key));
  }

  async list<T extends KubeObject>(kind: Kind<T>, options: ListOptions = {}): Promise<ObjectList<T>> {
    const path = resourcePath(kind, keyOfMetadata(options)) + listQuery(options);
    const list = await this.#send<ObjectList<T>>('GET', path);
    const apiVersion = apiVersionOf(kind);
    for (const [i, item] of list.items.entries()) list.items[i] = this.#trim({ ...item, apiVersion, kind: kind.kind });
    return list;
  }

  create<T extends KubeObject>(kind: Kind<T>, object: NewObject<T>): Promise<T> {
    const { namespace } = object.metadata;
    const body = { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind };
    return this.#send('POST', resourcePath(kind, keyOfMetadata(namespace ? { namespace } : {})), body);
  }

  update<T extends KubeObject>(kind: Kind<T>, object: T, options: { subresource?: string } = {}): Promise<T> {
    return this.#send('PUT', resourcePath(kind, keyOfMetadata(object.metadata), options.subresource), object);
  }

  patch<T extends KubeObject>(
    kind: Kind<T>,
    key: ObjectKey,
    patch: { type: PatchType; body: unknown; subresource?: string; force?: boolean },
  ): Promise<T> {
    const manager = patch.type === 'apply' ? this.#userAgent.split('/')[0] : undefined;
    const path =
      resourcePath(kind, key, patch.subresource) + query({ fieldManager: manager, force: patch.force ? 'true' : undefined });
    return this.#send('PATCH', path, patch.body, contentTypes[patch.type]);
  }

  async delete<T extends KubeObject>(kind: Kind<T>, key: ObjectKey, options: DeleteOptions = {}): Promise<void> {
    await this.#send('DELETE', resourcePath(kind, key), { kind: 'DeleteOptions', apiVersion: 'v1', ...options });
  }

  post<B, R>(kind: Kind, key: ObjectKey, subresource: string, body: B): Promise<R> {
    return this.#send('POST', resourcePath(kind, key, subresource), body);
  }

  raw<R>(method: string, path: string, body?: unknown): Promise<R> {
    return this.#send(method, path, body);
  }

  close(): void {
    this.#transport.close();
  }

  watch<T extends KubeObject>(kind: Kind<T>, options: WatchOptions, handler: WatchHandler<T>): () => void {
    const path = resourcePath(kind, keyOfMetadata(options)) + watchQuery(options);
    let status = 0;
    let over = false;
    const end = (error: Error | undefined): void => {
      if (over) return;
      over = true;
      handler.onEnd(error);
    };
    const stop = this.#transport.stream(
      { method: 'GET', path, headers: this.#headers() },
      {
        onResponse: (code) => {
          status = code;
          this.#onAnswer?.('GET', String(code));
        },
        onData: (chunk) => {
          if (over) return;
          try {
            if (status === 200) lines.push(chunk);
            else refusal.push(chunk);
          } catch (error) {
            stop();
            end(error as Error);
          }
        },
        onEnd: (error) => end(error ?? (status === 200 ? undefined : statusError(status, Buffer.concat(refusal)))),
      },
    );
    const refusal: Buffer[] = [];
    const lines = new LineSplitter((line) => {
      if (over) return;
      const event = JSON.parse(line) as { type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'; object: T };
      if (event.type === 'ERROR') {
        stop();
        end(StatusError.fromStatus(event.object as unknown as StatusBody, 500));
      } else handler.onEvent(event.type, this.#trim(event.object));
    });
    return () => {
      over = true;
      stop();
    };
  }

  async #send<R>(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<R> {
    const response = await this.#answered(method, {
      method,
      path,
      headers: this.#headers(body === undefined ? undefined : contentType),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (response.status >= 400) throw statusError(response.status, response.body);
    return decode(response, `${method} ${path}`) as R;
  }

  async #answered(method: string, request: Parameters<Http2Transport['request']>[0]): Promise<HttpResponse> {
    try {
      const response = await this.#transport.request(request);
      this.#onAnswer?.(method, String(response.status));
      return response;
    } catch (error) {
      this.#onAnswer?.(method, '<error>');
      throw error;
    }
  }

  #headers(contentType?: string): Record<string, string> {
    return { accept: 'application/json', 'user-agent': this.#userAgent, ...(contentType ? { 'content-type': contentType } : {}) };
  }

  #trim<T extends KubeObject>(object: T): T {
    if (this.#dropManagedFields) delete object.metadata.managedFields;
    return object;
  }
}

function decode({ body }: HttpResponse, what: string): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(body.toString('utf8'));
  } catch (cause) {
    throw new Error(`the answer to ${what} is not JSON`, { cause });
  }
}

/** What the server refused with; proxies on the way answer with text instead of a Status. */
function statusError(code: number, body: Buffer): StatusError {
  const text = body.toString('utf8');
  try {
    return StatusError.fromStatus(JSON.parse(text) as StatusBody, code);
  } catch {
    return new StatusError({ code, reason: '', message: text.slice(0, 500).trim() || `the server answered ${code}` });
  }
}
