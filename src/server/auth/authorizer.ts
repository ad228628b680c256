import type { FieldTerm } from '../../api/selectors/field-selector.ts';
import type { UserInfo } from './user.ts';

/** What a request wants to do. For resource requests `resource` is set, otherwise only `verb` (lower-case HTTP method) and `path`. */
export interface Attributes {
  readonly user: UserInfo;
  readonly verb: string;
  readonly path: string;
  readonly group?: string;
  readonly version?: string;
  readonly resource?: string;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
  /** Of a list, watch or deletecollection, when it can be understood; nodes may list only with one that names themselves. */
  readonly fieldSelector?: readonly FieldTerm[];
}

export interface Decision {
  readonly verdict: 'allow' | 'deny' | 'noOpinion';
  readonly reason: string;
}

/** Asked in order; the first that has an opinion decides, nobody's opinion is a denial. Synchronous: all it needs is in memory. */
export interface Authorizer {
  authorize(attributes: Attributes): Decision;
}
