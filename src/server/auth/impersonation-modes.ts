import { domainPrefixedPath } from '../../api/validation/domain-prefixed-path.ts';
import { dns1123Subdomain } from '../../api/validation/names.ts';
import type { Attributes, Authorizer, Decision } from './authorizer.ts';
import { forbiddenRequest } from './forbidden.ts';
import { anonymous, type UserInfo } from './user.ts';
import {
  authenticatedGroup,
  mastersGroup,
  nodesGroup,
  parseNodeUserName,
  parseServiceAccountUserName,
  serviceAccountGroups,
  unauthenticatedGroup,
} from './user-names.ts';

/**
 * The ways in which a request may act as somebody else (KEP-5284, apiserver: pkg/endpoints/filters/impersonation/mode.go). In all but the
 * last one the requester needs two rights: `impersonate-on:<mode>:<verb>` on what the request is about, and `impersonate:<mode>` on every
 * name, group, extra and uid. The last is the old `impersonate`, which says nothing about what is done.
 */
interface Mode {
  readonly name: string;
  applies(wanted: UserInfo, requester: UserInfo): boolean;
}

const modes: readonly Mode[] = [
  { name: 'associated-node', applies: (wanted, requester) => isBare(wanted) && runsOn(requester, wanted.name) },
  { name: 'arbitrary-node', applies: (wanted) => isBare(wanted) && nodeOf(wanted.name) !== undefined },
  { name: 'serviceaccount', applies: (wanted) => isBare(wanted) && parseServiceAccountUserName(wanted.name) !== undefined },
  { name: 'user-info', applies: ({ name }) => nodeOf(name) === undefined && !parseServiceAccountUserName(name) },
];

const authentication = 'authentication.k8s.io';
const nodeNameExtra = 'authentication.kubernetes.io/node-name';
/** From so many groups or extra values on, the right to all of them is looked for first. */
const many = 4;

/** The node behind `system:node:<name>`, if that can be the name of one. */
function nodeOf(user: string): string | undefined {
  const name = parseNodeUserName(user);
  return name !== undefined && dns1123Subdomain(name).length === 0 ? name : undefined;
}

const isBare = ({ uid, groups, extra }: UserInfo): boolean => !uid && groups.length === 0 && Object.keys(extra).length === 0;

/** True for a service account whose token is bound to a pod on the node. */
function runsOn(requester: UserInfo, wanted: string): boolean {
  const node = nodeOf(wanted);
  if (node === undefined || !parseServiceAccountUserName(requester.name)) return false;
  const said = requester.extra[nodeNameExtra];
  return said?.length === 1 && said[0] === node;
}

/** Who `wanted` is when the requester may be that in one of the modes; otherwise the refusal of the first mode that could have applied. */
export function impersonateInSomeMode(wanted: UserInfo, request: Attributes, authorizer: Authorizer): UserInfo {
  let refusal: Error | undefined;
  for (const { name, applies } of modes) {
    if (!applies(wanted, request.user)) continue;
    const result = attempt(() => constrained(name, wanted, request, authorizer));
    if (!(result instanceof Error)) return result;
    refusal ??= result;
  }
  const result = attempt(() => acting(wanted, { verb: 'impersonate', group: '', user: request.user, authorizer }));
  if (result instanceof Error) throw refusal ?? result;
  return result;
}

