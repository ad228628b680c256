import { setOwn } from '../../api/codec/json-objects.ts';
import { badRequest } from '../../api/status-error.ts';
import type { Credentials } from './authenticator.ts';
import { extraKey } from './authenticators/front-proxy.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import { impersonateInSomeMode } from './impersonation-modes.ts';
import type { UserInfo } from './user.ts';

const extraPrefix = 'impersonate-extra-';

/**
 * The user a request acts as. Without Impersonate-* headers the user itself. Throws 403 where a right is missing and 400 for headers
 * without a user. The headers must not reach aggregated servers.
 */
export function impersonate(credentials: Credentials, request: Attributes, authorizer: Authorizer): UserInfo {
  if (!hasImpersonation(credentials)) return request.user;
  const name = values(credentials, 'impersonate-user')[0] ?? '';
  const groups = values(credentials, 'impersonate-group');
  const uid = values(credentials, 'impersonate-uid')[0];
  const extra: Record<string, string[]> = {};
  for (const header of Object.keys(credentials.headers))
    if (header.startsWith(extraPrefix)) setOwn(extra, extraKey(header, extraPrefix), values(credentials, header));
  if (name) return impersonateInSomeMode({ name, groups, extra, ...(uid ? { uid } : {}) }, request, authorizer);
  if (groups.length > 0 || uid || Object.keys(extra).length > 0) throw badRequest(withoutUser({ uid, groups, extra }));
  return request.user;
}

/** All values of a header that may be repeated, empty ones too. */
function values(credentials: Credentials, name: string): string[] {
  const value = credentials.headers[name];
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : [...value];
}

/** Nearly no request has such headers. */
function hasImpersonation({ headers }: Credentials): boolean {
  for (const header in headers) if (header.startsWith('impersonate-')) return true;
  return false;
}

/** Upstream prints the Go value it has made so far. */
function withoutUser(asked: { uid: string | undefined; groups: readonly string[]; extra: Record<string, string[]> }): string {
  const list = (values: readonly string[]): string => `[]string{${values.map((v) => JSON.stringify(v)).join(', ')}}`;
  const groups = asked.groups.length > 0 ? list(asked.groups) : '[]string(nil)';
  const entries = Object.entries(asked.extra).map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`);
  const extra = entries.length > 0 ? `map[string][]string{${entries.join(', ')}}` : 'map[string][]string(nil)';
  const uid = JSON.stringify(asked.uid ?? '');
  return `requested &user.DefaultInfo{Name:"", UID:${uid}, Groups:${groups}, Extra:${extra}} without impersonating a user name`;
}
