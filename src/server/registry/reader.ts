import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';

/** Synchronous reads of the durable state, for authorization and admission. Objects are shared and frozen. */
export interface Reader {
  get<T extends KubeObject>(kind: Kind<T>, key: { namespace?: string; name: string }): T | undefined;
  /** In key order. Without a namespace: all. */
  list<T extends KubeObject>(kind: Kind<T>, namespace?: string): readonly T[];
  /** Called after every change of a kind's objects; `next` undefined = deleted. For caches derived from objects (RBAC rules, allocators). */
  onChange<T extends KubeObject>(kind: Kind<T>, listener: (next: T | undefined, previous: T | undefined) => void): () => void;
}
