import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Call } from './call.ts';

/** What an effect did before the write, to be kept or taken back when the write is decided. Exactly one of both is called. */
export interface Reservation {
  keep?(): void;
  release?(): void;
}

/**
 * What writing a kind does besides writing it: allocating addresses, closing a namespace. Runs after admission and before validation;
 * may change the object. The pure part of a kind is in its `Kind`.
 */
export interface Effects<T extends KubeObject = KubeObject> {
  beforeCreate?(object: T, call: Call): Reservation | undefined;
  beforeUpdate?(next: T, previous: T, call: Call): Reservation | undefined;
  /** Called before an object is marked as deleted or removed; may change what will be stored if it stays. */
  beforeDelete?(object: T, nowMs: number): void;
  /** False keeps an object that has no finalizers left (a namespace with finalizers of its own). */
  mayGo?(object: T): boolean;
}

/** Effects by kind; versions of one object share them through the kind in whose form they are stored. */
export class EffectsTable {
  readonly #byStorageResource = new Map<string, Effects>();

  set<T extends KubeObject>(kind: Kind<T>, effects: Effects<T>): this {
    this.#byStorageResource.set(kind.storageResource, effects as Effects);
    return this;
  }

  of(kind: Kind): Effects {
    return this.#byStorageResource.get(kind.storageResource) ?? none;
  }
}

const none: Effects = {};
