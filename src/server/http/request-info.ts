import { type FieldTerm, parseFieldSelector, requiredFieldValue } from '../../api/selectors/field-selector.ts';
import { pathSegment } from '../../api/validation/names.ts';
import { lookup } from '../../lib/lookup.ts';

/** What a request is about, read from its path and method (apiserver: pkg/endpoints/request/requestinfo.go). */
export interface RequestInfo {
  readonly isResource: boolean;
  /** For resources: create, get, list, watch, update, patch, delete, deletecollection, '' for other methods; otherwise the lower-case method. */
  readonly verb: string;
  readonly path: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
  /** For proxies: the rest of the path, still encoded, with its leading slash. */
  readonly rest: string;
}

const verbOfMethod: Readonly<Record<string, string>> = lookup({
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
  GET: 'get',
  HEAD: 'get',
});

/** Sub-resources of a namespace; anything else after its name is a resource in it. */
const namespaceSubresources: ReadonlySet<string> = new Set(['status', 'finalize']);

/** `/api/v1/watch/pods` is how collections, and single objects, were watched before `?watch=true`. */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo {
  const segments = path.split('/').slice(1);
  const core = segments[0] === 'api';
  const prefixLength = core ? 2 : 3;
  if (
    (!core && (segments[0] !== 'apis' || segments[1] === '')) ||
    segments.length <= prefixLength ||
    segments[prefixLength] === ''
  ) {
    return nonResource(method, path);
  }
  const group = core ? '' : decode(segments[1]!);
  const version = decode(segments[prefixLength - 1]!);
  const watching = method === 'GET' && segments[prefixLength] === 'watch' && segments.length > prefixLength + 1;
  const target = resourceParts(segments.slice(watching ? prefixLength + 1 : prefixLength));
  const verb = watching ? 'watch' : verbOf(method, target.name, query);
  const name = target.name || (watching ? '' : selectedName(verb, query));
  return { isResource: true, path, group, version, ...target, name, verb };
}

function nonResource(method: string, path: string): RequestInfo {
  return {
    isResource: false,
    verb: method.toLowerCase(),
    path,
    group: '',
    version: '',
    resource: '',
    subresource: '',
    namespace: '',
    name: '',
    rest: '',
  };
}

/** `namespaces/NS/RESOURCE/NAME/SUB/…`, `RESOURCE/NAME/SUB/…`, `namespaces/NS/status`. */
function resourceParts(raw: readonly string[]): Pick<RequestInfo, 'namespace' | 'resource' | 'name' | 'subresource' | 'rest'> {
  const scoped = raw[0] === 'namespaces' && raw.length > 2 && raw[2] !== '' && !namespaceSubresources.has(raw[2]!);
  const parts = scoped ? raw.slice(2) : raw;
  const name = decode(parts[1] ?? '');
  const namespace = scoped || (raw[0] === 'namespaces' && raw.length > 1) ? decode(raw[1] ?? '') : '';
  return {
    namespace,
    resource: decode(parts[0]!),
    name,
    subresource: decode(parts[2] ?? ''),
    rest: parts.length > 3 ? `/${parts.slice(3).join('/')}` : '',
  };
}

/**
 * A list or watch that demands one name by field selector is authorized like an access to that name. The selector is read as the registry reads it:
 * what looks like a demand may be the value of another term.
 */
function selectedName(verb: string, query: URLSearchParams): string {
  if (verb !== 'list' && verb !== 'watch') return '';
  const name = requiredFieldValue(fieldTermsOf(query) ?? [], 'metadata.name') ?? '';
  return pathSegment(name).length === 0 ? name : '';
}

/** The terms of the `fieldSelector` parameter. One that cannot be understood limits nothing, for those who decide; the handler refuses it. */
export function fieldTermsOf(query: URLSearchParams): FieldTerm[] | undefined {
  const selector = query.get('fieldSelector');
  if (!selector) return undefined;
  try {
    return parseFieldSelector(selector);
  } catch {
    return undefined;
  }
}

function verbOf(method: string, name: string, query: URLSearchParams): string {
  const verb = verbOfMethod[method] ?? '';
  if (name) return verb;
  if (verb === 'get') return isWatch(query) ? 'watch' : 'list';
  return verb === 'delete' ? 'deletecollection' : verb;
}

/** `watch`, `watch=true`, `watch=1`. */
function isWatch(query: URLSearchParams): boolean {
  const value = query.get('watch');
  return value !== null && value.toLowerCase() !== 'false' && value !== '0';
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
