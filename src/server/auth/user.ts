/** Who makes a request. */
export interface UserInfo {
  readonly name: string;
  readonly uid?: string;
  readonly groups: readonly string[];
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

/** Who shows no credentials. */
export const anonymous: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'], extra: {} };

/** Allowed everything, by group: the loopback identity of the server itself. */
export const systemMaster: UserInfo = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'], extra: {} };
