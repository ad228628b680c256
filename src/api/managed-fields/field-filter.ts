import { type FieldSet, fieldSet, pathSet, withoutBranches } from './field-set.ts';

/**
 * What a write through one resource can come to own. Paths are field names joined by dots (`metadata.labels`), and stand for all that is
 * below them; `*` stands for any item of a list.
 */
export interface FieldFilter {
  /** Fields a write through it does not change: the server sets them back. */
  readonly except?: readonly string[];
  /** The only fields a write through it changes; all when absent. */
  readonly only?: readonly string[];
}

export function filterFields(fields: FieldSet, { except = [], only }: FieldFilter): FieldSet {
  const rest = except.reduce((left, path) => withoutBranches(left, pathSet(elementsOf(path))), fields);
  return only ? onlyBelow(rest, only.map(elementsOf)) : rest;
}

function elementsOf(path: string): string[] {
  return path.split('.').map((step) => (step === '*' ? step : `f:${step}`));
}

function onlyBelow(fields: FieldSet, paths: readonly (readonly string[])[]): FieldSet {
  if (paths.some((path) => path.length === 0)) return fields;
  const branches = Array.from(fields.children, ([element, branch]): [string, FieldSet] => {
    const below = paths.filter(([first]) => first === element || first === '*').map((path) => path.slice(1));
    return [element, onlyBelow(branch, below)];
  });
  return fieldSet(false, branches);
}
