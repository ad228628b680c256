import type { Kind, Subresource, Verb } from '../../src/api/kind.ts';
import { apiVersionOf } from '../../src/api/meta.ts';
import { hasSchema, typeOfKind } from '../../src/api/schema/schema.ts';
import type { GroupVersionKind, OpenApiSchema, SchemaBuilder } from './openapi-schemas.ts';

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path' | 'body';
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
}

/** One operation, in neither dialect: v2 and v3 write it in their own way. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete' | 'head' | 'options';
  /** Absent, with `kind`, where no resource is meant. */
  readonly action?: string;
  readonly operationId: string;
  readonly description: string;
  readonly tag: string;
  readonly kind?: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  /** Types a request may have where there is no body to say it; any when absent. */
  readonly consumes?: readonly string[];
  /** Types of the answer; any when absent. */
  readonly produces?: readonly string[];
  /** Absent for operations without a body. `required` is false for DELETE. */
  readonly body?: { readonly schema: OpenApiSchema; readonly required: boolean; readonly mediaTypes: readonly string[] };
  /** Absent: text. */
  readonly response?: OpenApiSchema;
  readonly codes: readonly number[];
}

export interface PathItem {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
}

/** Types in which objects are answered, and changes of them. */
export const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'];
const listTypes = [...objectTypes, 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'];

/** What the query parameters are for. */
const texts = {
  allowWatchBookmarks: 'Sends events that only tell how far the watch has come.',
  command: 'The command and its arguments, one parameter each.',
  container: 'The container, where the pod has several.',
  continue: 'Goes on after the last page; the value is that of its metadata.',
  dryRun: 'With All everything happens but the writing.',
  fieldManager: 'The name under which the fields that change are recorded; required to apply.',
  fieldSelector: 'Restricts the objects by their fields.',
  fieldValidation: 'What becomes of unknown and duplicate fields: Ignore, Warn (the default) or Strict.',
  follow: 'Goes on as the log grows.',
  force: 'Takes over fields from other managers when applying.',
  gracePeriodSeconds: 'How long the object may take to end; 0 is at once.',
  ignoreStoreReadErrorWithClusterBreakingPotential: 'Deletes objects that cannot be read any more.',
  insecureSkipTLSVerifyBackend: "Does not check the node's certificate.",
  labelSelector: 'Restricts the objects by their labels.',
  limit: 'The most objects of one answer; the rest is had with continue.',
  limitBytes: 'The most bytes of the log.',
  path: 'What to ask for there.',
  ports: 'The ports to forward.',
  orphanDependents: 'Deprecated: use propagationPolicy.',
  pretty: 'Indents the answer.',
  previous: 'Shows the log of the container before its last restart.',
  propagationPolicy: 'What becomes of dependent objects: Orphan, Background or Foreground.',
  resourceVersion: 'How new the state has to be.',
  resourceVersionMatch: 'How resourceVersion is understood: Exact or NotOlderThan.',
  sendInitialEvents: 'Starts a watch with the objects there are.',
  sinceSeconds: 'Shows the log of the last seconds.',
  stderr: 'Carries the standard error stream.',
  stdin: 'Carries the standard input stream.',
  stdout: 'Carries the standard output stream.',
  stream: 'The stream of the log: All, Stdout or Stderr.',
  tailLines: 'Shows the last lines of the log.',
  timeoutSeconds: 'How long a list may take, or a watch lasts.',
  timestamps: 'Shows when each line was written.',
  tty: 'The command gets a terminal.',
  watch: 'Sends changes as they happen instead of a list.',
} as const;

const query = (type: Parameter['type'], ...names: (keyof typeof texts)[]): Parameter[] =>
  names.map((name) => ({ name, in: 'query', type, description: texts[name] }));
const listParameters = [
  ...query('boolean', 'allowWatchBookmarks'),
  ...query('string', 'continue', 'fieldSelector', 'labelSelector'),
  ...query('integer', 'limit'),
  ...query('string', 'resourceVersion', 'resourceVersionMatch'),
  ...query('boolean', 'sendInitialEvents'),
  ...query('integer', 'timeoutSeconds'),
  ...query('boolean', 'watch'),
];
const writeParameters = query('string', 'dryRun', 'fieldManager', 'fieldValidation');
const deleteParameters = [
  ...query('string', 'dryRun'),
  ...query('integer', 'gracePeriodSeconds'),
  ...query('boolean', 'ignoreStoreReadErrorWithClusterBreakingPotential', 'orphanDependents'),
  ...query('string', 'propagationPolicy'),
];
const collectionDeleteParameters = [...deleteParameters, ...listParameters.filter((p) => !/watch/i.test(p.name))];
const patchParameters = [...writeParameters, ...query('boolean', 'force')];
const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
const streamParameters = [...query('string', 'container'), ...query('boolean', 'stderr', 'stdin', 'stdout', 'tty')];
/** Parameters of what is answered by nodes, pods and services. */
const connectParameters: Readonly<Record<string, readonly Parameter[]>> = {
  attach: streamParameters,
  exec: [...query('string', 'command'), ...streamParameters],
  log: [
    ...query('string', 'container', 'stream'),
    ...query('boolean', 'follow', 'insecureSkipTLSVerifyBackend', 'previous', 'timestamps'),
    ...query('integer', 'limitBytes', 'sinceSeconds', 'tailLines'),
  ],
  portforward: query('integer', 'ports'),
  proxy: query('string', 'path'),
};
const inPath = (name: string, description: string): Parameter => ({ name, in: 'path', type: 'string', description });
const namespaceParameter = inPath('namespace', 'The namespace of the objects.');
const nameParameter = inPath('name', 'The name of the object.');
const pathParameter = inPath('path', 'What to ask for there.');
const pretty = query('string', 'pretty');

/** Every path of a kind and its sub-resources. */
export function pathsOf(kind: Kind, schemas: SchemaBuilder): PathItem[] {
  const writer = new KindPaths(kind, schemas);
  return [...writer.main(), ...kind.subresources.flatMap((subresource) => writer.subresource(subresource))];
}

class KindPaths {
  readonly #kind: Kind;
  readonly #schemas: SchemaBuilder;
  readonly #base: string;
  readonly #gvk: GroupVersionKind;
  /** Bodies are of the kind's own type, unless a sub-resource says otherwise. */
  readonly #body: OpenApiSchema;

  constructor(kind: Kind, schemas: SchemaBuilder) {
    this.#kind = kind;
    this.#schemas = schemas;
    const root = `/${kind.group ? 'apis' : 'api'}/${apiVersionOf(kind)}`;
    this.#base = `${root}/${kind.scope === 'Namespaced' ? 'namespaces/{namespace}/' : ''}${kind.plural}`;
    this.#gvk = { group: kind.group, kind: kind.kind, version: kind.version };
    this.#body = schemas.type(kind.type);
  }

  main(): PathItem[] {
    const { verbs, scope } = this.#kind;
    const collection = [
      ...this.#when('list', () => this.#list(false)),
      ...this.#when('create', () => this.#write('post', 'create', { codes: [200, 201, 202] })),
      ...this.#when('deletecollection', () => this.#delete(true)),
    ];
    const item = [
      ...this.#when('get', () => this.#get()),
      ...this.#when('update', () => this.#write('put', 'replace', { codes: [200, 201] })),
      ...this.#when('patch', () => this.#patch()),
      ...this.#when('delete', () => this.#delete(false)),
    ];
    const everywhere = this.#base.replace('namespaces/{namespace}/', '');
    return [
      this.#item(this.#base, collection, pretty),
      this.#item(`${this.#base}/{name}`, item, [nameParameter, ...pretty]),
      ...(scope === 'Namespaced' && verbs.includes('list')
        ? [{ path: everywhere, parameters: pretty, operations: [this.#list(true)] }]
        : []),
      ...this.#watches(everywhere),
    ].filter(({ operations }) => operations.length > 0);
  }

  /** The old paths of watches. */
  #watches(everywhere: string): PathItem[] {
    const { verbs, scope } = this.#kind;
    if (!verbs.includes('watch')) return [];
    const old = (path: string): string => path.replace(/^(\/(?:api\/|apis\/[^/]+\/)[^/]+)/, '$1/watch');
    const item = (path: string, suffix: string, parameters: readonly Parameter[], isScoped = true): PathItem => {
      const operation = this.#operation('get', 'watch', { suffix, ...(isScoped ? {} : { scope: '' }) });
      const watch = {
        ...operation,
        action: suffix === '' ? 'watch' : 'watchlist',
        description: 'Watches changes. Deprecated: ask for the list with the parameter watch instead.',
        parameters: [],
        response: this.#schemas.watchEvent(),
        produces: listTypes,
        codes: [200],
      };
      return { path: old(path), parameters: [...parameters, ...listParameters, ...pretty], operations: [watch] };
    };
    const own = scope === 'Namespaced' ? [namespaceParameter] : [];
    return [
      item(this.#base, 'list', own),
      item(`${this.#base}/{name}`, '', [nameParameter, ...own]),
      ...(scope === 'Namespaced' ? [item(everywhere, 'listForAllNamespaces', [], false)] : []),
    ];
  }

  subresource(subresource: Subresource): PathItem[] {
    const group = subresource.group ?? this.#kind.group;
    const version = subresource.version ?? this.#kind.version;
    const gvk = { group, kind: subresource.kind ?? this.#kind.kind, version };
    const type = subresource.kind === undefined ? this.#kind.type : typeOfKind(apiVersionOf(gvk), gvk.kind);
    const path = `${this.#base}/{name}/${subresource.name}`;
    if (type !== undefined && hasSchema(type) && subresource.name !== 'log') {
      const body = this.#schemas.type(type);
      const typed = subresource.verbs.map((verb) => this.#typed(verb, { gvk, body, suffix: subresource.name }));
      return [this.#item(path, typed, [nameParameter, ...pretty])];
    }
    return this.#connections(path, subresource, gvk);
  }

  /** Streams and proxies: no schema tells what goes through them. */
  #connections(path: string, { name, verbs }: Subresource, gvk: GroupVersionKind): PathItem[] {
    const operations = verbs.map((verb) => this.#connect(connectMethods[verb] ?? 'delete', gvk, name));
    const parameters = [nameParameter, ...(connectParameters[name] ?? [])];
    if (name === 'log') return [this.#item(path, operations, [...parameters, ...pretty])];
    if (name !== 'proxy') return [this.#item(path, operations, parameters)];
    for (const method of ['head', 'options'] as const) operations.push(this.#connect(method, gvk, name));
    const below = operations.map((operation) => ({ ...operation, operationId: `${operation.operationId}WithPath` }));
    return [this.#item(path, operations, parameters), this.#item(`${path}/{path}`, below, [...parameters, pathParameter])];
  }

  #item(path: string, operations: readonly Operation[], parameters: readonly Parameter[]): PathItem {
    const own = this.#kind.scope === 'Namespaced' ? [...parameters, namespaceParameter] : parameters;
    return { path, parameters: own, operations };
  }

  #when(verb: Verb, operation: () => Operation): Operation[] {
    return this.#kind.verbs.includes(verb) ? [operation()] : [];
  }

  #typed(verb: Verb, target: { gvk: GroupVersionKind; body: OpenApiSchema; suffix: string }): Operation {
    if (verb === 'get') return this.#get(target);
    if (verb === 'patch') return this.#patch(target);
    return this.#write(verb === 'update' ? 'put' : 'post', verb === 'update' ? 'replace' : 'create', {
      ...target,
      codes: verb === 'update' ? [200, 201] : [200, 201, 202],
    });
  }

  #operation(method: Operation['method'], action: string, rest: { gvk?: GroupVersionKind; suffix?: string; scope?: string }) {
    const tag = tagOf(this.#kind);
    const scope = rest.scope ?? (this.#kind.scope === 'Namespaced' ? 'Namespaced' : '');
    const target = `${this.#kind.kind}${pascal(rest.suffix ?? '')}`;
    const words = rest.suffix ? `${rest.suffix} of the specified ${this.#kind.kind}` : this.#kind.kind;
    return {
      method,
      action,
      tag,
      operationId: `${action}${idPart(tag)}${action === 'connect' ? pascal(method) : ''}${scope}${target}`,
      description: `${action} ${words}`,
      kind: rest.gvk ?? this.#gvk,
      produces: objectTypes,
    };
  }

  #list(allNamespaces: boolean): Operation {
    const operation = this.#operation('get', 'list', {});
    return {
      ...operation,
      ...(allNamespaces ? { operationId: operation.operationId.replace('Namespaced', '').concat('ForAllNamespaces') } : {}),
      parameters: listParameters,
      response: this.#schemas.list(this.#kind.type, this.#gvk),
      produces: this.#kind.verbs.includes('watch') ? listTypes : objectTypes,
      codes: [200],
    };
  }

  #get(target?: { gvk: GroupVersionKind; body: OpenApiSchema; suffix: string }): Operation {
    return {
      ...this.#operation('get', 'read', target ?? {}),
      action: 'get',
      parameters: [],
      response: target?.body ?? this.#body,
      codes: [200],
    };
  }

  #write(
    method: 'put' | 'post',
    action: string,
    target: { codes: readonly number[]; gvk?: GroupVersionKind; body?: OpenApiSchema; suffix?: string },
  ): Operation {
    const schema = target.body ?? this.#body;
    return {
      ...this.#operation(method, action, target),
      action: method,
      parameters: writeParameters,
      body: { schema, required: true, mediaTypes: ['*/*'] },
      response: schema,
      codes: target.codes,
    };
  }

  #patch(target?: { gvk: GroupVersionKind; body: OpenApiSchema; suffix: string }): Operation {
    return {
      ...this.#operation('patch', 'patch', target ?? {}),
      parameters: patchParameters,
      body: { schema: this.#schemas.patch(), required: true, mediaTypes: patchTypes },
      response: target?.body ?? this.#body,
      codes: [200, 201],
    };
  }

  #delete(collection: boolean): Operation {
    const isNamespaced = this.#kind.scope === 'Namespaced';
    return {
      ...this.#operation('delete', 'delete', collection ? { scope: `Collection${isNamespaced ? 'Namespaced' : ''}` } : {}),
      action: collection ? 'deletecollection' : 'delete',
      parameters: collection ? collectionDeleteParameters : deleteParameters,
      body: { schema: this.#schemas.type('DeleteOptions'), required: false, mediaTypes: ['*/*'] },
      response: this.#kind.returnsDeletedObject && !collection ? this.#body : this.#schemas.type('Status'),
      codes: collection ? [200] : [200, 202],
    };
  }

  #connect(method: Operation['method'], gvk: GroupVersionKind, suffix: string): Operation {
    const isLog = suffix === 'log';
    return {
      ...this.#operation(method, isLog ? 'read' : 'connect', { gvk, suffix }),
      action: isLog ? 'get' : 'connect',
      parameters: [],
      produces: isLog ? ['text/plain', ...objectTypes] : ['*/*'],
      codes: [200],
    };
  }
}

const connectMethods: Partial<Record<Verb, Operation['method']>> = { create: 'post', update: 'put', get: 'get', patch: 'patch' };

/** What upstream calls a group, or one of its versions: `rbacAuthorization_v1`. */
export function tagOf({ group, version }: { group: string; version?: string }): string {
  const family = camel(group === '' ? 'core' : group.replace(/\.k8s\.io$/, ''));
  return version === undefined ? family : `${family}_${version}`;
}

/** A tag within the id of an operation: `RbacAuthorizationV1`. */
export function idPart(tag: string): string {
  return tag.split('_').map(pascal).join('');
}

function pascal(text: string): string {
  return text === '' ? '' : text[0]!.toUpperCase() + text.slice(1);
}

function camel(text: string): string {
  return text.replace(/[.-](\w)/g, (_, c: string) => c.toUpperCase());
}
