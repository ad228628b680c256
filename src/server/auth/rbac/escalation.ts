import type { PolicyRule } from '../../../api/generated/types.ts';
import type { UserInfo } from '../user.ts';
import { hasWord, pathMatches } from './rule-matching.ts';

/** The right to everything: what using an aggregationRule demands. */
export const fullAuthority: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
];

/** The smallest rules in `wanted` that no single rule in `held` covers. */
export function missingRights(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return wanted.flatMap(smallestRules).filter((rule) => !held.some((holder) => covers(holder, rule)));
}

/** One rule per combination of verb, group, resource and name, or of verb and URL. */
function smallestRules(rule: PolicyRule): PolicyRule[] {
  const found: PolicyRule[] = [];
  for (const verb of rule.verbs ?? []) {
    for (const url of rule.nonResourceURLs ?? []) found.push({ verbs: [verb], nonResourceURLs: [url] });
    for (const group of rule.apiGroups ?? [])
      for (const resource of rule.resources ?? []) {
        const base = { verbs: [verb], apiGroups: [group], resources: [resource] };
        if (!rule.resourceNames?.length) found.push(base);
        else for (const name of rule.resourceNames) found.push({ ...base, resourceNames: [name] });
      }
  }
  return found;
}

function covers(holder: PolicyRule, wanted: PolicyRule): boolean {
  if (!hasWord(holder.verbs, wanted.verbs[0]!)) return false;
  const [url] = wanted.nonResourceURLs ?? [];
  if (url !== undefined) return (holder.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, url));
  if (!hasWord(holder.apiGroups, wanted.apiGroups![0]!) || !coversResource(holder, wanted.resources![0]!)) return false;
  if (!holder.resourceNames?.length) return true;
  const [name] = wanted.resourceNames ?? [];
  return name !== undefined && holder.resourceNames.includes(name);
}

function coversResource(holder: PolicyRule, resource: string): boolean {
  const [, subresource] = resource.split('/');
  return (holder.resources ?? []).some(
    (p) => p === '*' || p === resource || (subresource !== undefined && p === `*/${subresource}`),
  );
}

/** Upstream's text for a grant the user may not make. `problems` are what kept the user's own rights from being known in full. */
export function escalationMessage(user: UserInfo, missing: readonly PolicyRule[], problems: readonly string[] = []): string {
  const groups = `[${user.groups.map((g) => JSON.stringify(g)).join(' ')}]`;
  const rights = [...new Set(mergedByVerb(missing).map(ruleText))].sort();
  const text = `user ${JSON.stringify(user.name)} (groups=${groups}) is attempting to grant RBAC permissions not currently held:\n${rights.join('\n')}`;
  return problems.length > 0 ? `${text}; resolution errors: [${problems.join(', ')}]` : text;
}

/** Rules about the same resource as one, as upstream prints them: a verb that was asked twice is named twice. Those about URLs stay apart. */
function mergedByVerb(rules: readonly PolicyRule[]): PolicyRule[] {
  const merged = new Map<string, PolicyRule>();
  for (const { verbs, ...what } of rules) {
    const key = JSON.stringify(what.nonResourceURLs ? { verbs, ...what } : what);
    merged.set(key, { ...what, verbs: [...(merged.get(key)?.verbs ?? []), ...verbs] });
  }
  return [...merged.values()];
}

function ruleText(rule: PolicyRule): string {
  const list = (values: readonly string[]): string => `[${values.map((v) => JSON.stringify(v)).join(' ')}]`;
  const parts: string[] = [];
  if (rule.apiGroups?.length) parts.push(`APIGroups:${list(rule.apiGroups)}`);
  if (rule.resources?.length) parts.push(`Resources:${list(rule.resources)}`);
  if (rule.nonResourceURLs?.length) parts.push(`NonResourceURLs:${list(rule.nonResourceURLs)}`);
  if (rule.resourceNames?.length) parts.push(`ResourceNames:${list(rule.resourceNames)}`);
  parts.push(`Verbs:${list(rule.verbs)}`);
  return `{${parts.join(', ')}}`;
}
