import { isJsonObject } from '../patch/json-value.ts';
import { compareElements, isElement } from './path-element.ts';

/**
 * A set of paths in an object, as a tree. The steps are path elements in the text form of FieldsV1: `f:name` a field, `k:{"name":"x"}` the
 * item of a list map, `v:"x"` the item of a set. Immutable; without empty branches.
 */
export interface FieldSet {
  /** The path that leads here is in the set itself, not only paths below it. */
  readonly member: boolean;
  readonly children: ReadonlyMap<string, FieldSet>;
}

const noChildren: ReadonlyMap<string, FieldSet> = new Map();

/** Nothing. */
export const noFields: FieldSet = { member: false, children: noChildren };
/** Just the path itself. */
export const ownField: FieldSet = { member: true, children: noChildren };

export function isEmpty(set: FieldSet): boolean {
  return !set.member && set.children.size === 0;
}

/** A set from what its branches are; empty ones are left out. */
export function fieldSet(member: boolean, branches: Iterable<readonly [string, FieldSet]>): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const [element, branch] of branches) if (!isEmpty(branch)) children.set(element, branch);
  if (children.size > 0) return { member, children };
  return member ? ownField : noFields;
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  const children = new Map(a.children);
  for (const [element, branch] of b.children) {
    const mine = children.get(element);
    children.set(element, mine ? union(mine, branch) : branch);
  }
  return fieldSet(a.member || b.member, children);
}

/** The paths of `a` that are not in `b`; paths below a path of `b` stay. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return fieldSet(
    a.member && !b.member,
    mapBranches(a, (element, branch) => {
      const other = b.children.get(element);
      return other ? difference(branch, other) : branch;
    }),
  );
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return noFields;
  return fieldSet(
    a.member && b.member,
    mapBranches(a, (element, branch) => intersection(branch, b.children.get(element) ?? noFields)),
  );
}

/** The paths of `a` that are neither in `b` nor below a path of `b`. */
export function withoutBranches(a: FieldSet, b: FieldSet): FieldSet {
  if (b.member) return noFields;
  if (isEmpty(a) || isEmpty(b)) return a;
  return fieldSet(
    a.member,
    mapBranches(a, (element, branch) => withoutBranches(branch, b.children.get(element) ?? noFields)),
  );
}

/** A set of one path. */
export function pathSet(elements: readonly string[]): FieldSet {
  return elements.reduceRight<FieldSet>((below, element) => ({ member: false, children: new Map([[element, below]]) }), ownField);
}

/** Every path of the set, shorter ones before those below them. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const branches = [...set.children].sort(byElement);
  const here = branches.filter(([, branch]) => branch.member).map(([element]) => [...prefix, element]);
  return [...here, ...branches.flatMap(([element, branch]) => pathsOf(branch, [...prefix, element]))];
}

/** The `fieldsV1` of a managedFields entry. */
export function toFieldsV1(set: FieldSet): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const [element, branch] of [...set.children].sort(byElement)) {
    const below = toFieldsV1(branch);
    fields[element] = branch.member && branch.children.size > 0 ? { '.': {}, ...below } : below;
  }
  return fields;
}

/** Reads `fieldsV1`; elements nobody understands are dropped. */
export function fromFieldsV1(fields: unknown): FieldSet {
  return { member: false, children: branchesOf(fields) };
}

function branchesOf(fields: unknown): ReadonlyMap<string, FieldSet> {
  const children = new Map<string, FieldSet>();
  if (!isJsonObject(fields)) return children;
  for (const [element, below] of Object.entries(fields)) {
    if (!isElement(element)) continue;
    const grandchildren = branchesOf(below);
    const member = grandchildren.size === 0 || (isJsonObject(below) && Object.hasOwn(below, '.'));
    children.set(element, { member, children: grandchildren });
  }
  return children;
}

function* mapBranches(set: FieldSet, change: (element: string, branch: FieldSet) => FieldSet): Iterable<[string, FieldSet]> {
  for (const [element, branch] of set.children) yield [element, change(element, branch)];
}

function byElement([a]: readonly [string, FieldSet], [b]: readonly [string, FieldSet]): number {
  return compareElements(a, b);
}
