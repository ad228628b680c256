import type * as t from '../../generated/types.ts';
import { dns1123Label } from '../../validation/names.ts';

const deprecatedNodeLabels: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'use "node.kubernetes.io/instance-type" instead',
};

/** Warnings for a new pod. kubernetes: pkg/registry/core/pod/strategy.go, pkg/api/pod/warnings.go. */
export function podWarnings(pod: t.Pod): string[] {
  const warnings: string[] = [];
  const problems = dns1123Label(pod.metadata.name ?? '');
  if (pod.metadata.name && problems.length > 0) {
    const why = "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
    warnings.push(`metadata.name: ${why}: [${problems.join(' ')}]`);
  }
  return [...warnings, ...podSpecWarnings('spec', pod.spec)];
}

/** Warnings for a PodSpec at `field`, also in templates. */
export function podSpecWarnings(field: string, spec: t.PodSpec | undefined): string[] {
  if (!spec) return [];
  const warnings: string[] = [];
  for (const label in spec.nodeSelector) {
    const instead = deprecatedNodeLabels[label];
    if (instead) warnings.push(`${field}.nodeSelector[${label}]: deprecated since v1.14; ${instead}`);
  }
  for (const [i, volume] of (spec.volumes ?? []).entries()) {
    if (volume.gitRepo) warnings.push(`${field}.volumes[${i}].gitRepo: deprecated in v1.11, and disabled by default in v1.33+`);
    if (volume.glusterfs) warnings.push(`${field}.volumes[${i}].glusterfs: deprecated in v1.25, non-functional in v1.26+`);
    if (volume.rbd) warnings.push(`${field}.volumes[${i}].rbd: deprecated in v1.28, non-functional in v1.31+`);
    if (volume.cephfs) warnings.push(`${field}.volumes[${i}].cephfs: deprecated in v1.28, non-functional in v1.31+`);
  }
  if (spec.terminationGracePeriodSeconds !== undefined && spec.terminationGracePeriodSeconds < 0) {
    warnings.push(`${field}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`);
  }
  for (const list of ['initContainers', 'containers'] as const) {
    spec[list]?.forEach((container, i) => {
      containerWarnings(warnings, `${field}.${list}[${i}]`, container);
    });
  }
  return warnings;
}

function containerWarnings(warnings: string[], at: string, container: t.Container): void {
  const names = new Map<string, number>();
  container.env?.forEach(({ name }, i) => {
    const first = names.get(name);
    if (first !== undefined) {
      warnings.push(`${at}.env[${i}]: hides previous definition of "${name}", which may be dropped when using apply`);
    }
    names.set(name, i);
  });
  const ports = new Set<string>();
  container.ports?.forEach(({ containerPort, protocol }, i) => {
    const key = `${containerPort}/${protocol}`;
    if (ports.has(key)) warnings.push(`${at}.ports[${i}]: duplicate port definition with ${at}.ports`);
    ports.add(key);
  });
}
