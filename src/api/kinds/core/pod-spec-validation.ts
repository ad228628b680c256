import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEach, checkGiven, checkRange, checkText, maxInt32, requireEnum } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, notFound, required, tooLong } from '../../validation/errors.ts';
import { requireIp } from '../../validation/ip.ts';
import { checkLabels } from '../../validation/labels.ts';
import { dns1123Label, dns1123Subdomain, dnsSearch } from '../../validation/names.ts';
import { checkAnnotations } from '../../validation/object-meta.ts';
import { checkRequirements } from '../../validation/quantities.ts';
import { checkContainers } from './container-validation.ts';
import { checkOs } from './os-validation.ts';
import { checkPodAnnotations } from './pod-annotations.ts';
import { checkPodResources } from './pod-resources-validation.ts';
import {
  checkAffinity,
  checkReadinessGates,
  checkSchedulingGates,
  checkTolerations,
  checkTopologySpread,
} from './scheduling-validation.ts';
import { checkHostUsers, checkPodSecurityContext } from './security-validation.ts';
import { checkVolumes } from './volume-validation.ts';

const restartPolicies = ['Always', 'OnFailure', 'Never'];
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None'];
const maxNameservers = 3;
const maxSearches = 32;
const maxSearchCharacters = 2048;
const maxHostnameOverride = 64;

export interface PodSpecOptions {
  /** Present for real pods, absent for templates. */
  readonly podName?: string;
}

/** A PodSpec, wherever it is embedded. kubernetes: pkg/apis/core/validation/validation.go (ValidatePodSpec). */
export function checkPodSpec(errors: FieldError[], field: string, spec: t.PodSpec, options: PodSpecOptions = {}): void {
  const isPod = options.podName !== undefined;
  const volumes = checkVolumes(errors, `${field}.volumes`, spec.volumes, options.podName ?? '');
  if (spec.resourceClaims) checkResourceClaims(errors, `${field}.resourceClaims`, spec.resourceClaims);
  checkContainers(errors, field, { spec, isPod, volumes });
  if (spec.resources) checkPodResources(errors, `${field}.resources`, spec, spec.resources);
  if (spec.hostNetwork) checkHostNetworkPorts(errors, field, spec, isPod);
  requireEnum(errors, `${field}.restartPolicy`, spec.restartPolicy, restartPolicies);
  requireEnum(errors, `${field}.dnsPolicy`, spec.dnsPolicy, dnsPolicies);
  checkLabels(errors, `${field}.nodeSelector`, spec.nodeSelector);
  checkPodSecurityContext(errors, `${field}.securityContext`, spec);
  checkAffinity(errors, `${field}.affinity`, spec.affinity);
  checkDns(errors, `${field}.dnsConfig`, spec);
  if (spec.readinessGates) checkReadinessGates(errors, `${field}.readinessGates`, spec.readinessGates);
  if (spec.schedulingGates) checkSchedulingGates(errors, `${field}.schedulingGates`, spec.schedulingGates);
  if (spec.topologySpreadConstraints) {
    checkTopologySpread(errors, `${field}.topologySpreadConstraints`, spec.topologySpreadConstraints);
  }
  checkHostUsers(errors, field, spec);
  checkNames(errors, field, spec);
  checkTolerations(errors, `${field}.tolerations`, spec.tolerations);
  checkHostAliases(errors, `${field}.hostAliases`, spec.hostAliases);
  if (spec.overhead) checkRequirements(errors, `${field}.overhead`, { limits: spec.overhead });
  checkOs(errors, field, spec);
  checkFileKeyVolumes(errors, field, spec);
}

