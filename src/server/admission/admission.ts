import type { Kind } from '../../api/kind.ts';
import type { AnyObject } from '../../api/meta.ts';
import type { UserInfo } from '../auth/user.ts';

export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT';

/** One write on its way in. Mutating plugins change `object`; nobody changes `oldObject`. */
export interface AdmissionRequest {
  readonly operation: Operation;
  readonly kind: Kind;
  readonly subresource: string;
  readonly namespace: string | undefined;
  readonly name: string;
  /** The object to be written; undefined for DELETE. For sub-resources with a body of their own (binding, eviction, token) that body. */
  readonly object: AnyObject | undefined;
  readonly oldObject: AnyObject | undefined;
  readonly user: UserInfo;
  readonly dryRun: boolean;
  /** Adds a `Warning: 299` header to the answer. */
  warn(message: string): void;
  /** Adds an annotation to the request's audit event, where there is one. */
  auditAnnotation?(key: string, value: string): void;
}

/**
 * One admission plugin. `admit` runs before validation and may change the object; `validate` runs after and may only refuse.
 * Both refuse by throwing a StatusError. Both must be quick to return when the request does not concern them.
 */
export interface AdmissionPlugin {
  readonly name: string;
  admit?(request: AdmissionRequest): Promise<void> | void;
  validate?(request: AdmissionRequest): Promise<void> | void;
}
