import { defineKind } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, labelText, nameColumn, none, unknown } from '../../table/columns.ts';
import { warnOfCidr, warnOfIp } from '../../validation/warnings.ts';
import { statusSubresource } from '../subresources.ts';
import { dropUnused, isExternallyAccessible, isHeadless, keepAllocated, normalizeClusterIps } from './service-rules.ts';
import { validateService, validateServiceStatus, validateServiceUpdate } from './service-validation.ts';

const defaultAffinitySeconds = 10800;

export type Service = t.Service;
export const Service = defineKind<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [
    { name: 'proxy', kind: 'ServiceProxyOptions', verbs: ['create', 'delete', 'get', 'patch', 'update'] },
    statusSubresource,
  ],
  allowCreateOnUpdate: true,
  returnsDeletedObject: true,
  nameRule: 'dns1123Label',
  applyDefaults(service) {
    const spec = (service.spec ??= {});
    defaultAffinity(spec);
    spec.type ||= 'ClusterIP';
    for (const port of spec.ports ?? []) {
      port.protocol ||= 'TCP';
      port.targetPort ||= port.port;
    }
    if (isExternallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster';
    if (spec.type !== 'ExternalName') spec.internalTrafficPolicy ??= 'Cluster';
    else if (spec.internalTrafficPolicy !== undefined) delete spec.internalTrafficPolicy;
    if (spec.type !== 'LoadBalancer') return;
    spec.allocateLoadBalancerNodePorts ??= true;
    for (const ingress of service.status?.loadBalancer?.ingress ?? []) if (ingress.ip) ingress.ipMode ??= 'VIP';
  },
  prepareForCreate(service) {
    service.status = { loadBalancer: {} };
    normalizeClusterIps(service.spec);
  },
  prepareForUpdate(next, previous) {
    const { status } = previous;
    next.status = next.spec.type === 'LoadBalancer' ? status : { ...status, loadBalancer: {} };
    keepAllocated(next.spec, previous.spec);
    normalizeClusterIps(next.spec, previous.spec);
    dropUnused(next.spec, previous.spec);
  },
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate: validateServiceStatus,
  selectableFields: {
    'spec.clusterIP': (service) => service.spec?.clusterIP ?? '',
    'spec.type': (service) => service.spec?.type ?? '',
  },
  warnings: serviceWarnings,
  columns: [
    nameColumn,
    { name: 'Type', type: 'string', cell: (service) => service.spec?.type ?? '' },
    { name: 'Cluster-IP', type: 'string', cell: (service) => service.spec?.clusterIPs?.[0] ?? none },
    { name: 'External-IP', type: 'string', cell: externalAddresses },
    { name: 'Port(s)', type: 'string', cell: portsText },
    ageColumn,
    { name: 'Selector', type: 'string', priority: 1, cell: (service) => labelText(service.spec?.selector) },
  ],
});

function defaultAffinity(spec: t.ServiceSpec): void {
  spec.sessionAffinity ||= 'None';
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig;
  else if (spec.sessionAffinity === 'ClientIP' && spec.sessionAffinityConfig?.clientIP?.timeoutSeconds === undefined) {
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: defaultAffinitySeconds } };
  }
}

/** What outsiders connect to, as kubectl prints it; a pending load balancer says so. */
function externalAddresses({ spec = {}, status }: Service): string {
  const external = spec.externalIPs ?? [];
  switch (spec.type) {
    case 'ClusterIP':
    case 'NodePort':
      return external.length > 0 ? external.join(',') : none;
    case 'ExternalName':
      return spec.externalName ?? '';
    case 'LoadBalancer': {
      const addresses = new Set((status?.loadBalancer?.ingress ?? []).map((i) => i.ip || i.hostname || '').filter(Boolean));
      return [...[...addresses].sort(), ...external].join(',') || '<pending>';
    }
    default:
      return unknown;
  }
}

function portsText({ spec }: Service): string {
  const text = (spec?.ports ?? []).map(({ port, nodePort, protocol }) =>
    nodePort ? `${port}:${nodePort}/${protocol}` : `${port}/${protocol}`,
  );
  return text.join(',') || none;
}

/** kubernetes: pkg/api/service/warnings.go. */
function serviceWarnings({ metadata, spec = {} }: Service): string[] {
  const warnings: string[] = [];
  const { clusterIPs = [], externalIPs = [], type, trafficDistribution } = spec;
  const oldHints = 'service.kubernetes.io/topology-aware-hints';
  if (metadata.annotations?.[oldHints] !== undefined) {
    warnings.push(`annotation ${oldHints} is deprecated, please use service.kubernetes.io/topology-mode instead`);
  }
  const headless = type === 'ClusterIP' && isHeadless(spec);
  if (!headless)
    clusterIPs.forEach((ip, i) => {
      warnOfIp(warnings, `spec.clusterIPs[${i}]`, ip);
    });
  if (headless) {
    const fields: string[] = [];
    if (spec.loadBalancerIP) fields.push('loadBalancerIP');
    if (externalIPs.length > 0) fields.push('externalIPs');
    if (spec.sessionAffinity !== 'None') fields.push('SessionAffinity');
    for (const field of fields) warnings.push(`spec.${field} is ignored for headless services`);
  }
  externalIPs.forEach((ip, i) => {
    warnOfIp(warnings, `spec.externalIPs[${i}]`, ip);
  });
  if (externalIPs.length > 0 && !headless && type !== 'ExternalName') {
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters');
  }
  warnOfIp(warnings, 'spec.loadBalancerIP', spec.loadBalancerIP);
  spec.loadBalancerSourceRanges?.forEach((cidr, i) => {
    warnOfCidr(warnings, `spec.loadBalancerSourceRanges[${i}]`, cidr.trim());
  });
  if (type === 'ExternalName' && externalIPs.length > 0) {
    warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"');
  }
  if (type !== 'ExternalName' && spec.externalName) {
    warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"');
  }
  if (trafficDistribution === 'PreferClose') {
    warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"');
  }
  return warnings;
}
