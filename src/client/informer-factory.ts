import type { Kind } from '../api/kind.ts';
import { groupResource } from '../api/kind.ts';
import type { KubeObject } from '../api/meta.ts';
import { createInformer, type Informer, type InformerDeps, type InformerScope } from './informer.ts';

/** Informers shared by all users of one client: one list and one watch per kind and selection, however many look at it. */
export class InformerFactory {
  readonly #deps: InformerDeps;
  readonly #informers = new Map<string, Informer<KubeObject>>();
  #stopped = false;

  constructor(deps: InformerDeps) {
    this.#deps = deps;
  }

  /** The informer of a kind and selection; made and started at the first call. */
  get<T extends KubeObject>(kind: Kind<T>, scope: InformerScope = {}): Informer<T> {
    const id = [groupResource(kind), kind.version, scope.namespace, scope.labelSelector, scope.fieldSelector].join('\n');
    const known = this.#informers.get(id);
    if (known) return known as unknown as Informer<T>;
    const informer = createInformer(this.#deps, kind, { scope });
    this.#informers.set(id, informer as unknown as Informer<KubeObject>);
    if (!this.#stopped) informer.start();
    return informer;
  }

  /** Ends all watches. */
  stop(): void {
    this.#stopped = true;
    for (const informer of this.#informers.values()) informer.stop();
  }
}
