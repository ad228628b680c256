import type { FieldError } from '../../field-error.ts';
import { duplicate, required } from '../../validation/errors.ts';

/** Conditions of flow control: each type once. kubernetes: pkg/apis/flowcontrol/validation/validation.go (ValidateFlowSchemaStatus). */
export function repeatedConditions(conditions: readonly { readonly type?: string }[] | undefined): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  conditions?.forEach(({ type = '' }, i) => {
    const field = `status.conditions[${i}].type`;
    if (seen.has(type)) errors.push(duplicate(field, type));
    if (!type) errors.push(required(field));
    seen.add(type);
  });
  return errors;
}
