import type { Kind } from '../api/kind.ts';
import { type KubeObject, keyOf } from '../api/meta.ts';
import type { Informer, InformerScope } from '../client/informer.ts';
import { controllerOf } from './owners.ts';

/** How a `mapped` function reads other kinds; each must be watched (or `reads`) by the same controller. */
export type InformerOf = <T extends KubeObject>(kind: Kind<T>) => Informer<T>;

/** A kind a controller looks at, and the keys it must reconcile when an object of it changes. */
export interface Watch<T extends KubeObject = KubeObject> {
  readonly kind: Kind<T>;
  readonly scope?: InformerScope;
  /** Called for the object and, on updates, for what it was before. */
  keys(object: T, informer: InformerOf): Iterable<string>;
  /** Whether an update matters; every one does when absent. */
  changed?(next: T, previous: T): boolean;
  /** New objects do not matter, nor those that are there from the start. */
  readonly ignoresNew?: boolean;
  /** How long the keys wait before they are worked on; not at all when absent. */
  readonly delayMs?: number;
}

export type WatchFilter<T extends KubeObject> = Pick<Watch<T>, 'scope' | 'changed' | 'ignoresNew' | 'delayMs'>;

/** The kind the controller is for: its keys are the objects' own. */
export function primary<T extends KubeObject>(kind: Kind<T>, filter: WatchFilter<T> = {}): Watch<T> {
  return { kind, ...filter, keys: (object) => [keyOf(object)] };
}

/** Objects whose controlling owner is an `owner`: the key is that of the owner. */
export function ownedBy<T extends KubeObject>(kind: Kind<T>, owner: Kind, filter: WatchFilter<T> = {}): Watch<T> {
  const prefix = owner.group ? `${owner.group}/` : '';
  return {
    kind,
    ...filter,
    keys(object) {
      const ref = controllerOf(object);
      if (ref?.kind !== owner.kind || !matchesGroup(ref.apiVersion, prefix)) return [];
      return [owner.scope === 'Namespaced' ? `${object.metadata.namespace}/${ref.name}` : ref.name];
    },
  };
}

/** Objects whose changes concern the keys `map` names. */
export function mapped<T extends KubeObject>(
  kind: Kind<T>,
  map: (object: T, informer: InformerOf) => Iterable<string>,
  filter: WatchFilter<T> = {},
): Watch<T> {
  return { kind, ...filter, keys: map };
}

/** A kind that is only read: its changes wake nobody. */
export function reads<T extends KubeObject>(kind: Kind<T>, scope?: InformerScope): Watch<T> {
  return { kind, ...(scope ? { scope } : {}), keys: () => [] };
}

/** Owners are compared by group: an owner reference may name another version of the kind. */
function matchesGroup(apiVersion: string, prefix: string): boolean {
  return prefix ? apiVersion.startsWith(prefix) : !apiVersion.includes('/');
}
