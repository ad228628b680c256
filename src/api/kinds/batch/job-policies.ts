import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkNonNegative } from '../../validation/checks.ts';
import { duplicate, invalid, notSupported, required, tooMany } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import { checkIndexes } from './job-indexes.ts';

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore'];
const operators = ['In', 'NotIn'];
const statuses = ['False', 'True', 'Unknown'];
const maxRules = 20;
const maxExitCodes = 255;
const maxConditions = 20;

const values = (list: readonly string[]): string => `valid values: [${list.map((v) => `"${v}"`).join(' ')}]`;

/** What happens to a job when its pods fail in certain ways. */
export function checkFailurePolicy(errors: FieldError[], at: string, spec: t.JobSpec): void {
  const rules = spec.podFailurePolicy?.rules ?? [];
  if (rules.length > maxRules) errors.push(tooMany(`${at}.rules`, rules.length, maxRules));
  const pod = spec.template?.spec;
  const containers = [...(pod?.containers ?? []), ...(pod?.initContainers ?? [])].map((c) => c.name);
  rules.forEach((rule, i) => {
    checkRule(errors, `${at}.rules[${i}]`, rule, { containers, perIndex: spec.backoffLimitPerIndex !== undefined });
  });
}

interface RuleContext {
  readonly containers: readonly string[];
  readonly perIndex: boolean;
}

function checkRule(errors: FieldError[], at: string, rule: t.PodFailurePolicyRule, context: RuleContext): void {
  if (!rule.action) errors.push(required(`${at}.action`, values(actions)));
  else if (!actions.includes(rule.action)) errors.push(notSupported(`${at}.action`, rule.action, actions));
  else if (rule.action === 'FailIndex' && !context.perIndex) {
    errors.push(invalid(`${at}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'));
  }
  const hasConditions = (rule.onPodConditions?.length ?? 0) > 0;
  if (rule.onExitCodes) checkExitCodes(errors, `${at}.onExitCodes`, rule.onExitCodes, context.containers);
  if (hasConditions) checkConditions(errors, `${at}.onPodConditions`, rule.onPodConditions ?? []);
  if (Boolean(rule.onExitCodes) === hasConditions) {
    const detail = hasConditions
      ? 'specifying both OnExitCodes and OnPodConditions is not supported'
      : 'specifying one of OnExitCodes and OnPodConditions is required';
    errors.push({ reason: 'FieldValueInvalid', field: at, message: `Invalid value: ${detail}` });
  }
}

function checkConditions(errors: FieldError[], at: string, list: readonly t.PodFailurePolicyOnPodConditionsPattern[]): void {
  if (list.length > maxConditions) errors.push(tooMany(at, list.length, maxConditions));
  list.forEach(({ type, status }, i) => {
    for (const problem of qualifiedName(type ?? '')) errors.push(invalid(`${at}[${i}].type`, type ?? '', problem));
    if (!status) errors.push(required(`${at}[${i}].status`, values(statuses)));
    else if (!statuses.includes(status)) errors.push(notSupported(`${at}[${i}].status`, status, statuses));
  });
}

function checkExitCodes(
  errors: FieldError[],
  at: string,
  rule: t.PodFailurePolicyOnExitCodesRequirement,
  containers: readonly string[],
): void {
  const { operator, containerName, values: codes = [] } = rule;
  if (!operator) errors.push(required(`${at}.operator`, values(operators)));
  else if (!operators.includes(operator)) errors.push(notSupported(`${at}.operator`, operator, operators));
  if (containerName !== undefined && !containers.includes(containerName)) {
    const detail = 'must be one of the container or initContainer names in the pod template';
    errors.push(invalid(`${at}.containerName`, containerName, detail));
  }
  if (codes.length === 0) errors.push(invalid(`${at}.values`, codes, 'at least one value is required'));
  if (codes.length > maxExitCodes) errors.push(tooMany(`${at}.values`, codes.length, maxExitCodes));
  codes.forEach((code, i) => {
    if (operator === 'In' && code === 0) {
      errors.push(invalid(`${at}.values[${i}]`, code, 'must not be 0 for the In operator'));
    }
    if (codes.indexOf(code) < i) errors.push(duplicate(`${at}.values[${i}]`, code));
  });
  if (codes.some((code, i) => i > 0 && (codes[i - 1] ?? 0) > code)) {
    errors.push(invalid(`${at}.values`, codes, 'must be ordered'));
  }
}

/** When an indexed job counts as done although not all its indexes are. */
export function checkSuccessPolicy(errors: FieldError[], at: string, spec: t.JobSpec): void {
  const rules = spec.successPolicy?.rules ?? [];
  if (rules.length === 0) {
    errors.push(required(`${at}.rules`, 'at least one rules must be specified when the successPolicy is specified'));
  }
  if (rules.length > maxRules) errors.push(tooMany(`${at}.rules`, rules.length, maxRules));
  rules.forEach((rule, i) => {
    const field = `${at}.rules[${i}]`;
    const { succeededCount: count, succeededIndexes: indexes } = rule;
    if (count === undefined && indexes === undefined) {
      errors.push(required(field, 'at least one of succeededCount or succeededIndexes must be specified'));
    }
    const total =
      indexes === undefined
        ? undefined
        : checkIndexes(errors, `${field}.succeededIndexes`, indexes, {
            name: 'succeededIndexes',
            completions: spec.completions ?? 0,
          });
    if (count === undefined) return;
    checkNonNegative(errors, `${field}.succeededCount`, count);
    if (spec.completions !== undefined && count > spec.completions) {
      const detail = `must be less than or equal to ${spec.completions} (the number of specified completions)`;
      errors.push(invalid(`${field}.succeededCount`, count, detail));
    }
    if (total !== undefined && count > total) {
      const detail = `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`;
      errors.push(invalid(`${field}.succeededCount`, count, detail));
    }
  });
}
