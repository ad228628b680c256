import type { Kind } from '../api/kind.ts';
import type { KubeObject } from '../api/meta.ts';
import { badRequest } from '../api/status-error.ts';

/** Freezes a tree of plain objects and arrays. */
export function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freezeDeep(child);
  }
  return value;
}

/** Label selectors of the forms `a`, `!a`, `a=b`, `a!=b`, `a in (b,c)`, and field selectors on metadata and the kind's own fields. */
export function selects(kind: Kind, options: { labelSelector?: string; fieldSelector?: string }, object: KubeObject): boolean {
  const labels = object.metadata.labels ?? {};
  return (
    terms(options.labelSelector).every((term) => labelTerm(term, labels)) &&
    terms(options.fieldSelector).every((term) => fieldTerm(term, kind, object))
  );
}

function terms(selector: string | undefined): string[] {
  return selector ? selector.split(/,(?![^(]*\))/).map((s) => s.trim()) : [];
}

function labelTerm(term: string, labels: Readonly<Record<string, string>>): boolean {
  const [, key = '', negated, list = ''] = /^(\S+)\s+(not)?in\s*\(([^)]*)\)$/.exec(term) ?? [];
  if (key) return list.split(',').some((v) => v.trim() === labels[key]) !== (negated !== undefined);
  if (term.startsWith('!')) return !(term.slice(1) in labels);
  const equality = /^([^!=]+)(!=|==?)(.*)$/.exec(term);
  if (!equality) return term in labels;
  return (labels[equality[1]!] === equality[3]) === (equality[2] !== '!=');
}

function fieldTerm(term: string, kind: Kind, object: KubeObject): boolean {
  const [, field = '', operator, value] = /^([^!=]+)(!=|==?)(.*)$/.exec(term) ?? [];
  const actual = fieldOf(field, kind, object);
  if (actual === undefined) throw badRequest(`field label not supported: ${field}`);
  return (actual === value) === (operator !== '!=');
}

function fieldOf(field: string, kind: Kind, object: KubeObject): string | undefined {
  if (field === 'metadata.name') return object.metadata.name;
  if (field === 'metadata.namespace') return object.metadata.namespace ?? '';
  return kind.selectableFields[field]?.(object);
}

/** RFC 7396. */
export function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = mergePatch(result[key], value);
  }
  return result;
}

/** RFC 6902 without move and copy. */
export function jsonPatch(target: unknown, operations: unknown): unknown {
  const result = structuredClone(target);
  for (const { op, path, value } of operations as { op: string; path: string; value?: unknown }[]) {
    const steps = path
      .split('/')
      .slice(1)
      .map((s) => s.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = steps.pop() ?? '';
    const parent = steps.reduce<unknown>((at, step) => (at as Record<string, unknown>)?.[step], result) as Record<
      string,
      unknown
    >;
    if (parent === undefined) throw badRequest(`the path ${path} does not exist`);
    if (op === 'test' && JSON.stringify(parent[last]) !== JSON.stringify(value)) throw badRequest(`testing path ${path} failed`);
    if (op === 'remove') Array.isArray(parent) ? parent.splice(Number(last), 1) : delete parent[last];
    if (op === 'replace') parent[last] = value;
    if (op === 'add') addAt(parent, last, value);
  }
  return result;
}

function addAt(parent: Record<string, unknown>, key: string, value: unknown): void {
  if (!Array.isArray(parent)) parent[key] = value;
  else if (key === '-') parent.push(value);
  else parent.splice(Number(key), 0, value);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
