import { isJsonObject } from '../patch/json-value.ts';
import { isElement, sortedElements } from './path-element.ts';

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
  return made(member, children);
}

/** A set of branches none of which is empty. */
function made(member: boolean, children: ReadonlyMap<string, FieldSet>): FieldSet {
  if (children.size > 0) return { member, children };
  return member ? ownField : noFields;
}

/** A set of branches none of which is empty, and which are nobody else's; of nothing when there are none. */
export function setOf(children: ReadonlyMap<string, FieldSet> | undefined): FieldSet {
  return children ? made(false, children) : noFields;
}

/** `a` itself when `b` adds nothing. */
export function union(a: FieldSet, b: FieldSet): FieldSet {
  if (a === b || isEmpty(b)) return a;
  if (isEmpty(a)) return b;
  let children: Map<string, FieldSet> | undefined;
  for (const [element, branch] of b.children) {
    const mine = a.children.get(element);
    const both = mine ? union(mine, branch) : branch;
    if (both !== mine) (children ??= new Map(a.children)).set(element, both);
  }
  return changed(a, a.member || b.member, children);
}

/** The paths of `a` that are not in `b`; paths below a path of `b` stay. `a` itself when they share none. */
export function difference(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return a;
  return changed(a, a.member && !b.member, withoutShared(a, b, difference));
}

export function equalFields(a: FieldSet, b: FieldSet): boolean {
  return isEmpty(difference(a, b)) && isEmpty(difference(b, a));
}

export function intersection(a: FieldSet, b: FieldSet): FieldSet {
  if (isEmpty(a) || isEmpty(b)) return noFields;
  const children = new Map<string, FieldSet>();
  for (const [element, branch] of a.children) {
    const other = b.children.get(element);
    const shared = other ? intersection(branch, other) : noFields;
    if (!isEmpty(shared)) children.set(element, shared);
  }
  return made(a.member && b.member, children);
}

/** The paths of `a` that are neither in `b` nor below a path of `b`. */
export function withoutBranches(a: FieldSet, b: FieldSet): FieldSet {
  if (b.member) return noFields;
  if (isEmpty(a) || isEmpty(b)) return a;
  return changed(a, a.member, withoutShared(a, b, withoutBranches));
}

/** The branches of `a`, those that `b` has as well replaced by what `subtract` leaves of them; undefined when it leaves them all as they are. */
function withoutShared(
  a: FieldSet,
  b: FieldSet,
  subtract: (branch: FieldSet, other: FieldSet) => FieldSet,
): Map<string, FieldSet> | undefined {
  let children: Map<string, FieldSet> | undefined;
  for (const [element, other] of b.children) {
    const branch = a.children.get(element);
    const left = branch && subtract(branch, other);
    if (!left || left === branch) continue;
    children ??= new Map(a.children);
    if (isEmpty(left)) children.delete(element);
    else children.set(element, left);
  }
  return children;
}

/** The set with other branches, if any; the set itself when nothing changes. */
function changed(set: FieldSet, member: boolean, children: ReadonlyMap<string, FieldSet> | undefined): FieldSet {
  return children || member !== set.member ? made(member, children ?? set.children) : set;
}

/** A set of one path. */
export function pathSet(elements: readonly string[]): FieldSet {
  return elements.reduceRight<FieldSet>((below, element) => ({ member: false, children: new Map([[element, below]]) }), ownField);
}

/** Every path of the set, shorter ones before those below them. */
export function pathsOf(set: FieldSet, prefix: readonly string[] = []): string[][] {
  const elements = sortedElements([...set.children.keys()]);
  const here = elements.filter((element) => set.children.get(element)!.member).map((element) => [...prefix, element]);
  return [...here, ...elements.flatMap((element) => pathsOf(set.children.get(element)!, [...prefix, element]))];
}

/** Most of a large set: one for all, frozen as what is shared has to be. */
const leaf: Record<string, unknown> = Object.freeze({});

/** The `fieldsV1` of a managedFields entry. Its leaves are shared and frozen. */
export function toFieldsV1(set: FieldSet): Record<string, unknown> {
  return writeBranches(set, {});
}

function writeBranches({ children }: FieldSet, fields: Record<string, unknown>): Record<string, unknown> {
  for (const element of sortedElements([...children.keys()])) {
    const branch = children.get(element)!;
    fields[element] = branch.children.size === 0 ? leaf : writeBranches(branch, branch.member ? { '.': leaf } : {});
  }
  return fields;
}

/** Reads `fieldsV1`; elements nobody understands are dropped. */
export function fromFieldsV1(fields: unknown): FieldSet {
  return { member: false, children: branchesOf(fields) };
}

function branchesOf(fields: unknown): ReadonlyMap<string, FieldSet> {
  if (!isJsonObject(fields)) return noChildren;
  let children: Map<string, FieldSet> | undefined;
  for (const element in fields) {
    if (element === '.' || !isElement(element)) continue;
    const below = fields[element];
    const grandchildren = branchesOf(below);
    const member = grandchildren.size === 0 || (isJsonObject(below) && Object.hasOwn(below, '.'));
    children ??= new Map();
    children.set(element, made(member, grandchildren));
  }
  return children ?? noChildren;
}
