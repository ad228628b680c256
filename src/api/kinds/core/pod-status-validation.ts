import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkGiven, checkImmutable, checkText } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, required } from '../../validation/errors.ts';
import { ipMessage, parseIp } from '../../validation/ip.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../../validation/names.ts';
import { checkContainerStatus } from './container-status-validation.ts';
import { checkPodAnnotationsUpdate } from './pod-annotations.ts';

type Statuses = 'containerStatuses' | 'ephemeralContainerStatuses' | 'initContainerStatuses';
const containersOf = {
  containerStatuses: 'containers',
  initContainerStatuses: 'initContainers',
  ephemeralContainerStatuses: undefined,
} as const satisfies Record<Statuses, keyof t.PodSpec | undefined>;

/** What a node may say of a pod. kubernetes: pkg/apis/core/validation/validation.go (ValidatePodStatusUpdate). */
export function validatePodStatusUpdate(next: t.Pod, previous: t.Pod): FieldError[] {
  const errors: FieldError[] = [];
  checkPodAnnotationsUpdate(errors, next.metadata.annotations, previous.metadata.annotations);
  const { status = {}, spec } = next;
  const before = previous.status ?? {};
  checkConditions(errors, status.conditions);
  checkNomination(errors, status.nominatedNodeName, previous);
  checkGeneration(errors, 'status', status.observedGeneration);
  checkImmutable(errors, 'status.qosClass', status.qosClass, before.qosClass);
  const mayAllRestart = [spec.initContainers, spec.containers].some((list) =>
    list?.some((c) => c.restartPolicyRules?.some((rule) => rule.action === 'RestartAllContainers')),
  );
  for (const list of Object.keys(containersOf) as Statuses[]) {
    const name = containersOf[list];
    const containers = name && spec[name];
    if (!containers || !mayAllRestart) checkEnded(errors, { list, next: status, previous: before, spec: previous.spec });
    status[list]?.forEach((one, i) => {
      const container = containers?.find((c) => c.name === one.name);
      checkContainerStatus(errors, `status.${list}[${i}]`, one, { spec, container, isEphemeral: !name });
    });
  }
  if (status.resourceClaimStatuses) checkClaims(errors, status.resourceClaimStatuses, spec);
  if (status.extendedResourceClaimStatus) checkExtendedClaim(errors, status.extendedResourceClaimStatus, spec);
  checkIps(errors, 'status.podIPs', status.podIPs, before.podIPs);
  const [hostIp] = status.hostIPs ?? [];
  if (hostIp && (status.hostIP ?? '') !== hostIp.ip) {
    errors.push(invalid('status.hostIPs[0].ip', hostIp.ip ?? '', 'must be equal to `hostIP`'));
  }
  checkIps(errors, 'status.hostIPs', status.hostIPs, before.hostIPs);
  return errors;
}

const ownConditions = ['PodScheduled', 'Ready', 'Initialized'];

function checkConditions(errors: FieldError[], conditions: readonly t.PodCondition[] | undefined): void {
  conditions?.forEach(({ type, observedGeneration }, i) => {
    checkGeneration(errors, `status.conditions[${i}]`, observedGeneration);
    if (!ownConditions.includes(type)) checkGiven(errors, `status.conditions[${i}].Type`, type ?? '', qualifiedName);
  });
}

function checkGeneration(errors: FieldError[], at: string, generation: number | undefined): void {
  if ((generation ?? 0) >= 0) return;
  errors.push(invalid(`${at}.observedGeneration`, generation, 'must be a non-negative integer'));
}

function checkNomination(errors: FieldError[], name: string | undefined, previous: t.Pod): void {
  if (!name || name === previous.status?.nominatedNodeName) return;
  const field = 'status.nominatedNodeName';
  checkText(errors, field, name, dns1123Subdomain);
  if (previous.spec.nodeName) errors.push(forbidden(field, 'may not be set on pods that are already bound to a node'));
}

interface Transition {
  readonly list: Statuses;
  readonly next: t.PodStatus;
  readonly previous: t.PodStatus;
  readonly spec: t.PodSpec;
}