/** The template of a workload: labels, annotations and a PodSpec. */
export function checkPodTemplate(errors: FieldError[], field: string, template: t.PodTemplateSpec): void {
  // Upstream's paths leave out `metadata`.
  checkLabels(errors, `${field}.labels`, template.metadata?.labels);
  checkAnnotations(errors, `${field}.annotations`, template.metadata?.annotations);
  if (!template.spec) return;
  checkPodAnnotations(errors, `${field}.annotations`, template.metadata?.annotations, template.spec);
  checkPodSpec(errors, `${field}.spec`, template.spec);
  if (template.spec.ephemeralContainers?.length) {
    errors.push(forbidden(`${field}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'));
  }
}

function checkNames(errors: FieldError[], field: string, spec: t.PodSpec): void {
  checkHostnameOverride(errors, `${field}.hostnameOverride`, spec);
  checkText(errors, `${field}.serviceAccountName`, spec.serviceAccountName, dns1123Subdomain);
  checkText(errors, `${field}.nodeName`, spec.nodeName, dns1123Subdomain);
  checkRange(errors, `${field}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, [1, maxInt32]);
  checkText(errors, `${field}.hostname`, spec.hostname, dns1123Label);
  checkText(errors, `${field}.subdomain`, spec.subdomain, dns1123Label);
  checkText(errors, `${field}.priorityClassName`, spec.priorityClassName, dns1123Subdomain);
  if (spec.runtimeClassName !== undefined && spec.runtimeClassName !== null) {
    for (const problem of dns1123Subdomain(spec.runtimeClassName)) {
      errors.push(invalid(`${field}.runtimeClassName`, spec.runtimeClassName, problem));
    }
  }
  if (spec.preemptionPolicy !== undefined) {
    requireEnum(errors, `${field}.preemptionPolicy`, spec.preemptionPolicy, ['PreemptLowerPriority', 'Never']);
  }
}

function checkHostnameOverride(errors: FieldError[], field: string, spec: t.PodSpec): void {
  const name = spec.hostnameOverride;
  if (name === undefined || name === null) return;
  if (spec.setHostnameAsFQDN) errors.push(forbidden(field, 'may not be specified when setHostnameAsFQDN is true'));
  if (spec.hostNetwork) errors.push(forbidden(field, 'may not be specified when hostNetwork is true'));
  if (name.length > maxHostnameOverride) errors.push(tooLong(field, maxHostnameOverride));
  for (const problem of dns1123Subdomain(name)) errors.push(invalid(field, name, problem));
}

/** On the host's network a port of a container is a port of the host. Templates may leave it out: pods get it by default. */
function checkHostNetworkPorts(errors: FieldError[], field: string, spec: t.PodSpec, isPod: boolean): void {
  spec.containers?.forEach((container, i) => {
    container.ports?.forEach(({ hostPort = 0, containerPort }, p) => {
      if ((!isPod && hostPort === 0) || hostPort === containerPort) return;
      const at = `${field}.containers[${i}].ports[${p}].hostPort`;
      errors.push(invalid(at, hostPort, 'must match `containerPort` when `hostNetwork` is true'));
    });
  });
}

function checkDns(errors: FieldError[], at: string, spec: t.PodSpec): void {
  const { dnsConfig: config, dnsPolicy } = spec;
  const { nameservers = [], searches = [], options = [] } = config ?? {};
  if (dnsPolicy === 'None' && !config) {
    errors.push(required(at, 'must provide `dnsConfig` when `dnsPolicy` is None'));
    return;
  }
  if (dnsPolicy === 'None' && nameservers.length === 0) {
    errors.push(required(`${at}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'));
    return;
  }
  if (nameservers.length > maxNameservers) {
    errors.push(invalid(`${at}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`));
  }
  for (const [i, server] of nameservers.entries()) requireIp(errors, `${at}.nameservers[${i}]`, server);
  if (searches.length > maxSearches) {
    errors.push(invalid(`${at}.searches`, searches, `must not have more than ${maxSearches} search paths`));
  }
  if (searches.join(' ').length > maxSearchCharacters) {
    const detail = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`;
    errors.push(invalid(`${at}.searches`, searches, detail));
  }
  checkEach(errors, `${at}.searches`, searches, dnsSearch);
  options.forEach((option, i) => {
    if (!option.name) errors.push(required(`${at}.options[${i}]`, 'must not be empty'));
  });
}

function checkHostAliases(errors: FieldError[], field: string, aliases: readonly t.HostAlias[] | undefined): void {
  aliases?.forEach((alias, i) => {
    requireIp(errors, `${field}[${i}].ip`, alias.ip);
    checkEach(errors, `${field}[${i}].hostnames`, alias.hostnames, dns1123Subdomain);
  });
}

function checkResourceClaims(errors: FieldError[], field: string, claims: readonly t.PodResourceClaim[]): void {
  const seen = new Set<string>();
  claims.forEach((claim, i) => {
    const at = `${field}[${i}]`;
    const { name, resourceClaimName, resourceClaimTemplateName } = claim;
    if (!name) errors.push(required(`${at}.name`));
    else if (seen.has(name)) errors.push(duplicate(`${at}.name`, name));
    else checkText(errors, `${at}.name`, name, dns1123Label);
    seen.add(name);
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined) {
      errors.push(invalid(at, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'));
    }
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined) {
      errors.push(invalid(at, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'));
    }
    checkGiven(errors, `${at}.resourceClaimName`, resourceClaimName, dns1123Subdomain);
    checkGiven(errors, `${at}.resourceClaimTemplateName`, resourceClaimTemplateName, dns1123Subdomain);
  });
}

/** A variable read from a file needs an emptyDir that holds the file. */
function checkFileKeyVolumes(errors: FieldError[], field: string, spec: t.PodSpec): void {
  for (const list of ['initContainers', 'containers'] as const) {
    spec[list]?.forEach((container, i) => {
      container.env?.forEach(({ valueFrom }, e) => {
        const name = valueFrom?.fileKeyRef?.volumeName;
        if (name === undefined) return;
        const at = `${field}.${list}[${i}].env[${e}].valueFrom.fileKeyRef.volumeName`;
        const volume = spec.volumes?.find((v) => v.name === name);
        if (!volume) errors.push(notFound(at, name));
        else if (!volume.emptyDir) errors.push(invalid(at, name, 'referenced volume must be of type emptyDir'));
      });
    });
  }
}
