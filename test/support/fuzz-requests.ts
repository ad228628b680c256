import { stringify } from 'yaml';
import { encodeProtobuf } from '../../src/api/codec/encode-protobuf.ts';
import type { Kind } from '../../src/api/kind.ts';
import { builtinKinds } from '../../src/api/kinds/index.ts';
import { type AnyObject, apiVersionOf } from '../../src/api/meta.ts';
import { fieldSelectorText, labelSelectorText, type SubresourceRequest, subresourceRequest } from './fuzz-sub-resources.ts';
import { awkwardText, mutateBytes, mutateValue } from './mutate.ts';
import type { Random } from './random.ts';
import { sampleOf } from './sample-objects.ts';

export interface FuzzRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

/** Where everything a fuzz writes is. */
export const fuzzNamespace = 'fuzz';

/** So few names that most requests meet an object. */
const names = ['a', 'b', 'c-1'];

/** Controllers would make pods of these without end, or the API server would ask them: their writes are only tried. */
const onlyTried: ReadonlySet<string> = new Set([
  ...['Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'ReplicationController', 'Job', 'CronJob', 'APIService', 'Node'],
  ...builtinKinds.filter((kind) => /^(admissionregistration|apiextensions)/.test(kind.group)).map((kind) => kind.kind),
  ...['Namespace', 'ResourceQuota', 'LimitRange'],
]);

/** Requests for every kind, verb and content type, from good to random bytes; the same ones for the same seed. */
export class FuzzRequests {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  next(): FuzzRequest {
    const random = this.#random;
    const kind = random.pick(builtinKinds);
    const make = random.pick([
      this.#create,
      this.#create,
      this.#update,
      this.#patch,
      this.#patch,
      this.#patch,
      this.#read,
      this.#remove,
      this.#act,
    ]);
    const request = make.call(this, kind);
    const path = random.chance(0.1) && request.method !== 'DELETE' ? this.#bentPath(request.path) : request.path;
    return { ...request, path: path.replaceAll(' ', '%20') };
  }

  #create(kind: Kind): FuzzRequest {
    const { bytes, contentType } = this.#body(sampleOf(kind, this.#random.pick(names)));
    return this.#request('POST', collectionOf(kind), kind, bytes, contentType);
  }

  #update(kind: Kind): FuzzRequest {
    const object = sampleOf(kind, this.#random.pick(names));
    const { bytes, contentType } = this.#body(object);
    return this.#request('PUT', this.#one(kind, object), kind, bytes, contentType);
  }

  #patch(kind: Kind): FuzzRequest {
    const random = this.#random;
    const object = sampleOf(kind, random.pick(names));
    const type = random.pick(['json-patch+json', 'merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml', 'x']);
    const value = type.startsWith('json') ? this.#operations(object) : this.#directives(mutateValue(random, object));
    const bytes = Buffer.from(random.chance(0.3) && type.endsWith('yaml') ? yamlOf(value) : JSON.stringify(value));
    const contentType = type === 'x' ? awkwardText(random) : `application/${type}`;
    const request = this.#request('PATCH', this.#one(kind, object), kind, this.#bent(bytes), contentType);
    return type.startsWith('apply')
      ? { ...request, path: `${request.path}&fieldManager=m${random.below(3)}&force=${random.chance(0.8)}` }
      : request;
  }

  #read(kind: Kind): FuzzRequest {
    const object = sampleOf(kind, this.#random.pick(names));
    return this.#request('GET', this.#random.chance(0.5) ? collectionOf(kind) : this.#one(kind, object), kind);
  }

  #remove(kind: Kind): FuzzRequest {
    const random = this.#random;
    const options = {
      kind: 'DeleteOptions',
      apiVersion: 'v1',
      preconditions: { uid: 'x' },
      propagationPolicy: 'Foreground',
      gracePeriodSeconds: 0,
    };
    const body = random.chance(0.5) ? this.#bent(Buffer.from(JSON.stringify(mutateValue(random, options)))) : undefined;
    const whole = random.chance(0.1) && kind.scope === 'Namespaced';
    const path = whole ? collectionOf(kind) : this.#one(kind, sampleOf(kind, random.pick(names)));
    return this.#request('DELETE', path, kind, body, 'application/json');
  }

  /** A request for a sub-resource that has a type of its own. */
  #act(): FuzzRequest {
    const random = this.#random;
    const { kind: of, subresource, method, body } = subresourceRequest(random, random.pick(names));
    const kind = builtinKinds.find((one) => one.kind === of)!;
    const value = random.chance(0.4) ? body : mutateValue(random, body);
    const bytes = (random.chance(0.3) && encodeProtobuf(body)) || undefined;
    const isProtobuf = bytes !== undefined && method !== 'PATCH';
    const type =
      method === 'PATCH' ? random.pick(['merge-patch+json', 'strategic-merge-patch+json', 'apply-patch+yaml']) : 'json';
    const path = `${collectionOf(kind)}/${nameOf(kind, body, random)}/${subresource}`;
    if (isProtobuf) return this.#request(method, path, kind, this.#bent(bytes), 'application/vnd.kubernetes.protobuf');
    return this.#request(method, path, kind, this.#bent(Buffer.from(JSON.stringify(value))), `application/${type}`);
  }

  #request(method: string, path: string, kind: Kind, body?: Uint8Array, contentType?: string): FuzzRequest {
    const headers: Record<string, string> = { ...(contentType ? { 'content-type': contentType } : {}), ...this.#headers() };
    const query = this.#query(method);
    if (method !== 'GET' && onlyTried.has(kind.kind)) query.set('dryRun', 'All');
    // A watch without an end would hold its place for half an hour.
    if (query.has('watch')) query.set('timeoutSeconds', '1');
    return { method, path: `${path}?${query}`, headers, ...(body ? { body } : {}) };
  }

  #one(kind: Kind, object: AnyObject): string {
    const random = this.#random;
    const path = `${collectionOf(kind)}/${object.metadata.name}`;
    if (random.chance(0.75)) return path;
    const own = kind.subresources.map((s) => s.name);
    return `${path}/${random.pick([...own, 'status', 'scale', awkwardText(random)])}`;
  }

  /** The object, or something made of it, in one of the forms clients send. */
  #body(object: AnyObject): { bytes: Uint8Array; contentType: string } {
    const random = this.#random;
    if (random.chance(0.04)) return { bytes: random.bytes(random.below(200)), contentType: random.pick(contentTypes) };
    const isGood = random.chance(0.25);
    const form = random.below(3);
    if (form === 0) {
      // Sometimes it is the message of another kind.
      const bytes = encodeProtobuf(random.chance(0.1) ? sampleOf(random.pick(builtinKinds), random.pick(names)) : object)!;
      return { bytes: isGood ? bytes : mutateBytes(random, bytes), contentType: 'application/vnd.kubernetes.protobuf' };
    }
    const value = isGood || random.chance(0.3) ? object : mutateValue(random, object);
    const bytes = Buffer.from(form === 1 ? JSON.stringify(value) : yamlOf(value));
    const contentType = random.chance(0.03) ? random.pick(contentTypes) : form === 1 ? 'application/json' : 'application/yaml';
    return { bytes: isGood ? bytes : this.#bent(bytes), contentType };
  }

  #bent(bytes: Uint8Array): Uint8Array {
    return this.#random.chance(0.4) ? mutateBytes(this.#random, bytes) : bytes;
  }

  /** Printable ASCII, as a header or a query may have it. */
  #bentText(text: string): string {
    if (this.#random.chance(0.7)) return text;
    const bent = Buffer.from(mutateBytes(this.#random, Buffer.from(text))).toString('latin1');
    return bent.replaceAll(/[^\x20-\x7e]/g, '');
  }

  #bentPath(path: string): string {
    const random = this.#random;
    const mark = path.indexOf('?');
    const segments = path.slice(0, mark).split('/');
    const at = 1 + random.below(segments.length - 1);
    const bent = random.chance(0.3) ? segments.toSpliced(at, 1) : segments.with(at, awkwardText(random));
    return `${bent.join('/')}${path.slice(mark)}`.replace(/^\/*/, '/');
  }

  /** A JSON patch of operations on fields that are there, and some that are not. */
  #operations(object: AnyObject): unknown {
    const random = this.#random;
    const pointers = pointersOf(object);
    const operations = Array.from({ length: 1 + random.below(4) }, () => ({
      op: random.pick(['add', 'remove', 'replace', 'move', 'copy', 'test']),
      path: random.chance(0.9) ? random.pick(pointers) : awkwardText(random),
      from: random.pick(pointers),
      value: random.pick(['x', 1, null, {}, [], { name: 'x' }]),
    }));
    return random.chance(0.2) ? mutateValue(random, operations) : operations;
  }

  /** Sometimes puts a directive of strategic merge patches somewhere. */
  #directives(value: unknown): unknown {
    const random = this.#random;
    if (typeof value !== 'object' || value === null || random.chance(0.3)) return value;
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#directives(item));
      return random.chance(0.05) ? [{ $patch: random.pick(['replace', 'delete', 'merge', 'x']) }, ...items] : items;
    }
    const fields = Object.entries(value).map(([name, inner]) => [name, this.#directives(inner)] as const);
    if (!random.chance(0.1) || fields.length === 0) return Object.fromEntries(fields);
    const [name, inner] = random.pick(fields);
    const directive = random.pick<readonly [string, unknown]>([
      ['$patch', random.pick(['replace', 'delete', 'merge', 1])],
      ['$retainKeys', random.pick([[name], [], ['x', 1], 'x'])],
      [`$setElementOrder/${name}`, random.pick([inner, [], [{ name: 'a' }], 'x'])],
      [`$deleteFromPrimitiveList/${name}`, random.pick([inner, [], 'x', [null]])],
    ]);
    return Object.fromEntries([...fields, directive]);
  }

  #query(method: string): URLSearchParams {
    const random = this.#random;
    const query = new URLSearchParams();
    const usual = method === 'GET' ? readOptions : writeOptions;
    for (const name of random.some(Object.keys(usual), 0.15)) {
      query.set(name, random.chance(0.8) ? random.pick(usual[name]!) : awkwardText(random));
    }
    if (random.chance(0.1)) query.set('labelSelector', this.#bentText(labelSelectorText(random)));
    if (random.chance(0.1)) query.set('fieldSelector', this.#bentText(fieldSelectorText(random)));
    if (random.chance(0.03)) query.append(random.pick(Object.keys(usual)), awkwardText(random));
    return query;
  }

  #headers(): Record<string, string> {
    const random = this.#random;
    const headers: Record<string, string> = {};
    if (random.chance(0.3)) headers['accept'] = this.#bentText(random.pick(accepts));
    if (random.chance(0.03))
      headers[random.pick(['accept', 'accept-encoding', 'user-agent', 'if-none-match'])] = awkwardText(random);
    if (random.chance(0.02))
      headers['impersonate-user'] = random.pick(['system:admin', 'nobody', 'system:node:n1', 'system:serviceaccount:a:b']);
    if (random.chance(0.01)) headers['impersonate-group'] = awkwardText(random) || 'x';
    if (random.chance(0.1)) headers['accept-encoding'] = 'gzip';
    return headers;
  }
}

const contentTypes = [
  ...['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/cbor', 'text/plain'],
  ...['application/json;charset=latin1', 'application/merge-patch+json', '*/*', ''],
];
const accepts = [
  ...[
    'application/yaml',
    'application/vnd.kubernetes.protobuf, */*',
    'application/vnd.kubernetes.protobuf',
    '*/*;q=0.1, text/plain',
  ],
  ...['application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io'],
  ...['application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'application/yaml;as=Table;v=v1beta1;g=meta.k8s.io'],
];
const readOptions: Readonly<Record<string, readonly string[]>> = {
  watch: ['1', 'true', 'false'],
  limit: ['0', '1', '2', '-1'],
  continue: ['x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIvYVx1MDAwMCJ9'],
  resourceVersion: ['0', '1', '50', '-1'],
  resourceVersionMatch: ['Exact', 'NotOlderThan', 'x'],
  sendInitialEvents: ['true', 'false'],
  allowWatchBookmarks: ['true'],
  labelSelector: ['app=web', 'app!=web,tier in (front,back)', '!x', 'a in ()', '(', 'x>1', 'x notin (a'],
  fieldSelector: [
    'metadata.name=a',
    'metadata.name!=a,metadata.namespace=fuzz',
    'status.phase=Running',
    'type=Opaque',
    'x=\\',
    '=',
  ],
  includeObject: ['Object', 'None', 'x'],
  pretty: ['true'],
};
const writeOptions: Readonly<Record<string, readonly string[]>> = {
  dryRun: ['All', 'x'],
  fieldValidation: ['Strict', 'Warn', 'Ignore', 'x'],
  fieldManager: ['m1', 'm2', 'x'.repeat(200)],
  propagationPolicy: ['Foreground', 'Background', 'Orphan', 'x'],
  gracePeriodSeconds: ['0', '1', '-1', 'x'],
  orphanDependents: ['true', 'x'],
  labelSelector: ['app=web', 'app=none', '('],
  pretty: ['true'],
};

function collectionOf(kind: Kind): string {
  const scope = kind.scope === 'Namespaced' ? `namespaces/${fuzzNamespace}/` : '';
  return `${kind.group ? '/apis' : '/api'}/${apiVersionOf(kind)}/${scope}${kind.plural}`;
}

/** The name in the path: mostly that of the object in the body. */
function nameOf(kind: Kind, body: SubresourceRequest['body'], random: Random): string {
  const { name } = (body['metadata'] ?? {}) as { name?: string };
  return name !== undefined && random.chance(0.9) ? sampleOf(kind, name).metadata.name : random.pick(names);
}

const maxPrinted = 3000;

/** A request as text, for a report. */
export function printRequest({ method, path, headers, body }: FuzzRequest): string {
  return `${method} ${path}\n${JSON.stringify(headers)}\n${body ? JSON.stringify(Buffer.from(body).toString('latin1')) : ''}`.slice(
    0,
    maxPrinted,
  );
}

function pointersOf(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null) return [prefix];
  const inner = Object.entries(value).flatMap(([name, item]) =>
    pointersOf(item, `${prefix}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`),
  );
  return [prefix, ...inner, `${prefix}/-`, `${prefix}/new`];
}

function yamlOf(value: unknown): string {
  return stringify(value, { aliasDuplicateObjects: false });
}

/** Answers of the 500s that a Kubernetes server gives as well, word for word; everything else above 500 needs a reason a client can act on. */
const upstreamErrors = [
  /does not contain declared merge key/,
  /unknown patch type/,
  /failed to create typed patch object/,
  /unable to convert unstructured object to \S+, Kind=\w+: /,
  /unable to find api field in struct \w+ for the json field /,
  /merging lists cannot yet be specified in the patch/,
  /list element types are not identical/,
  /doesn't match \$setElementOrder/,
  /resourceVersion should not be set on objects to be created/,
  /This pod has more than one PodDisruptionBudget/,
];

/** Why an answer is none that a server may give to a client's mistake; undefined when it may. */
export function complaint({ status, body }: { readonly status: number; readonly body: string }): string | undefined {
  if (status < 500 || [501, 503, 507].includes(status)) return undefined;
  if (status === 504 && body.includes('Too large resource version')) return undefined;
  if (status === 500 && upstreamErrors.some((pattern) => pattern.test(body))) return undefined;
  return `${status} ${body.slice(0, 400)}`;
}
