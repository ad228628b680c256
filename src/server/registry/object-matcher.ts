import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import {
  checkFieldTerms,
  matchesFieldTerms,
  parseFieldSelector,
  requiredFieldValue,
} from '../../api/selectors/field-selector.ts';
import { parseLabelSelector } from '../../api/selectors/label-selector.ts';
import type { ObjectEntry } from './object-index.ts';

export interface Selectors {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

/** Which entries a list or watch wants. */
export interface ObjectMatcher {
  /** Undefined: all of them. */
  readonly matches: ((entry: ObjectEntry) => boolean) | undefined;
  /** The only name that can match, from `metadata.name=…`. */
  readonly name: string | undefined;
}

type Decode = (kind: Kind, entry: ObjectEntry) => KubeObject;

/** Compiles the selectors of a request; throws StatusError 400 for selectors that are wrong or that the kind does not support. */
export function compileMatcher(kind: Kind, selectors: Selectors, decode: Decode): ObjectMatcher {
  const labels = selectors.labelSelector ? parseLabelSelector(selectors.labelSelector) : undefined;
  const terms = selectors.fieldSelector ? parseFieldSelector(selectors.fieldSelector) : [];
  checkFieldTerms(terms, kind);
  const readers = new Map(terms.map(({ field }) => [field, fieldReader(kind, field, decode)]));
  const name = requiredFieldValue(terms, 'metadata.name');
  if ((!labels || labels.matchesEverything) && terms.length === 0) return { matches: undefined, name };
  return {
    name,
    matches: (entry) =>
      (!labels || labels.matches(entry.index.labels)) && matchesFieldTerms(terms, (field) => readers.get(field)!(entry)),
  };
}

function fieldReader(kind: Kind, field: string, decode: Decode): (entry: ObjectEntry) => string {
  if (field === 'metadata.name') return (entry) => entry.index.name;
  if (field === 'metadata.namespace') return (entry) => entry.index.namespace ?? '';
  const getter = kind.selectableFields[field]!;
  const position = Object.keys(kind.selectableFields).indexOf(field);
  // The index has the values of the stored version's fields; those of other versions are read from the object.
  return (entry) => (entry.index.kind === kind ? entry.index.fields[position]! : getter(decode(kind, entry)));
}
