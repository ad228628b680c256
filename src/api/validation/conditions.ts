import type { FieldError } from '../field-error.ts';
import type * as t from '../generated/types.ts';
import { checkGiven } from './checks.ts';
import { duplicate, invalid, notSupported, required, tooLong } from './errors.ts';
import { qualifiedName } from './names.ts';

const statuses = ['False', 'True', 'Unknown'];
const maxReasonLength = 1024;
const maxMessageLength = 32 * 1024;
const reasonFormat = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?';
const reasonPattern = new RegExp(`^${reasonFormat}$`);
const reasonMessage =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', " +
  "and must end with an alphanumeric character or '_' (e.g. 'my_name',  or 'MY_NAME',  or 'MyName',  or 'ReasonA,ReasonB',  or " +
  `'ReasonA:ReasonB', regex used for validation is '${reasonFormat}')`;

/** Conditions of the form all newer kinds share. kubernetes: apimachinery/pkg/apis/meta/v1/validation/validation.go (ValidateConditions). */
export function checkConditions(errors: FieldError[], field: string, conditions: readonly t.Condition[] | undefined): void {
  const seen = new Set<string>();
  conditions?.forEach((condition, i) => {
    const at = `${field}[${i}]`;
    const { type = '', status = '', reason, message = '', observedGeneration = 0, lastTransitionTime } = condition;
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    checkGiven(errors, `${at}.type`, type, qualifiedName);
    if (!statuses.includes(status)) errors.push(notSupported(`${at}.status`, status, statuses));
    if (observedGeneration < 0) {
      errors.push(invalid(`${at}.observedGeneration`, observedGeneration, 'must be greater than or equal to zero'));
    }
    if (!lastTransitionTime) errors.push(required(`${at}.lastTransitionTime`));
    if (!reason) errors.push(required(`${at}.reason`));
    else if (!reasonPattern.test(reason)) errors.push(invalid(`${at}.reason`, reason, reasonMessage));
    if ((reason?.length ?? 0) > maxReasonLength) errors.push(tooLong(`${at}.reason`, maxReasonLength));
    if (message.length > maxMessageLength) errors.push(tooLong(`${at}.message`, maxMessageLength));
  });
}
