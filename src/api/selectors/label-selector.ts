import { lookup } from '../../lib/lookup.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../generated/types.ts';
import { badRequest } from '../status-error.ts';
import { labelValue, qualifiedName } from '../validation/names.ts';
import { LabelSelectorParser } from './label-selector-parser.ts';

export type Labels = Readonly<Record<string, string>>;

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One requirement of a selector. `values` are sorted and without repetitions. */
export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** The longest selector text that is looked at; a URL hardly carries more. */
const maxTextLength = 64 * 1024;

/** A set of requirements that must all hold. No requirements select everything. */
class LabelMatcher {
  readonly requirements: readonly LabelRequirement[];

  constructor(requirements: readonly LabelRequirement[]) {
    this.requirements = requirements;
  }

  get matchesEverything(): boolean {
    return this.requirements.length === 0;
  }

  matches(labels: Labels | undefined): boolean {
    for (const requirement of this.requirements) if (!holds(requirement, labels)) return false;
    return true;
  }
}

/**
 * Reads the text of a `labelSelector` parameter: `a=b,c!=d,e in (f,g),h notin (i),j,!k,l>1`. Throws StatusError 400 with upstream's text.
 * Upstream: apimachinery pkg/labels/selector.go.
 */
export function parseLabelSelector(text: string): LabelMatcher {
  if (text.length > maxTextLength) throw badRequest(`the label selector is longer than ${maxTextLength} characters`);
  const requirements = new LabelSelectorParser(text).parse();
  // Upstream's parser checks keys before it has a path to name them by.
  for (const requirement of requirements)
    checkRequirement(requirement, { prefix: 'unable to parse requirement: ', keyField: '<nil>' });
  return new LabelMatcher(requirements);
}

/**
 * True when the labels satisfy a selector in an object's spec. An empty selector matches everything, an absent one nothing. Upstream:
 * apimachinery pkg/apis/meta/v1/helpers.go LabelSelectorAsSelector.
 */
export function matchesLabelSelector(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  if (!selector) return false;
  return (
    matchesLabels(selector.matchLabels, labels) && (selector.matchExpressions ?? []).every((r) => matchesRequirement(r, labels))
  );
}

/** True when the labels hold all of `wanted`; absent or empty `wanted` is satisfied by everything. */
export function matchesLabels(wanted: Labels | undefined, labels: Labels | undefined): boolean {
  for (const key in wanted) if (labelOf(labels, key) !== wanted[key]) return false;
  return true;
}

/** One requirement: In, NotIn (absent labels satisfy it), Exists, DoesNotExist. An unknown operator is never satisfied. */
export function matchesRequirement(
  { key, operator, values = [] }: LabelSelectorRequirement,
  labels: Labels | undefined,
): boolean {
  const known = objectOperators[operator];
  return known !== undefined && holds({ key, operator: known, values }, labels);
}

const objectOperators: Readonly<Record<string, LabelOperator>> = lookup({
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
});

function holds({ key, operator, values }: LabelRequirement, labels: Labels | undefined): boolean {
  const value = labelOf(labels, key);
  switch (operator) {
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'gt':
      return isInteger(value) && BigInt(value) > BigInt(values[0]!);
    case 'lt':
      return isInteger(value) && BigInt(value) < BigInt(values[0]!);
    default:
      return value !== undefined && values.includes(value);
  }
}

/** Never a member of the prototype: `constructor` is a legal key. */
function labelOf(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

function isInteger(text: string | undefined): text is string {
  return text !== undefined && /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}

function checkRequirement(
  { key, operator, values }: LabelRequirement,
  { prefix, keyField }: { prefix: string; keyField: string },
): void {
  const problems = [
    ...invalid(keyField, key, qualifiedName(key)),
    ...countProblems(operator, values),
    ...values.flatMap((value, i) => invalid(`values[${i}][${key}]`, value, labelValue(value))),
  ];
  if (problems.length === 0) return;
  const text = problems.length === 1 ? problems[0]! : `[${problems.join(', ')}]`;
  throw badRequest(`${prefix}${text}`);
}

function countProblems(operator: LabelOperator, values: readonly string[]): string[] {
  const shown = `[${values.map((value) => JSON.stringify(value)).join(',')}]`;
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    return [`values: Invalid value: ${shown}: for 'in', 'notin' operators, values set can't be empty`];
  }
  if ((operator === 'exists' || operator === '!') && values.length > 0) {
    return [`values: Invalid value: ${shown}: values set must be empty for exists and does not exist`];
  }
  if ((operator === 'gt' || operator === 'lt') && !isInteger(values[0])) {
    return [`values[0]: Invalid value: ${JSON.stringify(values[0])}: for 'Gt', 'Lt' operators, the value must be an integer`];
  }
  return [];
}

function invalid(field: string, value: string, problems: readonly string[]): string[] {
  return problems.length === 0 ? [] : [`${field}: Invalid value: ${JSON.stringify(value)}: ${problems.join('; ')}`];
}
