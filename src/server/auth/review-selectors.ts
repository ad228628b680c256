import type { FieldSelectorAttributes, LabelSelectorAttributes, ResourceAttributes } from '../../api/generated/types.ts';
import { type FieldTerm, parseFieldSelector } from '../../api/selectors/field-selector.ts';
import { parseLabelSelector } from '../../api/selectors/label-selector.ts';

/** The selectors an access review asks about. */
export interface AskedSelectors {
  /** Undefined when none of it can be used. */
  readonly fields: readonly FieldTerm[] | undefined;
  /** For `evaluationError`: parts that are not understood limit nothing, which only makes the question broader. */
  readonly problems: readonly string[];
}

/** Reads them as upstream's pkg/registry/authorization/util does: what cannot be understood is left out and reported. */
export function askedSelectors(asked: ResourceAttributes): AskedSelectors {
  const fields = fieldTerms(asked.fieldSelector);
  const problems: string[] = [];
  const report = (selector: string, read: { usable: boolean; complete: boolean }): void => {
    if (read.complete) return;
    problems.push(`spec.resourceAttributes.${selector} ${read.usable ? 'partially ignored' : 'ignored'} due to parse error`);
  };
  report('fieldSelector', { usable: fields.terms.length > 0, complete: fields.complete });
  report('labelSelector', labelTerms(asked.labelSelector));
  return { fields: fields.terms.length > 0 ? fields.terms : undefined, problems };
}

function fieldTerms(selector: FieldSelectorAttributes | undefined): { terms: FieldTerm[]; complete: boolean } {
  const { rawSelector, requirements = [] } = selector ?? {};
  if (rawSelector) {
    const terms = orUndefined(() => parseFieldSelector(rawSelector));
    return { terms: terms ?? [], complete: terms !== undefined };
  }
  const terms: FieldTerm[] = [];
  for (const { key, operator, values = [] } of requirements) {
    const known = operator === 'In' || operator === 'NotIn';
    if (known && values.length === 1) terms.push({ field: key, operator: operator === 'In' ? '=' : '!=', value: values[0]! });
  }
  return { terms, complete: terms.length === requirements.length };
}

const labelOperators: ReadonlySet<string> = new Set(['In', 'NotIn', 'Exists', 'DoesNotExist']);

/** No authorizer here looks at labels; whether they can be read is still said. */
function labelTerms(selector: LabelSelectorAttributes | undefined): { usable: boolean; complete: boolean } {
  const { rawSelector, requirements = [] } = selector ?? {};
  if (rawSelector) {
    const readable = orUndefined(() => parseLabelSelector(rawSelector)) !== undefined;
    return { usable: readable, complete: readable };
  }
  const known = requirements.filter(({ operator }) => labelOperators.has(operator));
  return { usable: known.length > 0, complete: known.length === requirements.length };
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
