import { lookup } from '../../../lib/lookup.ts';
import type * as t from '../../generated/types.ts';
import type { KubeObject } from '../../meta.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { nodeLabelAdvice, warnOfFraction, warnOfIp, warnOfName, warnOfTerm } from '../../validation/warnings.ts';
import { annotatedProfile, appArmorAdvice, appArmorPrefix } from './app-armor.ts';
import { warnOfVolumes } from './volume-warnings.ts';

type Annotations = Readonly<Record<string, string>> | undefined;

const retiredAnnotations: Readonly<Record<string, string>> = lookup({
  'scheduler.alpha.kubernetes.io/critical-pod': 'non-functional in v1.16+; use the "priorityClassName" field instead',
  'security.alpha.kubernetes.io/sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
  'security.alpha.kubernetes.io/unsafe-sysctls': 'non-functional in v1.11+; use the "sysctls" field instead',
});
const seccompAdvice = 'non-functional in v1.27+; use the "seccompProfile" field instead';
const matchesNothing = 'a null labelSelector results in matching no pod';
const bytes = ['memory', 'ephemeral-storage'];

/** Warnings for a new pod. People seldom change pods: updates are let through. kubernetes: pkg/api/pod/warnings.go. */
export function podWarnings(pod: t.Pod, previous?: t.Pod): string[] {
  if (previous) return [];
  const warnings: string[] = [];
  warnOfName(warnings, pod.metadata.name, "the Pod's hostname");
  warnOfPod(warnings, '', pod.metadata.annotations, pod.spec);
  return warnings;
}

interface Templated {
  /** Where the template is: `spec.template`. */
  readonly at: string;
  readonly template: t.PodTemplateSpec | undefined;
  /** Pods are named after the object. */
  readonly namesPods?: boolean;
}

/** Warnings for the template of a workload, when it is new or something in the object changed. */
export function templateWarnings(object: KubeObject, previous: KubeObject | undefined, templated: Templated): string[] {
  const warnings: string[] = [];
  if (previous && object.metadata.generation === previous.metadata.generation) return warnings;
  if (templated.namesPods && !previous) warnOfName(warnings, object.metadata.name, 'Pod names and hostnames');
  const { at, template } = templated;
  warnOfPod(warnings, `${at}.`, template?.metadata?.annotations, template?.spec);
  return warnings;
}

function warnOfPod(warnings: string[], prefix: string, annotations: Annotations, spec: t.PodSpec | undefined): void {
  if (!spec) return;
  const at = `${prefix}spec`;
  warnOfPlacement(warnings, at, spec);
  for (const key in retiredAnnotations) {
    if (annotations?.[key] !== undefined) warnings.push(`${prefix}metadata.annotations[${key}]: ${retiredAnnotations[key]}`);
  }
  if (spec.volumes) warnOfVolumes(warnings, `${at}.volumes`, spec.volumes);
  warnOfDuplicates(warnings, `${at}.hostAliases`, 'ip', spec.hostAliases);
  warnOfDuplicates(warnings, `${at}.imagePullSecrets`, 'name', spec.imagePullSecrets);
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    if (!name) warnings.push(`${at}.imagePullSecrets[${i}].name: invalid empty name ""`);
  });
  warnOfFraction(warnings, `${at}.overhead`, spec.overhead, bytes);
  if (annotations) warnOfProfiles(warnings, prefix, annotations, spec);
  for (const { container, field } of containersOf(at, spec)) warnOfContainer(warnings, field, container);
  warnOfPorts(warnings, at, spec);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    warnings.push(`${at}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`);
  }
  warnOfPodAffinity(warnings, `${at}.affinity`, spec.affinity);
  spec.dnsConfig?.nameservers?.forEach((ip, i) => {
    warnOfIp(warnings, `${at}.dnsConfig.nameservers[${i}]`, ip);
  });
  spec.hostAliases?.forEach(({ ip }, i) => {
    warnOfIp(warnings, `${at}.hostAliases[${i}].ip`, ip);
  });
}

function warnOfPlacement(warnings: string[], at: string, spec: t.PodSpec): void {
  for (const label in spec.nodeSelector) {
    const advice = nodeLabelAdvice(label);
    if (advice) warnings.push(`${at}.nodeSelector[${label}]: ${advice}`);
  }
  const { requiredDuringSchedulingIgnoredDuringExecution: must, preferredDuringSchedulingIgnoredDuringExecution: should } =
    spec.affinity?.nodeAffinity ?? {};
  const nodes = `${at}.affinity.nodeAffinity`;
  must?.nodeSelectorTerms?.forEach((term, i) => {
    warnOfTerm(warnings, `${nodes}.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`, term);
  });
  should?.forEach(({ preference }, i) => {
    warnOfTerm(warnings, `${nodes}.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`, preference, true);
  });
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const advice = nodeLabelAdvice(topologyKey);
    const field = `${at}.topologySpreadConstraints[${i}]`;
    if (advice) warnings.push(`${field}.topologyKey: ${topologyKey} is ${advice}`);
    if (!labelSelector) warnings.push(`${field}.labelSelector: ${matchesNothing}`);
  });
}

