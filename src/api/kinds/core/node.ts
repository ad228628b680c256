import { defineKind, keepStatus } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none, unknown } from '../../table/columns.ts';
import { requireEnum } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { duplicate, forbidden, invalid } from '../../validation/errors.ts';
import { cidrMessage, parseCidr } from '../../validation/ip.ts';
import { labelValue, qualifiedName } from '../../validation/names.ts';
import { checkResourceQuantity } from '../../validation/quantities.ts';
import { warnOfCidr } from '../../validation/warnings.ts';
import { statusSubresource } from '../subresources.ts';
import { canonicalResources } from './resource-list.ts';
import { taintEffects } from './scheduling-validation.ts';

const roleLabelPrefix = 'node-role.kubernetes.io/';
const roleLabel = 'kubernetes.io/role';
const featureName = /^[A-Z][A-Za-z0-9]*(\/[A-Za-z0-9]+)*$/;

export type Node = t.Node;
export const Node = defineKind<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  scope: 'Cluster',
  subresources: [
    { name: 'proxy', kind: 'NodeProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    statusSubresource,
  ],
  applyDefaults(node) {
    const { status } = node;
    node.spec ??= {};
    settlePodCidrs(node.spec);
    // A feature that is gone.
    if (node.spec.configSource) delete node.spec.configSource;
    if (status?.config) delete status.config;
    if (!status) return;
    canonicalResources(status.capacity);
    canonicalResources(status.allocatable);
    if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  },
  /** Nodes register themselves with their status. */
  prepareForCreate(node) {
    node.status ??= {};
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
  },
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  validateStatusUpdate: (next, previous) => [...validateNode(next), ...validateNodeUpdate(next, previous)],
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
  warnings({ spec = {} }) {
    const warnings: string[] = [];
    if (spec.externalID) warnings.push('spec.externalID: this field is deprecated, and is unused by Kubernetes');
    spec.podCIDRs?.forEach((cidr, i) => {
      warnOfCidr(warnings, `spec.podCIDRs[${i}]`, cidr);
    });
    return warnings;
  },
  columns: [
    nameColumn,
    { name: 'Status', type: 'string', description: 'Whether the node is ready.', cell: statusText },
    { name: 'Roles', type: 'string', description: 'Roles, from the labels of the node.', cell: rolesText },
    ageColumn,
    { name: 'Version', type: 'string', cell: (node) => node.status?.nodeInfo?.kubeletVersion ?? '' },
    { name: 'Internal-IP', type: 'string', priority: 1, cell: (node) => address(node, 'InternalIP') },
    { name: 'External-IP', type: 'string', priority: 1, cell: (node) => address(node, 'ExternalIP') },
    { name: 'OS-Image', type: 'string', priority: 1, cell: (node) => node.status?.nodeInfo?.osImage || unknown },
    { name: 'Kernel-Version', type: 'string', priority: 1, cell: kernelText },
    {
      name: 'Container-Runtime',
      type: 'string',
      priority: 1,
      cell: (node) => node.status?.nodeInfo?.containerRuntimeVersion || unknown,
    },
  ],
});

/** Two names of one field: old clients know the first CIDR only, which therefore goes before the list. */
function settlePodCidrs(spec: t.NodeSpec): void {
  const { podCIDR, podCIDRs } = spec;
  if (podCIDR && podCIDR !== podCIDRs?.[0]) spec.podCIDRs = [podCIDR];
  else if (podCIDRs?.[0]) spec.podCIDR = podCIDRs[0];
}

function validateNode(node: Node): FieldError[] {
  const errors: FieldError[] = [];
  checkTaints(errors, 'metadata.taints', node.spec?.taints ?? []);
  for (const list of ['capacity', 'allocatable'] as const) {
    const resources = node.status?.[list];
    for (const resource in resources) {
      checkResourceQuantity(errors, `status.${list}.${resource}`, resource, resources[resource] ?? '');
    }
  }
  checkPodCidrs(errors, node.spec?.podCIDRs ?? []);
  checkDeclaredFeatures(errors, node.status?.declaredFeatures ?? []);
  return errors;
}

function checkPodCidrs(errors: FieldError[], cidrs: readonly string[]): void {
  cidrs.forEach((cidr, i) => {
    if (!parseCidr(cidr)) errors.push(invalid(`spec.podCIDRs[${i}]`, cidr, cidrMessage));
  });
  const families = new Set(cidrs.map((cidr) => parseCidr(cidr)?.family));
  if (cidrs.length > families.size) {
    errors.push(invalid('spec.podCIDRs', cidrs, 'may specify no more than one CIDR for each IP family'));
  }
}

function checkDeclaredFeatures(errors: FieldError[], features: readonly string[]): void {
  features.forEach((feature, i) => {
    const field = `status.declaredFeatures[${i}]`;
    if (!featureName.test(feature)) {
      const rule =
        "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), " +
        'and contain only alphanumeric characters and slashes';
      errors.push(invalid(field, feature, `invalid feature name ${JSON.stringify(feature)}: ${rule}`));
    }
    const before = features[i - 1];
    if (before === feature) errors.push(duplicate(field, feature));
    else if (before !== undefined && before > feature) errors.push(invalid(field, feature, 'list must be sorted alphabetically'));
  });
}

function checkTaints(errors: FieldError[], field: string, taints: readonly t.Taint[]): void {
  const seen = new Set<string>();
  taints.forEach((taint, i) => {
    const at = `${field}[${i}]`;
    for (const problem of qualifiedName(taint.key ?? '')) errors.push(invalid(`${at}.key`, taint.key ?? '', problem));
    const problems = labelValue(taint.value ?? '');
    if (problems.length > 0) errors.push(invalid(`${at}.value`, taint.value, problems.join(';')));
    requireEnum(errors, `${at}.effect`, taint.effect, taintEffects);
    const key = `${taint.key}/${taint.effect}`;
    if (seen.has(key)) {
      const { reason, field: at_, message } = duplicate(at, taint);
      errors.push({ reason, field: at_, message: `${message}: taints must be unique by key and effect pair` });
    }
    seen.add(key);
  });
}

function validateNodeUpdate(next: Node, previous: Node): FieldError[] {
  const errors: FieldError[] = [];
  if (previous.spec?.podCIDRs?.length && !semanticEqual(next.spec?.podCIDRs, previous.spec.podCIDRs)) {
    errors.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'));
  }
  if (previous.spec?.providerID && next.spec?.providerID !== previous.spec.providerID) {
    errors.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'));
  }
  if ((next.spec?.externalID ?? '') !== (previous.spec?.externalID ?? '')) {
    errors.push(forbidden('spec.externalID', 'may not be updated'));
  }
  const seen = new Set<string>();
  next.status?.addresses?.forEach((entry, i) => {
    const key = `${entry.type}/${entry.address}`;
    if (seen.has(key)) errors.push(duplicate(`status.addresses[${i}]`, entry));
    seen.add(key);
  });
  return errors;
}

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.find((c) => c.type === 'Ready');
  const text = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown';
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

function rolesText({ metadata }: Node): string {
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(roleLabelPrefix)) roles.add(key.slice(roleLabelPrefix.length));
    else if (key === roleLabel) roles.add(value);
  }
  roles.delete('');
  return [...roles].sort().join(',') || none;
}

function address({ status }: Node, type: string): string {
  return status?.addresses?.find((a) => a.type === type)?.address || none;
}

function kernelText({ status }: Node): string {
  const version = status?.nodeInfo?.kernelVersion || unknown;
  const architecture = status?.nodeInfo?.architecture;
  return architecture ? `${version} (${architecture})` : version;
}
