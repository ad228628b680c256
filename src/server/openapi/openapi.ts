import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { serviceUnavailable } from '../../api/status-error.ts';
import { readAsset } from '../../lib/assets.ts';
import { acceptsGzip } from '../http/compression.ts';
import { encodeOpenApiV2 } from './protobuf-v2.ts';

export interface OpenApiRequest {
  /** `/openapi/v3/apis/apps/v1`, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export interface OpenApiResponse {
  readonly status: 200 | 301 | 304 | 406 | 503;
  readonly headers: Readonly<Record<string, string>>;
  /** Already compressed when the headers say so. */
  readonly body: Uint8Array;
}

/** Documents of kinds that are not built in (custom resources). All of it is asked for at each request: keep it cheap. */
export interface RuntimeOpenApi {
  /** `apis/example.com/v1` → its v3 document. */
  groupVersions(): ReadonlyMap<string, RuntimeDocument>;
  /** What they add to the v2 document: members of JSON objects, without the braces (`"/apis/…":{…},"/apis/…":{…}`); empty for nothing. */
  v2(): { readonly paths: string; readonly definitions: string };
}

export interface RuntimeDocument {
  /** Changes when the document does. */
  readonly hash: string;
  /** The document as JSON. */
  text(): string;
}

export interface OpenApiDeps {
  /** Milliseconds since the epoch, for Expires. */
  readonly nowMs: number;
  readonly runtime?: RuntimeOpenApi;
  /** Reads a built document; the executable's own by default. */
  readonly readAsset?: (name: string) => Uint8Array;
}

/** What the build writes beside the documents (build/api/openapi.ts). */
interface Index {
  readonly v3: Readonly<Record<string, { readonly file: string; readonly hash: string }>>;
  readonly v2: { readonly file: string; readonly hash: string; readonly pathsEnd: number; readonly definitionsEnd: number };
}

/** One document before the client's wishes are known. `text` may be compressed already. */
interface Document {
  readonly hash: string;
  readonly bytes: Uint8Array;
  readonly isCompressed: boolean;
}

const empty = new Uint8Array();
/** Smaller answers are not worth compressing. */
const minCompressedBytes = 1024;
const yearMs = 365 * 24 * 3600 * 1000;

/**
 * Answers GET of `/openapi/v3`, `/openapi/v3/<group version>` and `/openapi/v2`; undefined for every other path and for group versions
 * nobody knows. Documents are read from the executable at each request and never kept. Upstream: kube-openapi pkg/handler3/handler.go.
 */
export function handleOpenApi(request: OpenApiRequest, deps: OpenApiDeps): OpenApiResponse | undefined {
  const { path } = request;
  if (path !== '/openapi/v2' && path !== '/openapi/v3' && !path.startsWith('/openapi/v3/')) return undefined;
  const source = new DocumentSource(deps);
  try {
    if (path === '/openapi/v2') return v2Document(request, source);
    if (path === '/openapi/v3') return index(source, deps.nowMs);
    return groupVersionDocument(request, { source, name: path.slice('/openapi/v3/'.length), nowMs: deps.nowMs });
  } catch (error) {
    if (!(error instanceof MissingDocuments)) throw error;
    const status = serviceUnavailable('the OpenAPI documents are not part of this build; `npm run build` makes them').toStatus();
    return { status: 503, headers: { 'content-type': 'application/json' }, body: encode(JSON.stringify(status)) };
  }
}

/** The list of documents, with the headers Go's file server gives to a text without a name. */
function index(source: DocumentSource, nowMs: number): OpenApiResponse {
  const headers = { 'content-type': 'text/plain; charset=utf-8', 'last-modified': new Date(nowMs).toUTCString() };
  return { status: 200, headers, body: source.v3Index().bytes };
}

const notAcceptable: OpenApiResponse = { status: 406, headers: { vary: 'Accept' }, body: empty };

/** JSON, or protobuf where the client names it first; under its old name too (kube-openapi pkg/handler/handler.go). */
function v2Document(request: OpenApiRequest, source: DocumentSource): OpenApiResponse {
  const clauses = headerOf(request, 'accept')
    .split(',')
    .map((clause) => clause.split(';', 1)[0]!.trim());
  const first = clauses.find((type) => protobufTypes.has(type) || jsonTypes.has(type));
  if (first === undefined && clauses.join('') !== '') return notAcceptable;
  const document = source.v2();
  if (first === undefined || jsonTypes.has(first)) return answer(request, document);
  const text = document.isCompressed ? gunzipSync(document.bytes) : document.bytes;
  const bytes = encodeOpenApiV2(JSON.parse(Buffer.from(text).toString()));
  const response = answer(request, { hash: hashOf(bytes), bytes, isCompressed: false });
  return { ...response, headers: { ...response.headers, 'content-type': protobufType } };
}

