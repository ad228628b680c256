import { keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid } from '../../validation/errors.ts';
import { qosClass } from './pod-qos.ts';

const lists = ['containers', 'initContainers'] as const;

/** For `/resize`: of the spec only the resources and resize policies of containers may change. */
export function keepAllButResources(next: t.Pod, previous: t.Pod): void {
  const wanted = next.spec;
  next.status = previous.status;
  keepMetadata(next, previous);
  // Validation refuses others, and another order.
  const sameContainers = lists.every((list) => semanticEqual(namesOf(wanted[list]), namesOf(previous.spec[list])));
  if (!sameContainers) return;
  next.spec = { ...previous.spec, containers: withResources(previous.spec.containers, wanted.containers) };
  if (previous.spec.initContainers) {
    next.spec.initContainers = withResources(previous.spec.initContainers, wanted.initContainers);
  }
}

const namesOf = (containers: readonly t.Container[] | undefined): string[] | undefined => containers?.map(({ name }) => name);

function withResources(containers: readonly t.Container[], wanted: readonly t.Container[] | undefined): t.Container[] {
  return containers.map((container, i) => {
    const { resources, resizePolicy } = wanted?.[i] ?? {};
    const { resizePolicy: _, ...rest } = container;
    return { ...rest, ...(resources ? { resources } : {}), ...(resizePolicy ? { resizePolicy } : {}) };
  });
}

/** A resize may change cpu and memory of a running pod, but not its QoS class. kubernetes: ValidatePodResize. */
export function validatePodResize(next: t.Pod, previous: t.Pod): FieldError[] {
  const errors: FieldError[] = [];
  const before = previous.status.qosClass ?? qosClass(previous.spec);
  if (qosClass(next.spec) !== before) {
    errors.push(invalid('spec', before, 'Pod QOS Class may not change as a result of resizing'));
  }
  if (!checkOrder(errors, next.spec, previous.spec)) return errors;
  for (const list of lists) {
    previous.spec[list]?.forEach((container, i) => {
      const resized = next.spec[list]?.[i];
      if (!resized) return;
      checkRemoved(errors, `spec.${list}[${i}].resources`, resized, container);
      if (semanticEqual(withoutComputeResources(resized), withoutComputeResources(container))) return;
      const what = list === 'containers' ? 'resources' : 'resources for init or sidecar containers';
      const field = list === 'containers' ? 'spec' : `spec.initContainers[${i}]`;
      errors.push(forbidden(field, `only cpu and memory ${what} are mutable`));
    });
  }
  return errors;
}

function checkOrder(errors: FieldError[], next: t.PodSpec, previous: t.PodSpec): boolean {
  const before = errors.length;
  for (const list of lists) {
    if ((next[list]?.length ?? 0) !== (previous[list]?.length ?? 0)) {
      errors.push(forbidden(`spec.${list}`, `${list} may not be added or removed on resize`));
      continue;
    }
    previous[list]?.forEach(({ name }, i) => {
      if (next[list]?.[i]?.name === name) return;
      errors.push(forbidden(`spec.${list}[${i}].name`, `${list} may not be renamed or reordered on resize`));
    });
  }
  return errors.length === before;
}

function checkRemoved(errors: FieldError[], field: string, next: t.Container, previous: t.Container): void {
  for (const list of ['requests', 'limits'] as const) {
    if (!isMissingSome(previous.resources?.[list], next.resources?.[list])) continue;
    errors.push(forbidden(`${field}.${list}`, `resource ${list} cannot be removed`));
  }
}

function withoutComputeResources(container: t.Container): object {
  const { limits, requests, ...resources } = container.resources ?? {};
  const others = (all: Record<string, string> = {}): Record<string, string> => {
    const { cpu: _cpu, memory: _memory, ...rest } = all;
    return rest;
  };
  return { ...container, resources: { ...resources, limits: others(limits), requests: others(requests) } };
}

function isMissingSome(before: Record<string, string> | undefined, after: Record<string, string> | undefined): boolean {
  return Object.keys(before ?? {}).some((resource) => after?.[resource] === undefined);
}