function warnOfPodAffinity(warnings: string[], at: string, affinity: t.Affinity | undefined): void {
  for (const kind of ['podAffinity', 'podAntiAffinity'] as const) {
    const { requiredDuringSchedulingIgnoredDuringExecution: must, preferredDuringSchedulingIgnoredDuringExecution: should } =
      affinity?.[kind] ?? {};
    must?.forEach(({ labelSelector }, i) => {
      const field = `${at}.${kind}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`;
      if (!labelSelector) warnings.push(`${field}.labelSelector: ${matchesNothing}`);
    });
    should?.forEach(({ podAffinityTerm }, i) => {
      const field = `${at}.${kind}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`;
      if (!podAffinityTerm?.labelSelector) warnings.push(`${field}.labelSelector: ${matchesNothing}`);
    });
  }
}

function warnOfDuplicates<K extends string>(
  warnings: string[],
  field: string,
  key: K,
  list: readonly Partial<Record<K, string>>[] | undefined,
): void {
  const seen = new Set<string>();
  list?.forEach((item, i) => {
    const value = item[key] ?? '';
    if (seen.has(value)) warnings.push(`${field}[${i}].${key}: duplicate ${key} ${JSON.stringify(value)}`);
    seen.add(value);
  });
}

/** Profiles that were once said in annotations. */
function warnOfProfiles(warnings: string[], prefix: string, annotations: Record<string, string>, spec: t.PodSpec): void {
  const warn = (key: string, advice: string): void => {
    if (annotations[key] !== undefined) warnings.push(`${prefix}metadata.annotations[${key}]: ${advice}`);
  };
  if (!spec.securityContext?.seccompProfile) warn('seccomp.security.alpha.kubernetes.io/pod', seccompAdvice);
  for (const { container } of containersOf('', spec)) {
    const { seccompProfile, appArmorProfile } = container.securityContext ?? {};
    if (!seccompProfile) warn(`container.seccomp.security.alpha.kubernetes.io/${container.name}`, seccompAdvice);
    const key = `${appArmorPrefix}${container.name}`;
    const profile = annotatedProfile(annotations[key]);
    if (!appArmorProfile && !(profile && semanticEqual(profile, spec.securityContext?.appArmorProfile)))
      warn(key, appArmorAdvice);
  }
}

function* containersOf(at: string, spec: t.PodSpec): Generator<{ container: t.Container; field: string }> {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, container] of (spec[list] ?? []).entries()) yield { container, field: `${at}.${list}[${i}]` };
  }
}

function warnOfContainer(warnings: string[], at: string, { resources, env = [] }: t.Container): void {
  for (const resource of bytes) {
    warnOfFraction(warnings, `${at}.resources.limits`, resources?.limits, [resource]);
    warnOfFraction(warnings, `${at}.resources.requests`, resources?.requests, [resource]);
  }
  const names = new Set<string>();
  env.forEach(({ name, value = '', valueFrom }, i) => {
    const own = `$(${name})`;
    // `PATH=$(PATH):/more` builds on the one before.
    const hides = valueFrom || value === own || !value.includes(own);
    if (names.has(name) && hides) {
      warnings.push(`${at}.env[${i}]: hides previous definition of "${name}", which may be dropped when using apply`);
    }
    names.add(name);
  });
}

interface NamedPort {
  readonly field: string;
  readonly port: t.ContainerPort;
}

/** Ports of a pod that are compared with each other; that many warnings nobody reads. */
const maxComparedPorts = 200;

/** Ports of all containers together: they share the pod's address. */
function warnOfPorts(warnings: string[], at: string, spec: t.PodSpec): void {
  const seen: NamedPort[] = [];
  const names = new Map<string, string>();
  for (const { container, field } of containersOf(at, spec)) {
    container.ports?.forEach((port, i) => {
      const own = { field: `${field}.ports[${i}]`, port };
      const { name = '', hostPort = 0, containerPort, protocol = '', hostIP = '' } = port;
      if (hostIP && hostPort === 0) {
        const shown = `{Name:${name} HostPort:0 ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`;
        warnings.push(`${own.field}: hostIP set without hostPort: ${shown}`);
      }
      if (seen.length >= maxComparedPorts) return;
      for (const other of seen) {
        const relation = relate(port, other.port);
        if (relation) warnings.push(`${own.field}: ${relation} port definition with ${other.field}`);
      }
      seen.push(own);
    });
  }
  for (const { field, port } of seen) {
    const first = port.name ? names.get(port.name) : undefined;
    if (first) {
      const detail = `with ${first}, services and probes that select ports by name will use ${first}`;
      warnings.push(`${field}: duplicate port name "${port.name}" ${detail}`);
    } else if (port.name) names.set(port.name, field);
  }
}

function relate(a: t.ContainerPort, b: t.ContainerPort): string | undefined {
  if (a.containerPort !== b.containerPort || a.protocol !== b.protocol) return undefined;
  const [hostA, hostB] = [a.hostPort ?? 0, b.hostPort ?? 0];
  const [ipA, ipB] = [a.hostIP ?? '', b.hostIP ?? ''];
  if (ipA === ipB && hostA === hostB) return 'duplicate';
  if (hostA === 0 || hostB === 0) return 'overlapping';
  return hostA === hostB && (ipA === '') !== (ipB === '') ? 'dangerously ambiguous' : undefined;
}
