import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { equalMaps, semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid } from '../../validation/errors.ts';
import { qosClass } from './pod-qos.ts';

/** For `/resize`: of the spec only the resources and resize policies of containers may change. */
export function keepAllButResources(next: t.Pod, previous: t.Pod): void {
  const wanted = next.spec;
  next.spec = { ...previous.spec, containers: withResources(previous.spec.containers, wanted.containers) };
  if (previous.spec.initContainers) {
    next.spec.initContainers = withResources(previous.spec.initContainers, wanted.initContainers);
  }
  next.status = previous.status;
}

function withResources(containers: readonly t.Container[], wanted: readonly t.Container[] | undefined): t.Container[] {
  return containers.map((container) => {
    const next = wanted?.find((c) => c.name === container.name);
    if (!next) return container;
    return {
      ...container,
      ...(next.resources ? { resources: next.resources } : {}),
      ...(next.resizePolicy ? { resizePolicy: next.resizePolicy } : {}),
    };
  });
}

/** A resize may change cpu and memory of a running pod, but not its QoS class. kubernetes: ValidatePodResize. */
export function validatePodResize(next: t.Pod, previous: t.Pod): FieldError[] {
  const errors: FieldError[] = [];
  const before = previous.status.qosClass ?? qosClass(previous.spec);
  if (qosClass(next.spec) !== before) {
    errors.push(invalid('spec', before, 'Pod QOS Class may not change as a result of resizing'));
  }
  for (const list of ['containers', 'initContainers'] as const) {
    previous.spec[list]?.forEach((container, i) => {
      const resized = next.spec[list]?.[i];
      if (resized) checkContainer(errors, `spec.${list}[${i}].resources`, resized, container);
    });
  }
  return errors;
}

function checkContainer(errors: FieldError[], field: string, next: t.Container, previous: t.Container): void {
  for (const list of ['limits', 'requests'] as const) {
    const before = previous.resources?.[list];
    const after = next.resources?.[list];
    if (equalMaps(before, after)) continue;
    for (const resource of new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])) {
      if (resource === 'cpu' || resource === 'memory') continue;
      if (before?.[resource] !== after?.[resource]) {
        errors.push(forbidden(field, 'only cpu and memory resources are mutable'));
        return;
      }
    }
    if (isMissingSome(before, after)) errors.push(forbidden(`${field}.${list}`, `resource ${list} cannot be removed`));
  }
  if (!semanticEqual(next.resources?.claims, previous.resources?.claims)) {
    errors.push(forbidden(field, 'only cpu and memory resources are mutable'));
  }
}

function isMissingSome(before: Record<string, string> | undefined, after: Record<string, string> | undefined): boolean {
  return Object.keys(before ?? {}).some((resource) => after?.[resource] === undefined);
}
