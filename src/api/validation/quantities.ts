import { lookup } from '../../lib/lookup.ts';
import { parseQuantity } from '../../lib/quantity.ts';
import type { FieldError } from '../field-error.ts';
import { invalid } from './errors.ts';
import { qualifiedName } from './names.ts';

export type Quantities = Readonly<Record<string, string>>;

const quantityMessage = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const nanosPerUnit = 1_000_000_000n;

/** `limits[cpu]`: how upstream writes the key of a map. */
export const keyed = (field: string, key: string): string => `${field}[${key}]`;

/** The amount in billionths; zero for what is not a quantity (validation reports that elsewhere). */
export function nanos(text: string | undefined): bigint {
  return text === undefined ? 0n : (parseQuantity(text)?.nanos ?? 0n);
}

/** Amounts as nearly everybody writes them: whole, not negative, with a suffix or none. */
const plain = /^(\d{1,15})(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/;
const factors: Readonly<Record<string, number>> = lookup({
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
});

/** A plain amount as a number, exact to some 15 digits; undefined for one in other words. */
function plainAmount(text: string): number | undefined {
  const match = plain.exec(text);
  return match ? Number(match[1]) * (match[2] === undefined ? 1 : (factors[match[2]] ?? 1)) : undefined;
}

/** Compares amounts: negative when `a` is less, 0 when they are equal. Exact arithmetic only where numbers are too close to tell. */
function compareQuantities(a: string, b: string): number {
  const [x, y] = [plainAmount(a), plainAmount(b)];
  if (x !== undefined && y !== undefined && Math.abs(x - y) > 1e-9 * Math.max(x, y)) return x - y;
  const [left, right] = [nanos(a), nanos(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

/** A quantity ≥ 0. */
export function checkQuantity(errors: FieldError[], field: string, text: string | undefined): void {
  if (text === undefined || text === null || plain.test(text)) return;
  const amount = parseQuantity(text)?.nanos;
  if (amount === undefined) errors.push(invalid(field, text, quantityMessage));
  else if (amount < 0n) errors.push(invalid(field, text, 'must be greater than or equal to 0'));
}

/** A quantity of a resource: ≥ 0, and whole for what comes in pieces. */
export function checkResourceQuantity(errors: FieldError[], field: string, resource: string, text: string): void {
  checkQuantity(errors, field, text);
  if (isIntegerResource(resource) && nanos(text) % nanosPerUnit !== 0n) errors.push(invalid(field, text, 'must be an integer'));
}

const standardContainerResources = ['cpu', 'memory', 'ephemeral-storage'];
const integerResources = [
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
];
const standardResources = [
  ...standardContainerResources,
  ...['requests.cpu', 'requests.memory', 'requests.ephemeral-storage'],
  ...['limits.cpu', 'limits.memory', 'limits.ephemeral-storage'],
  ...['storage', 'requests.storage'],
  ...integerResources,
];
const quotaOnlyResources = standardResources.filter((r) => r !== 'storage');

const isHugePages = (resource: string): boolean => resource.startsWith('hugepages-');
const isNative = (resource: string): boolean => !resource.includes('/') || resource.includes('kubernetes.io/');

/** A vendor's resource such as `nvidia.com/gpu`. */
export function isExtendedResource(resource: string): boolean {
  if (isNative(resource) || resource.startsWith('requests.')) return false;
  return qualifiedName(`requests.${resource}`).length === 0;
}

/** Whether requests may be lower than limits. */
export const mayOvercommit = (resource: string): boolean => isNative(resource) && !isHugePages(resource);

const isIntegerResource = (resource: string): boolean => integerResources.includes(resource) || isExtendedResource(resource);

/** A resource of nodes, containers or quotas. */
export function checkResourceName(errors: FieldError[], field: string, resource: string): boolean {
  const problems = qualifiedName(resource);
  for (const problem of problems) errors.push(invalid(field, resource, problem));
  if (problems.length > 0) return false;
  if (resource.includes('/') || standardResources.includes(resource) || isHugePages(resource)) return true;
  if (resource.startsWith('requests.hugepages-') || resource.startsWith('attachable-volumes-')) return true;
  errors.push(invalid(field, resource, 'must be a standard resource type or fully qualified'));
  return false;
}

/** A resource that a container can ask for. */
export function checkContainerResourceName(errors: FieldError[], field: string, resource: string): void {
  if (standardContainerResources.includes(resource)) return;
  checkResourceName(errors, field, resource);
  if (!resource.includes('/')) {
    if (!isHugePages(resource)) errors.push(invalid(field, resource, 'must be a standard resource for containers'));
  } else if (!isNative(resource) && !isExtendedResource(resource)) {
    errors.push(invalid(field, resource, "doesn't follow extended resource name standard"));
  }
}

/** A resource that a quota can count: compute, storage, `count/<resource>`, object counts. */
export function checkQuotaResourceName(errors: FieldError[], field: string, resource: string): void {
  checkResourceName(errors, field, resource);
  if (resource.includes('/')) return;
  if (quotaOnlyResources.includes(resource) || isHugePages(resource) || resource.startsWith('requests.hugepages-')) return;
  errors.push(invalid(field, resource, 'must be a standard resource for quota'));
}

export interface Requirements {
  readonly limits?: Quantities;
  readonly requests?: Quantities;
}

/** Requests and limits: known names, amounts ≥ 0, requests within limits. `checkName` judges the names of resources. */
export function checkRequirements(
  errors: FieldError[],
  field: string,
  requirements: Requirements | undefined,
  checkName = checkContainerResourceName,
): void {
  if (!requirements) return;
  const { limits, requests } = requirements;
  for (const resource in limits) {
    const at = keyed(`${field}.limits`, resource);
    checkName(errors, at, resource);
    checkResourceQuantity(errors, at, resource, limits[resource] ?? '');
  }
  for (const resource in requests) {
    const at = keyed(`${field}.requests`, resource);
    checkName(errors, at, resource);
    checkResourceQuantity(errors, at, resource, requests[resource] ?? '');
    checkWithinLimit(errors, field, resource, { request: requests[resource] ?? '', limit: limits?.[resource] });
  }
  checkHugePagesHaveCompany(errors, field, { ...limits, ...requests });
}

function checkWithinLimit(
  errors: FieldError[],
  field: string,
  resource: string,
  { request, limit }: { request: string; limit: string | undefined },
): void {
  const overcommit = mayOvercommit(resource);
  if (limit === undefined) {
    if (overcommit) return;
    errors.push({
      reason: 'FieldValueRequired',
      field: `${field}.limits`,
      message: 'Required value: Limit must be set for non overcommitable resources',
    });
    return;
  }
  if (request === limit) return;
  const order = compareQuantities(request, limit);
  if (order === 0) return;
  if (!overcommit) errors.push(invalid(`${field}.requests`, request, `must be equal to ${resource} limit of ${limit}`));
  else if (order > 0) {
    errors.push(invalid(`${field}.requests`, request, `must be less than or equal to ${resource} limit of ${limit}`));
  }
}

function checkHugePagesHaveCompany(errors: FieldError[], field: string, all: Quantities): void {
  if ('cpu' in all || 'memory' in all || !Object.keys(all).some(isHugePages)) return;
  errors.push({ reason: 'FieldValueForbidden', field, message: 'Forbidden: HugePages require cpu or memory' });
}
