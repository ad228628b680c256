import type { Kind, Verb } from './kind.ts';
import type { KubeObject } from './meta.ts';

const allVerbs: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

type Required_ = 'group' | 'version' | 'kind' | 'plural' | 'scope';
/** What a kind file writes down; everything else has the default most kinds want. */
export type KindDeclaration<T extends KubeObject> = Pick<Kind<T>, Required_> & Partial<Omit<Kind<T>, Required_>>;

/** Completes a declaration. The defaults: all verbs, no sub-resources, no generation, status (if declared) writable through /status only. */
export function defineKind<T extends KubeObject>(declaration: KindDeclaration<T>): Kind<T> {
  const { group, plural, kind } = declaration;
  const hasStatus = declaration.subresources?.some((s) => s.name === 'status') ?? false;
  return {
    singular: kind.toLowerCase(),
    listKind: `${kind}List`,
    shortNames: [],
    categories: [],
    verbs: allVerbs,
    subresources: [],
    type: kind,
    storageResource: group ? `${group}/${plural}` : plural,
    lazy: false,
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    defaultPropagation: 'Background',
    returnsDeletedObject: false,
    nameRule: 'dns1123Subdomain',
    selectableFields: {},
    columns: [],
    applyDefaults() {},
    prepareForCreate(object) {
      if (hasStatus) clearStatus(object);
    },
    prepareForUpdate(next, previous) {
      if (hasStatus) keepStatus(next, previous);
    },
    prepareForStatusUpdate(next, previous) {
      keepAllButStatus(next, previous);
    },
    validate: () => [],
    validateUpdate: () => [],
    validateStatusUpdate: () => [],
    warnings: () => [],
    ...declaration,
    resetFields: { '': hasStatus ? ['status'] : [], status: ['spec'], ...declaration.resetFields },
  };
}

type Loose = KubeObject & { status?: unknown; [field: string]: unknown };

/** Status is the server's: what a create carries is dropped. */
export function clearStatus(object: KubeObject): void {
  (object as Loose).status = {};
}

/** The main resource ignores status in the body. */
export function keepStatus(next: KubeObject, previous: KubeObject): void {
  (next as Loose).status = (previous as Loose).status;
}

/**
 * `/status` changes status and metadata (labels and annotations too, as upstream); everything else stays. What the server owns in the
 * metadata is carried over by the registry.
 */
export function keepAllButStatus(next: KubeObject, previous: KubeObject): void {
  const from = previous as Loose;
  const to = next as Loose;
  for (const field in from) if (!isOpenToStatus(field)) to[field] = from[field];
  for (const field in to) if (!isOpenToStatus(field) && !(field in from)) delete to[field];
}

const isOpenToStatus = (field: string): boolean => field === 'status' || field === 'metadata';

/** For the kinds whose `/status` leaves the metadata alone (custom resources among them): keeps what people write there. */
export function keepMetadata(next: KubeObject, previous: KubeObject): void {
  const { resourceVersion, managedFields } = next.metadata;
  next.metadata = { ...previous.metadata, resourceVersion, ...(managedFields ? { managedFields } : {}) };
}
