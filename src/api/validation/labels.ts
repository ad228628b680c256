import type { FieldError } from '../field-error.ts';
import type { LabelSelector, LabelSelectorRequirement } from '../generated/types.ts';
import { forbidden, invalid, required } from './errors.ts';
import { labelValue, qualifiedName } from './names.ts';

type Labels = Readonly<Record<string, string>>;

/** Keys and values of a map of labels (also node selectors). */
export function checkLabels(errors: FieldError[], field: string, labels: Labels | undefined): void {
  for (const key in labels) {
    for (const problem of qualifiedName(key)) errors.push(invalid(field, key, problem));
    const value = labels[key] ?? '';
    for (const problem of labelValue(value)) errors.push(invalid(field, value, problem));
  }
}

/** A label selector, kubernetes: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go. */
export function checkLabelSelector(errors: FieldError[], field: string, selector: LabelSelector | undefined): void {
  if (!selector) return;
  checkLabels(errors, `${field}.matchLabels`, selector.matchLabels);
  selector.matchExpressions?.forEach((expression, i) => {
    checkRequirement(errors, `${field}.matchExpressions[${i}]`, expression);
  });
}

function checkRequirement(errors: FieldError[], field: string, requirement: LabelSelectorRequirement): void {
  const { key, operator, values = [] } = requirement;
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length === 0) {
      errors.push(required(`${field}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === 'Exists' || operator === 'DoesNotExist') {
    if (values.length > 0) {
      errors.push(forbidden(`${field}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else errors.push(invalid(`${field}.operator`, operator, 'not a valid selector operator'));
  for (const problem of qualifiedName(key ?? '')) errors.push(invalid(`${field}.key`, key, problem));
  values.forEach((value, i) => {
    for (const problem of labelValue(value)) errors.push(invalid(`${field}.values[${i}]`, value, problem));
  });
}

/** True for a selector without terms: it selects everything. */
export function isEmptySelector(selector: LabelSelector | undefined): boolean {
  if (!selector) return true;
  const terms = Object.keys(selector.matchLabels ?? {}).length + (selector.matchExpressions?.length ?? 0);
  return terms === 0;
}
