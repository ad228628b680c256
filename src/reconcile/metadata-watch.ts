import { defineKind } from '../api/define-kind.ts';
import { groupResource, type Kind } from '../api/kind.ts';
import { CustomResourceDefinition } from '../api/kinds/apiextensions/custom-resource-definition.ts';
import { builtinKinds } from '../api/kinds/index.ts';
import type { KubeObject } from '../api/meta.ts';
import { createInformer, type Informer, type InformerDeps } from '../client/informer.ts';
import type { InformerFactory } from '../client/informer-factory.ts';
import type { Component } from '../lib/component.ts';

/** Told of every object of every kind; of the objects only metadata is known. */
export interface MetadataHandler {
  onChange(kind: Kind, object: KubeObject): void;
  onDelete(kind: Kind, object: KubeObject): void;
  /** The set of kinds has changed. */
  onKinds?(): void;
}

export interface MetadataWatch extends Component {
  /** Kinds whose objects can be listed, watched and deleted, custom ones too. */
  readonly kinds: readonly Kind[];
  /** Late handlers are told of what is there, before this returns. Returns the function that removes the handler. */
  addHandler(handler: MetadataHandler): () => void;
  /** The kind of a reference, in whatever version it names. */
  kindOf(ref: { apiVersion: string; kind: string }): Kind | undefined;
  informer(kind: Kind): Informer<KubeObject> | undefined;
}

/** Events have no owners and no finalizers, and there are many: they are left out. */
const leftOut: ReadonlySet<string> = new Set(['events', 'events.events.k8s.io']);

/** Watches the metadata of all kinds there are, and of those that custom resource definitions bring later. */
export function createMetadataWatch(deps: InformerDeps & { informers: InformerFactory }): MetadataWatch {
  return new AllKinds(deps);
}

class AllKinds implements MetadataWatch {
  readonly name = 'metadata-watch';
  readonly #deps: InformerDeps & { informers: InformerFactory };
  readonly #watched = new Map<string, { readonly kind: Kind; readonly informer: Informer<KubeObject> }>();
  readonly #handlers = new Set<MetadataHandler>();
  #stopListening: (() => void) | undefined;

  constructor(deps: InformerDeps & { informers: InformerFactory }) {
    this.#deps = deps;
  }

  get kinds(): readonly Kind[] {
    return [...this.#watched.values()].map(({ kind }) => kind);
  }

  async start(): Promise<void> {
    for (const kind of collectableKinds()) this.#watch(kind);
    const definitions = this.#deps.informers.get(CustomResourceDefinition);
    await definitions.synced;
    this.#stopListening = definitions.addHandler({
      onAdd: (definition) => this.#define(definition),
      onUpdate: (definition) => this.#define(definition),
      onDelete: ({ spec }) => this.#unwatch(groupResource({ group: spec.group, plural: spec.names.plural })),
    });
    await Promise.all([...this.#watched.values()].map(({ informer }) => informer.synced));
  }

  async stop(): Promise<void> {
    this.#stopListening?.();
    for (const { informer } of this.#watched.values()) informer.stop();
    this.#watched.clear();
  }

  addHandler(handler: MetadataHandler): () => void {
    this.#handlers.add(handler);
    for (const { kind, informer } of this.#watched.values()) for (const object of informer.list()) handler.onChange(kind, object);
    return () => this.#handlers.delete(handler);
  }

  kindOf(ref: { apiVersion: string; kind: string }): Kind | undefined {
    const group = ref.apiVersion.includes('/') ? ref.apiVersion.slice(0, ref.apiVersion.indexOf('/')) : '';
    for (const { kind } of this.#watched.values()) if (kind.kind === ref.kind && kind.group === group) return kind;
    return undefined;
  }

  informer(kind: Kind): Informer<KubeObject> | undefined {
    return this.#watched.get(groupResource(kind))?.informer;
  }

  #define(definition: CustomResourceDefinition): void {
    const kind = kindOfDefinition(definition);
    if (!kind) return;
    const known = this.#watched.get(groupResource(kind));
    if (known?.kind.version === kind.version && known.kind.kind === kind.kind) return;
    this.#unwatch(groupResource(kind));
    this.#watch(kind);
    for (const handler of this.#handlers) handler.onKinds?.();
  }

  #watch(kind: Kind): void {
    const informer = createInformer<KubeObject>(this.#deps, kind, { reduce: metadataOnly });
    this.#watched.set(groupResource(kind), { kind, informer });
    const changed = (object: KubeObject): void => {
      for (const handler of this.#handlers) handler.onChange(kind, object);
    };
    informer.addHandler({
      onAdd: changed,
      onUpdate: changed,
      onDelete: (object) => {
        for (const handler of this.#handlers) handler.onDelete(kind, object);
      },
    });
    informer.start();
  }

  /** The definition is gone, and with it all its objects. */
  #unwatch(id: string): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    watched.informer.stop();
    this.#watched.delete(id);
    for (const object of watched.informer.list()) for (const handler of this.#handlers) handler.onDelete(watched.kind, object);
  }
}

/** Built-in kinds that can be listed, watched and deleted, each once whatever its versions. */
function collectableKinds(): Kind[] {
  const byResource = new Map<string, Kind>();
  for (const kind of builtinKinds) {
    const complete = (['list', 'watch', 'delete'] as const).every((verb) => kind.verbs.includes(verb));
    const id = groupResource(kind);
    if (complete && !leftOut.has(id) && !byResource.has(id)) byResource.set(id, kind);
  }
  return [...byResource.values()];
}

/** The kind of an established definition, in the version it is stored in if that is served. */
function kindOfDefinition({ spec, status, metadata }: CustomResourceDefinition): Kind | undefined {
  const established = status.conditions?.some((c) => c.type === 'Established' && c.status === 'True');
  if (!established || metadata.deletionTimestamp !== undefined) return undefined;
  const version = spec.versions.find((v) => v.storage && v.served) ?? spec.versions.find((v) => v.served);
  if (!version) return undefined;
  const { kind, plural } = spec.names;
  return defineKind<KubeObject>({
    group: spec.group,
    version: version.name,
    kind,
    plural,
    scope: spec.scope === 'Cluster' ? 'Cluster' : 'Namespaced',
  });
}

/** What is kept of an object: a few hundred bytes, whatever its size. */
function metadataOnly({ apiVersion, kind, metadata }: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp, ownerReferences, finalizers, deletionTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      uid,
      resourceVersion,
      creationTimestamp,
      ...(namespace === undefined ? {} : { namespace }),
      ...(ownerReferences ? { ownerReferences } : {}),
      ...(finalizers ? { finalizers } : {}),
      ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    },
  };
}
