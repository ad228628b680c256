import type { PolicyRule } from '../../../api/generated/types.ts';
import type { Attributes } from '../authorizer.ts';

/** True when the rule grants what the attributes ask for. A star stands for everything, star + /scale for one sub-resource of everything. */
export function ruleAllows(rule: PolicyRule, attributes: Attributes): boolean {
  if (!hasWord(rule.verbs, attributes.verb)) return false;
  if (attributes.resource === undefined)
    return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, attributes.path));
  if (!hasWord(rule.apiGroups, attributes.group ?? '')) return false;
  if (!resourceMatches(rule.resources ?? [], attributes.resource, attributes.subresource ?? '')) return false;
  return !rule.resourceNames?.length || rule.resourceNames.includes(attributes.name ?? '');
}

/** True when the list holds the word or `*`. */
export function hasWord(words: readonly string[] | undefined, word: string): boolean {
  return words?.some((w) => w === '*' || w === word) ?? false;
}

/** Patterns: a resource, a resource/sub-resource, a star (sub-resources too), or a star and a sub-resource. */
function resourceMatches(patterns: readonly string[], resource: string, subresource: string): boolean {
  const full = subresource ? `${resource}/${subresource}` : resource;
  return patterns.some((p) => p === '*' || p === full || (subresource !== '' && p === `*/${subresource}`));
}

/** A path matches itself, `*`, or a pattern that ends in `*` and begins it. */
export function pathMatches(pattern: string, path: string): boolean {
  if (pattern === '*' || pattern === path) return true;
  return pattern.endsWith('*') && path.startsWith(pattern.slice(0, -1));
}
