import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkGiven, checkPort, checkPortOrName, checkText, requireEnum } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { duplicate, forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkIp, cidrMessage, parseCidr, parseIp, requireIp } from '../../validation/ip.ts';
import { checkLabels } from '../../validation/labels.ts';
import { dns1123Label, dns1123Subdomain, qualifiedName } from '../../validation/names.ts';
import { protocols } from './container-validation.ts';
import { checkEndpointIp } from './endpoint-ip.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheckPort } from './service-rules.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const families = ['IPv4', 'IPv6'];
const familyPolicies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const maxAffinitySeconds = 86400;
const onlyForLoadBalancer = "may only be used when `type` is 'LoadBalancer'";

/** kubernetes: pkg/apis/core/validation/validation.go (validateService). */
export function validateService({ spec }: t.Service): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const headless = isHeadless(spec);
  if (!spec.ports?.length && !headless && spec.type !== 'ExternalName') errors.push(required('spec.ports'));
  if (headless && (spec.type === 'LoadBalancer' || spec.type === 'NodePort')) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`));
  }
  if (spec.type === 'ExternalName') checkExternalName(errors, spec);
  checkPorts(errors, spec);
  checkLabels(errors, 'spec.selector', spec.selector);
  checkSessionAffinity(errors, spec);
  if (spec.type !== 'ExternalName') checkClusterIps(errors, spec);
  for (const [i, ip] of (spec.externalIPs ?? []).entries()) {
    if (!parseIp(ip)) requireIp(errors, `spec.externalIPs[${i}]`, ip);
    else checkEndpointIp(errors, `spec.externalIPs[${i}]`, ip);
  }
  requireEnum(errors, 'spec.type', spec.type, types);
  checkNodePorts(errors, spec);
  checkLoadBalancer(errors, spec);
  checkTrafficPolicies(errors, spec);
  return errors;
}

function checkExternalName(errors: FieldError[], spec: t.ServiceSpec): void {
  const detail = 'may not be set for ExternalName services';
  if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', detail));
  if (spec.ipFamilies?.length) errors.push(forbidden('spec.ipFamilies', detail));
  if (spec.ipFamilyPolicy) errors.push(forbidden('spec.ipFamilyPolicy', detail));
  const name = spec.externalName?.replace(/\.$/, '');
  if (!name) errors.push(required('spec.externalName'));
  else checkText(errors, 'spec.externalName', name, dns1123Subdomain);
}

function checkPorts(errors: FieldError[], spec: t.ServiceSpec): void {
  const ports = spec.ports ?? [];
  const names = new Set<string>();
  const taken = new Set<string>();
  ports.forEach((port, i) => {
    const at = `spec.ports[${i}]`;
    if (ports.length > 1 && !port.name) errors.push(required(`${at}.name`));
    else if (port.name) {
      checkText(errors, `${at}.name`, port.name, dns1123Label);
      if (names.has(port.name)) errors.push(duplicate(`${at}.name`, port.name));
      names.add(port.name);
    }
    checkPort(errors, `${at}.port`, port.port ?? 0);
    requireEnum(errors, `${at}.protocol`, port.protocol, protocols);
    checkPortOrName(errors, `${at}.targetPort`, port.targetPort);
    checkGiven(errors, `${at}.appProtocol`, port.appProtocol, qualifiedName);
    const key = `${port.protocol}/${port.port}`;
    if (taken.has(key)) errors.push(duplicate(at, { port: port.port, protocol: port.protocol }));
    taken.add(key);
  });
}

function checkNodePorts(errors: FieldError[], spec: t.ServiceSpec): void {
  const taken = new Set<string>();
  spec.ports?.forEach((port, i) => {
    if (!port.nodePort) return;
    const field = `spec.ports[${i}].nodePort`;
    if (spec.type === 'ClusterIP') errors.push(forbidden(field, "may not be used when `type` is 'ClusterIP'"));
    const key = `${port.protocol}/${port.nodePort}`;
    if (taken.has(key)) errors.push(duplicate(field, port.nodePort));
    taken.add(key);
  });
}

function checkSessionAffinity(errors: FieldError[], spec: t.ServiceSpec): void {
  requireEnum(errors, 'spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']);
  const field = 'spec.sessionAffinityConfig';
  if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig) {
    errors.push(forbidden(field, 'must not be set when session affinity is None'));
  }
  if (spec.sessionAffinity !== 'ClientIP') return;
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds;
  const at = `${field}.clientIP.timeoutSeconds`;
  if (seconds === undefined) errors.push(required(at, 'when session affinity type is ClientIP'));
  else if (seconds <= 0 || seconds > maxAffinitySeconds) {
    errors.push(invalid(at, seconds, `must be greater than 0 and less than ${maxAffinitySeconds}`));
  }
}

function checkClusterIps(errors: FieldError[], spec: t.ServiceSpec): void {
  const { clusterIP, clusterIPs = [], ipFamilies = [] } = spec;
  const field = 'spec.clusterIPs';
  if (clusterIP && clusterIPs.length === 0) errors.push(required(field));
  else if (clusterIP && clusterIPs[0] !== clusterIP) {
    errors.push(invalid(field, clusterIPs, 'first value must match `clusterIP`'));
  } else if (!clusterIP && clusterIPs.length > 0) {
    errors.push(invalid(field, clusterIPs, 'must be empty when `clusterIP` is not specified'));
  }
  ipFamilies.forEach((family, i) => {
    if (!families.includes(family)) errors.push(notSupported(`spec.ipFamilies[${i}]`, family, families));
    if (ipFamilies.indexOf(family) < i) errors.push(duplicate(`spec.ipFamilies[${i}]`, family));
  });
  checkEnum(errors, 'spec.ipFamilyPolicy', spec.ipFamilyPolicy, familyPolicies);
  if (clusterIPs[0] === 'None') {
    if (clusterIPs.length > 1) errors.push(invalid(field, clusterIPs, "'None' must be the first and only value"));
    return;
  }
  const before = errors.length;
  clusterIPs.forEach((ip, i) => {
    requireIp(errors, `${field}[${i}]`, ip);
  });
  if (clusterIPs.length > 2) errors.push(invalid(field, clusterIPs, 'may only hold up to 2 values'));
  if (errors.length === before) checkFamilies(errors, clusterIPs, ipFamilies);
}

function checkFamilies(errors: FieldError[], ips: readonly string[], wanted: readonly string[]): void {
  const actual = ips.map((ip) => parseIp(ip)?.family);
  if (actual.length > 1 && actual[0] === actual[1]) {
    errors.push(invalid('spec.clusterIPs', ips, 'may specify no more than one IP for each IP family'));
  }
  ips.forEach((ip, i) => {
    const family = wanted[i];
    if (!family || !families.includes(family) || family === actual[i]) return;
    errors.push(invalid(`spec.clusterIPs[${i}]`, ip, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``));
  });
}

function checkLoadBalancer(errors: FieldError[], spec: t.ServiceSpec): void {
  const isLoadBalancer = spec.type === 'LoadBalancer';
  if (spec.loadBalancerSourceRanges?.length) {
    if (!isLoadBalancer) errors.push(forbidden('spec.LoadBalancerSourceRanges', onlyForLoadBalancer));
    spec.loadBalancerSourceRanges.forEach((range, i) => {
      if (!parseCidr(range.trim())) errors.push(invalid(`spec.LoadBalancerSourceRanges[${i}]`, range, cidrMessage));
    });
  }
  if (!isLoadBalancer && spec.allocateLoadBalancerNodePorts !== undefined) {
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', onlyForLoadBalancer));
  }
  if (spec.loadBalancerClass === undefined) return;
  if (isLoadBalancer) checkGiven(errors, 'spec.loadBalancerClass', spec.loadBalancerClass, qualifiedName);
  else errors.push(forbidden('spec.loadBalancerClass', onlyForLoadBalancer));
}

function checkTrafficPolicies(errors: FieldError[], spec: t.ServiceSpec): void {
  const { externalTrafficPolicy: external, healthCheckNodePort: health } = spec;
  const field = 'spec.externalTrafficPolicy';
  if (isExternallyAccessible(spec)) requireEnum(errors, field, external, ['Cluster', 'Local']);
  else if (external) errors.push(invalid(field, external, 'may only be set for externally-accessible services'));
  if (!needsHealthCheckPort(spec)) {
    if (health) {
      const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      errors.push(invalid('spec.healthCheckNodePort', health, detail));
    }
  } else if (health) checkPort(errors, 'spec.healthCheckNodePort', health);
  checkEnum(errors, 'spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local']);
  checkEnum(errors, 'spec.trafficDistribution', spec.trafficDistribution, distributions);
}

/** What is wrong with the addresses and families alone: what must be right before any can be allocated. */
export function validateClusterIps(spec: t.ServiceSpec): FieldError[] {
  const errors: FieldError[] = [];
  checkClusterIps(errors, spec);
  return errors;
}

/** Addresses, once given, stay; the second family may come and go. */
export function validateServiceUpdate({ spec: next }: t.Service, { spec: previous }: t.Service): FieldError[] {
  const errors: FieldError[] = [];
  if (next.type === 'LoadBalancer' && previous.type === 'LoadBalancer' && next.loadBalancerClass !== previous.loadBalancerClass) {
    errors.push(invalid('spec.loadBalancerClass', next.loadBalancerClass, 'may not change once set'));
  }
  if (needsHealthCheckPort(next) && needsHealthCheckPort(previous)) {
    if (!semanticEqual(next.healthCheckNodePort, previous.healthCheckNodePort)) {
      errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'));
    }
  }
  if (next.type === 'ExternalName' || previous.type === 'ExternalName') return errors;
  checkKeptAddresses(errors, next, previous);
  return errors;
}

function checkKeptAddresses(errors: FieldError[], next: t.ServiceSpec, previous: t.ServiceSpec): void {
  const [primary, secondary] = previous.clusterIPs ?? [];
  if (primary && !next.clusterIPs?.length) {
    errors.push(invalid('spec.clusterIPs[0]', next.clusterIPs ?? [], 'primary clusterIP can not be unset'));
  } else if (primary && next.clusterIPs?.[0] !== primary) {
    errors.push(invalid('spec.clusterIPs[0]', next.clusterIPs, 'may not change once set'));
  }
  const nextSecondary = next.clusterIPs?.[1];
  if (secondary && nextSecondary && nextSecondary !== secondary) {
    errors.push(invalid('spec.clusterIPs[1]', next.clusterIPs, 'may not change once set'));
  }
  const [family] = previous.ipFamilies ?? [];
  if (family && next.ipFamilies?.length && next.ipFamilies[0] !== family) {
    errors.push(invalid('spec.ipFamilies[0]', next.ipFamilies, 'may not change once set'));
  }
}

/** The addresses of a load balancer. */
export function validateServiceStatus({ spec, status }: t.Service): FieldError[] {
  const errors: FieldError[] = [];
  const ingress = status?.loadBalancer?.ingress ?? [];
  if (spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return [forbidden('status.loadBalancer.ingress', "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  ingress.forEach((entry, i) => {
    const at = `status.loadBalancer.ingress[${i}]`;
    checkIp(errors, `${at}.ip`, entry.ip);
    if (entry.ipMode === undefined) {
      if (entry.ip) errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (!entry.ip) errors.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    else checkEnum(errors, `${at}.ipMode`, entry.ipMode, ['Proxy', 'VIP']);
    checkText(errors, `${at}.hostname`, entry.hostname, dns1123Subdomain);
    if (entry.hostname && parseIp(entry.hostname)) {
      errors.push(invalid(`${at}.hostname`, entry.hostname, 'must be a DNS name, not an IP address'));
    }
  });
  return errors;
}
