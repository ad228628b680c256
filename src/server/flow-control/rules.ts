import type * as t from '../../api/generated/types.ts';
import type { UserInfo } from '../auth/user.ts';
import { serviceAccountUserName } from '../auth/user-names.ts';
import type { RequestInfo } from '../http/request-info.ts';

/** True for requests a flow schema is about. */
export type Matches = (user: UserInfo, info: RequestInfo) => boolean;

const all = '*';

/** The rules of a flow schema in a form that is quick to ask: one that matches is enough (apiserver: pkg/util/flowcontrol/rule.go). */
export function compileRules(rules: readonly t.PolicyRulesWithSubjects[] = []): Matches {
  const compiled = rules.map(({ subjects, resourceRules = [], nonResourceRules = [] }) => ({
    isSubject: compileSubjects(subjects ?? []),
    resources: resourceRules.map(compileResourceRule),
    paths: nonResourceRules.map(compilePathRule),
  }));
  return (user, info) =>
    compiled.some(({ isSubject, resources, paths }) => {
      const about = info.isResource ? resources : paths;
      return about.some((matches) => matches(info)) && isSubject(user);
    });
}

function compileSubjects(subjects: readonly t.FlowcontrolSubject[]): (user: UserInfo) => boolean {
  const users = new Set<string>();
  const groups: string[] = [];
  /** What the names of a namespace's service accounts begin with. */
  const prefixes: string[] = [];
  for (const { kind, user, group, serviceAccount } of subjects) {
    if (kind === 'User' && user) users.add(user.name);
    if (kind === 'Group' && group) groups.push(group.name);
    if (kind !== 'ServiceAccount' || !serviceAccount) continue;
    const { namespace, name } = serviceAccount;
    if (name === all) prefixes.push(serviceAccountUserName(namespace, ''));
    else users.add(serviceAccountUserName(namespace, name));
  }
  if (users.has(all) || groups.includes(all)) return () => true;
  return (user) =>
    groups.some((group) => user.groups.includes(group)) ||
    users.has(user.name) ||
    prefixes.some((prefix) => user.name.startsWith(prefix));
}

function compileResourceRule(rule: t.ResourcePolicyRule): (info: RequestInfo) => boolean {
  const isVerb = oneOf(rule.verbs);
  const isGroup = oneOf(rule.apiGroups);
  const isNamespace = oneOf(rule.namespaces);
  const isResource = oneOf(rule.resources);
  return ({ verb, group, namespace, resource, subresource }) =>
    isVerb(verb) &&
    isGroup(group) &&
    isResource(subresource ? `${resource}/${subresource}` : resource) &&
    (namespace ? isNamespace(namespace) : rule.clusterScope === true);
}

function compilePathRule({ verbs, nonResourceURLs = [] }: t.NonResourcePolicyRule): (info: RequestInfo) => boolean {
  const isVerb = oneOf(verbs);
  const isPath = oneOf(nonResourceURLs);
  const prefixes = nonResourceURLs.map((url) => url.replace(/\*$/, '').replace(/\/?$/, '/'));
  return ({ verb, path }) => isVerb(verb) && (isPath(path) || prefixes.some((prefix) => path.startsWith(prefix)));
}

/** `*` stands for everything only when it stands alone: validation lets nothing stand beside it. */
function oneOf(values: readonly string[] = []): (value: string) => boolean {
  if (values.length === 1 && values[0] === all) return () => true;
  const wanted = new Set(values);
  return (value) => wanted.has(value);
}