const protobufType = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';
const protobufTypes: ReadonlySet<string> = new Set([protobufType, 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf']);
const jsonTypes: ReadonlySet<string> = new Set(['application/json', 'application/*', '*/*']);

function groupVersionDocument(
  request: OpenApiRequest,
  { source, name, nowMs }: { source: DocumentSource; name: string; nowMs: number },
): OpenApiResponse | undefined {
  const document = source.v3(name);
  if (!document) return undefined;
  if (!acceptsJson(request)) return notAcceptable;
  const wanted = request.query.get('hash');
  if (!wanted) return answer(request, document);
  if (wanted !== document.hash) {
    return { status: 301, headers: { location: hashedUrl(name, document.hash), vary: 'Accept' }, body: empty };
  }
  const response = answer(request, document);
  const expires = new Date(nowMs + yearMs).toUTCString();
  return { ...response, headers: { ...response.headers, 'cache-control': 'public, immutable', expires } };
}

function hashedUrl(name: string, hash: string): string {
  return `/openapi/v3/${name}?hash=${hash}`;
}

/** The build left the documents out, as when running from source. */
class MissingDocuments extends Error {}

class DocumentSource {
  readonly #read: (name: string) => Uint8Array;
  readonly #runtime: RuntimeOpenApi | undefined;

  constructor(deps: OpenApiDeps) {
    this.#read = deps.readAsset ?? readAsset;
    this.#runtime = deps.runtime;
  }

  v3Index(): Document {
    const hashes = [
      ...Object.entries(this.#index().v3).map(([name, { hash }]) => [name, hash] as const),
      ...[...(this.#runtime?.groupVersions() ?? [])].map(([name, { hash }]) => [name, hash] as const),
    ].sort(([a], [b]) => (a < b ? -1 : 1));
    const paths = Object.fromEntries(hashes.map(([name, hash]) => [name, { serverRelativeURL: hashedUrl(name, hash) }]));
    return textDocument(JSON.stringify({ paths }));
  }

  v3(name: string): Document | undefined {
    const runtime = this.#runtime?.groupVersions().get(name);
    if (runtime) return { hash: runtime.hash, bytes: encode(runtime.text()), isCompressed: false };
    const built = this.#index().v3;
    if (!Object.hasOwn(built, name)) return undefined;
    const { file, hash } = built[name]!;
    return { hash, bytes: this.#asset(file), isCompressed: true };
  }

  v2(): Document {
    const { file, hash, pathsEnd, definitionsEnd } = this.#index().v2;
    const more = this.#runtime?.v2();
    const bytes = this.#asset(file);
    if (!more || (more.paths === '' && more.definitions === '')) return { hash, bytes, isCompressed: true };
    const text = gunzipSync(bytes);
    const joined = Buffer.concat([
      text.subarray(0, pathsEnd),
      Buffer.from(more.paths === '' ? '' : `,${more.paths}`),
      text.subarray(pathsEnd, definitionsEnd),
      Buffer.from(more.definitions === '' ? '' : `,${more.definitions}`),
      text.subarray(definitionsEnd),
    ]);
    return { hash: hashOf(joined), bytes: joined, isCompressed: false };
  }

  #index(): Index {
    return JSON.parse(Buffer.from(this.#asset('index.json')).toString()) as Index;
  }

  #asset(name: string): Uint8Array {
    try {
      return this.#read(`openapi/${name}`);
    } catch (error) {
      throw new MissingDocuments(name, { cause: error });
    }
  }
}

function textDocument(text: string): Document {
  const bytes = encode(text);
  return { hash: hashOf(bytes), bytes, isCompressed: false };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha512').update(bytes).digest('hex').toUpperCase();
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function answer(request: OpenApiRequest, document: Document): OpenApiResponse {
  const etag = `"${document.hash}"`;
  const headers = { etag, vary: 'Accept, Accept-Encoding', 'content-type': 'application/json' };
  const known = headerOf(request, 'if-none-match');
  if (known.includes(etag) || known.trim() === '*') return { status: 304, headers: { etag, vary: headers.vary }, body: empty };
  const wantsGzip = acceptsGzip(headerOf(request, 'accept-encoding'));
  if (!wantsGzip) return { status: 200, headers, body: document.isCompressed ? gunzipSync(document.bytes) : document.bytes };
  if (!document.isCompressed && document.bytes.length < minCompressedBytes) return { status: 200, headers, body: document.bytes };
  const body = document.isCompressed ? document.bytes : gzipSync(document.bytes);
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, body };
}

function acceptsJson(request: OpenApiRequest): boolean {
  const accept = headerOf(request, 'accept');
  if (accept === '') return true;
  return accept.split(',').some((clause) => /^\s*(?:application\/(?:json|\*)|\*\/\*)\s*(?:;|$)/.test(clause));
}

function headerOf(request: OpenApiRequest, name: string): string {
  const value = request.headers[name];
  return typeof value === 'string' ? value : (value?.join(',') ?? '');
}