function attempt(act: () => UserInfo): UserInfo | Error {
  try {
    return act();
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}

function constrained(mode: string, wanted: UserInfo, request: Attributes, authorizer: Authorizer): UserInfo {
  const user = mode === 'associated-node' ? withoutExtra(request.user) : request.user;
  need(authorizer, { ...request, user, verb: `impersonate-on:${mode}:${request.verb}` });
  return acting(wanted, { verb: `impersonate:${mode}`, group: authentication, user, authorizer });
}

/** What an authorizer sees of the requester who is on the right node: which extra there is, but not the node. */
const withoutExtra = (user: UserInfo): UserInfo => ({
  ...user,
  extra: { 'authentication.kubernetes.io/associated-node-keys': Object.keys(user.extra).sort() },
});

interface Asking {
  readonly verb: string;
  /** API group of users and groups; the old way has them in the core group. */
  readonly group: string;
  readonly user: UserInfo;
  readonly authorizer: Authorizer;
}

const isOld = ({ group }: Asking): boolean => group === '';

/** Throws StatusError 403 for the first part of `wanted` that the requester may not be. */
function acting(wanted: UserInfo, asking: Asking): UserInfo {
  const fixedGroups = needName(wanted, asking);
  if (wanted.uid) ask(asking, { group: authentication, resource: 'uids', name: wanted.uid });
  needGroups(wanted.groups, asking);
  needExtra(wanted.extra, asking);
  return { ...wanted, groups: completeGroups(wanted.name, wanted.groups.length > 0 ? wanted.groups : fixedGroups) };
}

/** Returns the groups that come with the name. */
function needName({ name }: UserInfo, asking: Asking): readonly string[] {
  const node = isOld(asking) ? undefined : nodeOf(name);
  if (node !== undefined) {
    ask(asking, { resource: 'nodes', name: asking.verb === 'impersonate:associated-node' ? '*' : node });
    return [nodesGroup];
  }
  const account = parseServiceAccountUserName(name);
  if (account) ask(asking, { resource: 'serviceaccounts', ...account });
  else ask(asking, { resource: 'users', name });
  return account ? serviceAccountGroups(account.namespace) : [];
}

function needGroups(groups: readonly string[], asking: Asking): void {
  const resource = 'groups';
  if (!isOld(asking)) {
    if (groups.includes('')) throw refused(asking, { resource }, 'impersonating the empty string group is not allowed');
    if (groups.includes(mastersGroup))
      throw refused(asking, { resource, name: mastersGroup }, 'impersonating the system:masters group is not allowed');
    if (groups.length >= many && may(asking, { resource, name: '*' })) return;
  }
  for (const name of groups) ask(asking, { resource, name });
}

function needExtra(extra: UserInfo['extra'], asking: Asking): void {
  const what = { group: authentication, resource: 'userextras' };
  const values = Object.entries(extra).flatMap(([subresource, names]) => names.map((name) => ({ subresource, name })));
  if (!isOld(asking)) {
    const problem = extraProblem(extra);
    if (problem) throw refused(asking, what, problem);
    if (values.length >= many && may(asking, { ...what, subresource: '*', name: '*' })) return;
  }
  for (const value of values) ask(asking, { ...what, ...value });
}

function extraProblem(extra: UserInfo['extra']): string | undefined {
  for (const [key, values] of Object.entries(extra)) {
    if (key === '') return 'impersonating the empty string key in extra is not allowed';
    const problems = domainPrefixedPath('extra.key', key).map(({ field, message }) => `${field}: ${message}`);
    if (problems.length > 0)
      return `impersonating an invalid key in extra is not allowed: ${problems.length > 1 ? `[${problems.join(', ')}]` : problems[0]}`;
    if (key !== key.toLowerCase()) return `impersonating a non-lowercase key in extra is not allowed: ${JSON.stringify(key)}`;
    if (values.includes('')) return 'impersonating the empty string value in extra is not allowed';
  }
  return undefined;
}

type Part = Pick<Attributes, 'resource'> & Partial<Attributes>;

const attributesOf = ({ user, verb, group }: Asking, part: Part): Attributes => ({
  user,
  verb,
  path: '',
  group,
  version: 'v1',
  ...part,
});

const decide = (asking: Asking, part: Part): Decision => asking.authorizer.authorize(attributesOf(asking, part));
const may = (asking: Asking, part: Part): boolean => decide(asking, part).verdict === 'allow';
const ask = (asking: Asking, part: Part): void => need(asking.authorizer, attributesOf(asking, part));
const refused = (asking: Asking, part: Part, why: string): Error => forbiddenRequest(attributesOf(asking, part), why);

function need(authorizer: Authorizer, attributes: Attributes): void {
  const { verdict, reason } = authorizer.authorize(attributes);
  if (verdict !== 'allow') throw forbiddenRequest(attributes, reason);
}

function completeGroups(name: string, groups: readonly string[]): string[] {
  const known = groups.includes(unauthenticatedGroup) || (name !== anonymous.name && groups.includes(authenticatedGroup));
  return known ? [...groups] : [...groups, name === anonymous.name ? unauthenticatedGroup : authenticatedGroup];
}
