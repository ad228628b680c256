import { parseQuantity } from '../../../lib/quantity.ts';
import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { createdColumn, nameColumn } from '../../table/columns.ts';
import { duplicate, forbidden, invalid, required } from '../../validation/errors.ts';
import { qualifiedName } from '../../validation/names.ts';
import {
  checkContainerResourceName,
  checkQuantity,
  checkResourceName,
  keyed,
  mayOvercommit,
  nanos,
} from '../../validation/quantities.ts';
import { canonicalResources } from './resource-list.ts';

const types = ['Pod', 'Container', 'PersistentVolumeClaim'];
const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;
const nanosPerUnit = 1_000_000_000n;

export type LimitRange = t.LimitRange;
export const LimitRange = defineKind<LimitRange>({
  group: '',
  version: 'v1',
  kind: 'LimitRange',
  plural: 'limitranges',
  shortNames: ['limits'],
  scope: 'Namespaced',
  allowCreateOnUpdate: true,
  applyDefaults(range) {
    range.spec ??= { limits: [] };
    for (const item of range.spec.limits ?? []) {
      if (item.type === 'Container') fillIn(item);
      for (const list of lists) canonicalResources(item[list]);
    }
  },
  /** One without a name gets any. */
  prepareForCreate(range, { uid }) {
    range.metadata.name ||= uid();
  },
  validate({ spec }) {
    const errors: FieldError[] = [];
    const seen = new Set<string>();
    spec?.limits?.forEach((item, i) => {
      const at = `spec.limits[${i}]`;
      checkType(errors, `${at}.type`, item.type ?? '');
      if (seen.has(item.type)) errors.push(duplicate(`${at}.type`, item.type));
      seen.add(item.type);
      checkItem(errors, at, item);
    });
    return errors;
  },
  columns: [nameColumn, createdColumn],
});

/** What is not said follows from the bounds: the default limit is the maximum, the default request the limit, else the minimum. */
function fillIn(item: t.LimitRangeItem): void {
  const limit = (item.default ??= {});
  const request = (item.defaultRequest ??= {});
  for (const [resource, max] of Object.entries(item.max ?? {})) limit[resource] ??= max;
  for (const [resource, amount] of Object.entries(limit)) request[resource] ??= amount;
  for (const [resource, min] of Object.entries(item.min ?? {})) request[resource] ??= min;
  for (const list of ['default', 'defaultRequest'] as const) if (Object.keys(item[list] ?? {}).length === 0) delete item[list];
}

function checkType(errors: FieldError[], field: string, type: string): void {
  const problems = qualifiedName(type);
  for (const problem of problems) errors.push(invalid(field, type, problem));
  if (problems.length === 0 && !type.includes('/') && !types.includes(type)) {
    errors.push(invalid(field, type, 'must be a standard limit type or fully qualified'));
  }
}

function checkItem(errors: FieldError[], at: string, item: t.LimitRangeItem): void {
  const resources = new Set<string>();
  for (const list of lists) {
    const amounts = item[list] ?? {};
    if (item.type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (Object.keys(amounts).length > 0) errors.push(forbidden(`${at}.${list}`, "may not be specified when `type` is 'Pod'"));
      continue;
    }
    for (const resource in amounts) {
      const field = keyed(`${at}.${list}`, resource);
      if (item.type === 'Pod' || item.type === 'Container') checkContainerResourceName(errors, field, resource);
      else checkResourceName(errors, field, resource);
      if (!parseQuantity(amounts[resource] ?? '')) checkQuantity(errors, field, amounts[resource]);
      resources.add(resource);
    }
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage']) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${at}.limits`, detail));
  }
  for (const resource of resources) checkOrder(errors, at, item, resource);
}

/** min ≤ default request ≤ default ≤ max. */
function checkOrder(errors: FieldError[], at: string, item: t.LimitRangeItem, resource: string): void {
  const min = item.min?.[resource];
  const max = item.max?.[resource];
  const limit = item.default?.[resource];
  const request = item.defaultRequest?.[resource];
  const ratio = item.maxLimitRequestRatio?.[resource];
  // Upstream shows another value than the field has in two of the messages.
  const check = (low: string | undefined, high: string | undefined, list: string, detail: string, shown?: string): void => {
    if (low === undefined || high === undefined || nanos(low) <= nanos(high)) return;
    const value = shown ?? item[list as 'min']?.[resource];
    errors.push(invalid(keyed(`${at}.${list}`, resource), value, detail));
  };
  check(min, max, 'min', `min value ${min} is greater than max value ${max}`);
  check(min, request, 'defaultRequest', `min value ${min} is greater than default request value ${request}`);
  check(request, max, 'defaultRequest', `default request value ${request} is greater than max value ${max}`);
  check(request, limit, 'defaultRequest', `default request value ${request} is greater than default limit value ${limit}`);
  check(min, limit, 'default', `min value ${min} is greater than default value ${limit}`, min);
  check(limit, max, 'default', `default value ${limit} is greater than max value ${max}`, max);
  if (ratio !== undefined && nanos(ratio) < nanosPerUnit) {
    errors.push(invalid(keyed(`${at}.maxLimitRequestRatio`, resource), ratio, `ratio ${ratio} is less than 1`));
  }
  if (ratio !== undefined && min !== undefined && max !== undefined && nanos(min) !== 0n) {
    const most = Number(nanos(max)) / Number(nanos(min));
    if (Number(nanos(ratio)) / Number(nanosPerUnit) > most) {
      const detail = `ratio ${ratio} is greater than max/min = ${most.toFixed(6)}`;
      errors.push(invalid(keyed(`${at}.maxLimitRequestRatio`, resource), ratio, detail));
    }
  }
  if (!mayOvercommit(resource) && limit !== undefined && request !== undefined && nanos(limit) !== nanos(request)) {
    const detail = `default value ${limit} must equal to defaultRequest value ${request} in ${resource}`;
    errors.push(invalid(keyed(`${at}.defaultRequest`, resource), request, detail));
  }
}