/** What has ended for good does not run again. */
function checkEnded(errors: FieldError[], { list, next, previous, spec }: Transition): void {
  const containers = containersOf[list];
  for (const [i, before] of (previous[list] ?? []).entries()) {
    const ended = before.state?.terminated;
    const after = ended && next[list]?.find((s) => s.name === before.name && !s.state?.terminated);
    if (!after) continue;
    const container = containers && spec[containers]?.find((c) => c.name === before.name);
    if (container && mayRestart(container, spec, ended.exitCode)) continue;
    errors.push(forbidden(`status.${list}[${i}].state`, 'may not be transitioned to non-terminated state'));
  }
}

/** kubernetes: pkg/api/v1/pod/util.go (ContainerShouldRestart). */
function mayRestart(container: t.Container, spec: t.PodSpec, exitCode: number): boolean {
  const rule = container.restartPolicyRules?.find(({ exitCodes }) => {
    const isListed = exitCodes?.values?.includes(exitCode) ?? false;
    return exitCodes && isListed === (exitCodes.operator === 'In');
  });
  if (rule && container.restartPolicy) return true;
  const policy = container.restartPolicy ?? spec.restartPolicy;
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function checkClaims(errors: FieldError[], claims: readonly t.PodResourceClaimStatus[], spec: t.PodSpec): void {
  const seen = new Set<string>();
  claims.forEach(({ name, resourceClaimName }, i) => {
    const at = `status.resourceClaimStatuses[${i}]`;
    if (!spec.resourceClaims?.some((claim) => claim.name === name)) {
      errors.push(invalid(`${at}.name`, name ?? '', 'must match the name of an entry in `spec.resourceClaims`'));
    }
    if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    seen.add(name);
    checkGiven(errors, `${at}.resourceClaimName`, resourceClaimName, dns1123Subdomain);
  });
}

function checkExtendedClaim(errors: FieldError[], status: t.PodExtendedResourceClaimStatus, spec: t.PodSpec): void {
  const field = 'status.extendedResourceClaimStatus';
  const { requestMappings: mappings = [], resourceClaimName } = status;
  if (mappings.length === 0) errors.push(required(`${field}.requestMappings`, 'at least one request mapping is required'));
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  const seen = new Set<string>();
  mappings.forEach((mapping, i) => {
    const at = `${field}.requestMappings[${i}]`;
    const container = containers.find((c) => c.name === mapping.containerName);
    if (!container) {
      const detail = 'must match the name of an entry in spec.initContainers.name or spec.containers.name';
      errors.push(invalid(`${at}.containerName`, mapping.containerName ?? '', detail));
    } else if (container.resources?.requests?.[mapping.resourceName] === undefined) {
      const detail =
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests';
      errors.push(invalid(`${at}.resourceName`, mapping.resourceName ?? '', detail));
    }
    checkGiven(errors, `${field}.requestName`, mapping.requestName ?? '', dns1123Label);
    const names = ['containerName', 'resourceName', 'requestName'] as const;
    const key = names.map((name) => mapping[name]).join('/');
    if (seen.has(key)) for (const name of names) errors.push(duplicate(`${at}.${name}`, mapping[name]));
    seen.add(key);
  });
  if (!resourceClaimName) errors.push(required(`${field}.resourceClaimName`));
  else checkText(errors, `${field}.resourceClaimName`, resourceClaimName, dns1123Subdomain);
}

type Ips = readonly { readonly ip?: string }[] | undefined;

/** Addresses that are new must be right; one of each family at most. */
function checkIps(errors: FieldError[], field: string, ips: Ips, before: Ips): void {
  ips?.forEach(({ ip = '' }, i) => {
    if (!parseIp(ip) && !before?.some((old) => old.ip === ip)) errors.push(invalid(`${field}[${i}]`, ip, ipMessage));
  });
  if (!ips || ips.length < 2) return;
  const families = new Set(ips.map(({ ip = '' }) => parseIp(ip)?.family));
  if (ips.length === 2 && families.size === 2) return;
  errors.push(invalid(field, ips, 'may specify no more than one IP for each IP family'));
}
