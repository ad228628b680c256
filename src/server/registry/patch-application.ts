import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Call } from './call.ts';
import type { KindTable } from './kind-table.ts';

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

/** A patch as it came. */
export interface Patch {
  readonly type: PatchKind;
  readonly bytes: Uint8Array;
  readonly fieldValidation: 'Ignore' | 'Warn' | 'Strict';
  /** Server-side apply takes fields over from other managers. */
  readonly force: boolean;
}

/** A patch and all that it is applied with. */
export interface PatchApplication {
  readonly kinds: KindTable;
  readonly kind: Kind;
  readonly key: { readonly namespace?: string | undefined; readonly name: string };
  /** A mutable copy; undefined when the object does not exist (apply only). */
  readonly current: KubeObject | undefined;
  readonly patch: Patch;
  readonly call: Call;
  readonly nowMs: number;
  readonly subresource: string;
  /** The only fields a write through the sub-resource changes. */
  readonly only?: readonly string[] | undefined;
}
