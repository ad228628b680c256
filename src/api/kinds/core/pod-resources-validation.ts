import { addQuantities, formatQuantity, parseQuantity, type Quantity, zeroQuantity } from '../../../lib/quantity.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { forbidden, invalid, notSupported } from '../../validation/errors.ts';
import { checkRequirements, keyed, nanos } from '../../validation/quantities.ts';

/** Resources of a pod as a whole, against those of its containers. kubernetes: validatePodResources. */
export function checkPodResources(errors: FieldError[], at: string, spec: t.PodSpec, resources: t.ResourceRequirements): void {
  if (spec.os?.name === 'windows') {
    errors.push(forbidden(at, 'may not be set for a windows pod'));
    return;
  }
  if (resources.claims) errors.push(forbidden(`${at}.claims`, 'claims may not be set for Resources at pod-level'));
  for (const list of ['limits', 'requests'] as const) {
    for (const resource in resources[list]) {
      if (resource === 'cpu' || resource === 'memory' || resource.startsWith('hugepages-')) continue;
      errors.push(notSupported(keyed(`${at}.${list}`, resource), resource, ['cpu', 'hugepages-', 'memory']));
    }
  }
  checkRequirements(errors, at, resources);
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
