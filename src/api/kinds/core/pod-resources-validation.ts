import { addQuantities, formatQuantity, parseQuantity, type Quantity, zeroQuantity } from '../../../lib/quantity.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkText } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, notFound, notSupported, required } from '../../validation/errors.ts';
import { dns1123Label } from '../../validation/names.ts';
import { checkRequirements, checkResourceName, keyed, nanos } from '../../validation/quantities.ts';

/** Resources of a pod as a whole, against those of its containers. kubernetes: validatePodResources. */
export function checkPodResources(errors: FieldError[], at: string, spec: t.PodSpec, resources: t.ResourceRequirements): void {
  if (spec.os?.name === 'windows') {
    errors.push(forbidden(at, 'may not be set for a windows pod'));
    return;
  }
  if (resources.claims) errors.push(forbidden(`${at}.claims`, 'claims may not be set for Resources at pod-level'));
  checkRequirements(errors, at, resources, checkPodResourceName);
  if (resources.claims) checkClaimNames(errors, `${at}.claims`, resources.claims, spec);
  for (const resource in resources.requests) {
    const needed = aggregateRequest(spec, resource);
    if (needed.nanos <= nanos(resources.requests[resource])) continue;
    const detail = `must be greater than or equal to aggregate container requests of ${formatQuantity(needed)}`;
    errors.push(invalid(keyed(`${at}.requests`, resource), resources.requests[resource], detail));
  }
  spec.containers?.forEach(({ resources: own }, i) => {
    for (const resource in own?.limits) {
      const limit = resources.limits?.[resource];
      if (limit === undefined || nanos(own.limits[resource]) <= nanos(limit)) continue;
      const field = `${keyed(`${at}.containers[${i}]`, resource)}.limits`;
      errors.push(invalid(field, own.limits[resource], `must be less than or equal to pod limits of ${limit}`));
    }
  });
}

function checkPodResourceName(errors: FieldError[], field: string, resource: string): void {
  if (resource === 'cpu' || resource === 'memory' || !checkResourceName(errors, field, resource)) return;
  if (resource.startsWith('hugepages-')) return;
  errors.push(notSupported(field, resource, ['cpu', 'hugepages-', 'memory']));
}

/** Claims that a container, or a pod as a whole, uses: each must be one of the pod's. */
export function checkClaimNames(
  errors: FieldError[],
  field: string,
  claims: readonly t.ContainerResourceClaim[],
  spec: t.PodSpec,
): void {
  const known = (spec.resourceClaims ?? []).map((c) => c.name).filter(Boolean);
  const seen = new Set<string>();
  claims.forEach((claim, i) => {
    const at = `${field}[${i}]`;
    if (!claim.name) {
      errors.push(required(at));
      return;
    }
    checkText(errors, `${at}.request`, claim.request, dns1123Label);
    const key = claim.request ? `${claim.name}/${claim.request}` : claim.name;
    if (seen.has(key) || seen.has(claim.name)) errors.push(duplicate(at, key));
    seen.add(key);
    if (!known.includes(claim.name)) {
      const names = known.length > 0 ? `: ${[...known].sort().join(', ')}` : ' which is empty';
      const { message } = notFound(at, claim.name);
      const detail = `must be one of the names in pod.spec.resourceClaims${names}`;
      errors.push({ reason: 'FieldValueNotFound', field: at, message: `${message}: ${detail}` });
    }
  });
}

/** What the containers ask for together, or the largest init container on top of the sidecars. */
export function aggregateRequest(spec: t.PodSpec, resource: string): Quantity {
  const amountOf = (container: t.Container): Quantity =>
    parseQuantity(container.resources?.requests?.[resource] ?? '0') ?? zeroQuantity;
  let running = zeroQuantity;
  let peak = zeroQuantity;
  for (const container of spec.initContainers ?? []) {
    const starting = addQuantities(running, amountOf(container));
    if (container.restartPolicy === 'Always') running = starting;
    if (starting.nanos > peak.nanos) peak = starting;
  }
  for (const container of spec.containers ?? []) running = addQuantities(running, amountOf(container));
  return running.nanos > peak.nanos ? running : peak;
}
