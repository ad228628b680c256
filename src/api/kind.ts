import type { FieldError } from './field-error.ts';
import type { KubeObject } from './meta.ts';

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch';

/** A sub-resource as discovery shows it. `kind`/`group`/`version` are those of its body when it is not the parent's. */
export interface Subresource {
  readonly name: string;
  readonly kind?: string;
  readonly group?: string;
  readonly version?: string;
  readonly verbs: readonly Verb[];
}

/** A column of `kubectl get`. `priority` 1 = only with -o wide. */
export interface Column<T> {
  readonly name: string;
  readonly type: 'string' | 'integer' | 'number' | 'boolean' | 'date';
  readonly format?: string;
  readonly description?: string;
  readonly priority?: number;
  /** A pure function of the object and of the time of the request (milliseconds), for ages. */
  cell(object: T, nowMs: number): string | number | boolean | null;
}

/** A condition of a table's row. */
export interface RowCondition {
  readonly type: 'Completed';
  readonly status: 'True';
  readonly reason: string;
  readonly message: string;
}

/** A method type on purpose: methods are bivariant, so that a `Kind<Pod>` is a `Kind`. */
export type FieldGetter<T> = { get(object: T): string }['get'];

export interface WriteContext {
  /** Milliseconds since the epoch, for kinds that stamp times. */
  readonly nowMs: number;
  /** Random lower-case letters and digits of the name alphabet, for kinds that generate parts of names. */
  random(length: number): string;
  /** A new uuid. */
  uid(): string;
  /** Tells the client about something in the object that was read in another way than it is written. */
  warn?(message: string): void;
}

/**
 * Everything pure about a kind, declared once. Routes, discovery, OpenAPI, tables, storage keys, client methods, informers and the
 * kind contract test derive from it. Hooks mutate the object they are given; they never see a frozen one.
 */
export interface Kind<T extends KubeObject = KubeObject> {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly singular: string;
  readonly listKind: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly scope: 'Namespaced' | 'Cluster';
  readonly verbs: readonly Verb[];
  readonly subresources: readonly Subresource[];
  /** The type in the generated schema, e.g. `Pod`; empty for kinds made at run time, which are not in it. */
  readonly type: string;
  /**
   * Where objects live in the store: `/registry/<storageGroupResource>/…`. Two kinds with the same value are versions of one object;
   * then `toStorage`/`fromStorage` convert and `storageKind` names the one that is stored.
   */
  readonly storageResource: string;
  readonly storageKind?: Kind;
  /** Kept in memory and written to disk at most every few minutes (Events, Leases). */
  readonly lazy: boolean;
  /** Every request for the kind is answered with this warning. */
  readonly deprecation?: string;
  /** `PUT` of a missing object creates it. */
  readonly allowCreateOnUpdate: boolean;
  /** `PUT` without resourceVersion is allowed. */
  readonly allowUnconditionalUpdate: boolean;
  /**
   * Fields that the server sets back after a write through a sub-resource (`''`: the main resource), as paths with dots: nobody comes to own
   * them that way. Upstream: GetResetFields of the strategies.
   */
  readonly resetFields: Readonly<Record<string, readonly string[]>>;
  /** What `DELETE` does to dependents when the client does not say. */
  readonly defaultPropagation: 'Background' | 'Orphan';
  /** Told to who deletes without saying what becomes of dependents. */
  readonly orphansWarning?: string;
  /** The answer to a successful DELETE is the object instead of a Status (Pods, Services, …). */
  readonly returnsDeletedObject: boolean;

  applyDefaults(object: T): void;
  /** Before validation of a create: drop what clients may not set (status), set generation. */
  prepareForCreate(object: T, context: WriteContext): void;
  /** Before validation of an update of the main resource: keep status, bump generation when the spec changed. */
  prepareForUpdate(next: T, previous: T, context: WriteContext): void;
  /** Before validation of an update through `/status`: keep everything but status and, for most kinds, metadata. */
  prepareForStatusUpdate(next: T, previous: T, context: WriteContext): void;
  /** What is wrong with the object apart from its metadata, which `validateObjectMeta` judges. Runs on creates and on updates. */
  validate(object: T): FieldError[];
  /** What only new objects must satisfy: rules that came after objects which break them. */
  validateCreate?(object: T): FieldError[];
  /** Immutable fields and forbidden transitions; `validate` runs as well. */
  validateUpdate(next: T, previous: T): FieldError[];
  /** Runs instead of `validate` and `validateUpdate` on an update through `/status`. */
  validateStatusUpdate(next: T, previous: T): FieldError[];
  /** Finalizers need no domain: upstream has no rules for the kind but those of all objects. */
  readonly freeFinalizers?: boolean;
  /** How the name must look; the message parts are upstream's. */
  readonly nameRule: NameRule;
  /** Warnings for the client (`Warning: 299`), e.g. for deprecated fields; `previous` on updates. */
  warnings(object: T, previous?: T): string[];
  /**
   * Graceful deletion: the grace period in seconds with which the object stays, or undefined when it goes at once.
   * `requested` is DeleteOptions.gracePeriodSeconds.
   */
  gracePeriodSeconds?(object: T, requested: number | undefined): number;
  /** Field selectors besides metadata.name and metadata.namespace: label → value as text. */
  readonly selectableFields: Readonly<Record<string, FieldGetter<T>>>;
  /** How a selector of another field is refused, where upstream has words of its own. */
  fieldRefusal?(field: string): string;
  readonly columns: readonly Column<T>[];
  /** What a table says about a row besides its cells: clients may hide completed ones. */
  rowConditions?(object: T): readonly RowCondition[];
  /** The order of a table's rows, where it is not that of the names. */
  compareRows?(a: T, b: T): number;
  toStorage?(object: T): KubeObject;
  fromStorage?(object: KubeObject): T;
}

export type NameRule = 'dns1123Subdomain' | 'dns1123Label' | 'dns1035Label' | 'pathSegment';

/** `pods`, `deployments.apps`: how messages and RBAC name a resource. */
export function groupResource(kind: { group: string; plural: string }): string {
  return kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
}

/** True when the kind has the sub-resource; `''` is the object itself, which every kind has. */
export function hasSubresource({ subresources }: Pick<Kind, 'subresources'>, subresource: string): boolean {
  return subresource === '' || subresources.some(({ name }) => name === subresource);
}

/** `apps/v1/deployments`: unique among the served kinds. */
export function groupVersionResource(kind: { group: string; version: string; plural: string }): string {
  return `${kind.group}/${kind.version}/${kind.plural}`;
}
