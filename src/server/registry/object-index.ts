import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { CachedEntry } from '../../storage/watch-cache.ts';
import type { KindTable } from './kind-table.ts';
import { decodeStored, registryPrefix, startsWith, storedHead } from './stored-form.ts';

const encoder = new TextEncoder();
const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/** What lists and watches need of an object without decoding it again. */
export interface ObjectIndex {
  /** The kind in whose form it is stored; undefined when no kind is served from there any more. */
  readonly kind: Kind | undefined;
  readonly name: string;
  readonly namespace: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** Values of the stored kind's selectable fields, in the order of their declaration. */
  readonly fields: readonly string[];
  /** Offset of the first field of metadata, or 0 when the bytes do not have the usual form and must be decoded. */
  readonly bodyOffset: number;
  /** Where metadata ends; 0 until somebody asks. */
  metadataEnd: number;
  /** The object that was written, until it is decoded for the first time; has no resourceVersion yet. */
  written: KubeObject | undefined;
  /** The decoded, frozen object as long as somebody uses it. */
  decoded: WeakRef<KubeObject> | undefined;
}

export type ObjectEntry = CachedEntry<ObjectIndex>;

/** Computes index entries. `announce` spares it the parsing of what this process itself is about to write. */
export class ObjectIndexer {
  readonly #kinds: KindTable;
  readonly #announced = new WeakMap<Uint8Array, KubeObject>();
  readonly #heads = new WeakMap<Kind, Uint8Array>();

  constructor(kinds: KindTable) {
    this.#kinds = kinds;
  }

  /** Says which object the bytes about to be written stand for. The object must not be changed after this. */
  announce(value: Uint8Array, object: KubeObject): void {
    this.#announced.set(value, object);
  }

  readonly index = (key: string, value: Uint8Array): ObjectIndex => {
    const kind = this.#kindOf(key);
    const written = this.#announced.get(value);
    // The bytes stay for as long as the object exists; what was written must not stay with them.
    this.#announced.delete(value);
    const object = written ?? decodeStored(value, 0);
    return {
      kind,
      name: object.metadata.name,
      namespace: object.metadata.namespace,
      labels: object.metadata.labels ?? noLabels,
      fields: kind ? Object.values(kind.selectableFields).map((field) => field(object)) : [],
      bodyOffset: kind ? this.#bodyOffset(kind, value) : 0,
      metadataEnd: 0,
      written,
      decoded: undefined,
    };
  };

  #bodyOffset(kind: Kind, value: Uint8Array): number {
    let head = this.#heads.get(kind);
    if (!head) {
      head = encoder.encode(storedHead(kind));
      this.#heads.set(kind, head);
    }
    return startsWith(value, head) ? head.length : 0;
  }

  /** `/registry/pods/…` or `/registry/apps/deployments/…`. */
  #kindOf(key: string): Kind | undefined {
    const first = key.indexOf('/', registryPrefix.length);
    const second = key.indexOf('/', first + 1);
    const grouped = second < 0 ? undefined : this.#kinds.stored(key.slice(registryPrefix.length, second));
    return grouped ?? this.#kinds.stored(key.slice(registryPrefix.length, first));
  }
}
