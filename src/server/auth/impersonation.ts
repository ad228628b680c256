import { badRequest } from '../../api/status-error.ts';
import type { Credentials } from './authenticator.ts';
import { extraKey, headerValues } from './authenticators/front-proxy.ts';
import type { Attributes, Authorizer } from './authorizer.ts';
import { forbiddenRequest } from './forbidden.ts';
import { anonymous, type UserInfo } from './user.ts';
import { authenticatedGroup, parseServiceAccountUserName, serviceAccountGroups, unauthenticatedGroup } from './user-names.ts';

const extraPrefix = 'impersonate-extra-';
const authentication = 'authentication.k8s.io';

/**
 * The user a request acts as. Without Impersonate-* headers the user itself. Each name, group, extra and uid asked for needs the verb
 * `impersonate`; throws 403 where it is missing and 400 for headers without a user. The headers must not reach aggregated servers.
 */
export function impersonate(credentials: Credentials, user: UserInfo, authorizer: Authorizer): UserInfo {
  if (!hasImpersonation(credentials)) return user;
  const name = headerValues(credentials, 'impersonate-user')[0] ?? '';
  const groups = headerValues(credentials, 'impersonate-group');
  const uid = headerValues(credentials, 'impersonate-uid')[0];
  const extra: Record<string, string[]> = {};
  for (const header of Object.keys(credentials.headers))
    if (header.startsWith(extraPrefix)) extra[extraKey(header, extraPrefix)] = headerValues(credentials, header);
  if (!name) {
    if (groups.length > 0 || uid || Object.keys(extra).length > 0) throw badRequest(withoutUser({ uid, groups, extra }));
    return user;
  }
  const need = (what: Pick<Attributes, 'resource' | 'name'> & Partial<Attributes>): void => {
    const attributes: Attributes = { user, verb: 'impersonate', path: '', group: '', version: 'v1', ...what };
    const { verdict, reason } = authorizer.authorize(attributes);
    if (verdict !== 'allow') throw forbiddenRequest(attributes, reason);
  };
  const account = parseServiceAccountUserName(name);
  if (account) need({ resource: 'serviceaccounts', ...account });
  else need({ resource: 'users', name });
  for (const group of groups) need({ resource: 'groups', name: group });
  for (const [key, values] of Object.entries(extra))
    for (const value of values) need({ group: authentication, resource: 'userextras', subresource: key, name: value });
  if (uid) need({ group: authentication, resource: 'uids', name: uid });
  const own = account && groups.length === 0 ? serviceAccountGroups(account.namespace) : groups;
  return { name, groups: completeGroups(name, own), extra, ...(uid ? { uid } : {}) };
}

/** Nearly no request has such headers. */
function hasImpersonation({ headers }: Credentials): boolean {
  for (const header in headers) if (header.startsWith('impersonate-')) return true;
  return false;
}

function completeGroups(name: string, groups: readonly string[]): string[] {
  const known = groups.includes(unauthenticatedGroup) || (name !== anonymous.name && groups.includes(authenticatedGroup));
  return known ? [...groups] : [...groups, name === anonymous.name ? unauthenticatedGroup : authenticatedGroup];
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
