import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkGiven, checkPort, checkText } from '../../validation/checks.ts';
import { invalid, notSupported, required } from '../../validation/errors.ts';
import { checkIp, parseIp } from '../../validation/ip.ts';
import { dns1123Label, dns1123Subdomain, pathSegment, portName, wildcardSubdomain } from '../../validation/names.ts';

export const classAnnotation = 'kubernetes.io/ingress.class';
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const forbiddenInPath = ['//', '/./', '/../', '%2f', '%2F'];
const forbiddenAtEnd = ['/..', '/.'];

/** kubernetes: pkg/apis/networking/validation/validation.go. */
export function validateIngress({ metadata, spec }: t.Ingress): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const annotation = metadata.annotations?.[classAnnotation];
  if (annotation !== undefined && spec.ingressClassName !== undefined && annotation !== spec.ingressClassName) {
    const field = `annotations.${classAnnotation}`;
    errors.push(invalid(field, annotation, 'must match `ingressClassName` when both are specified'));
  }
  const { rules = [], defaultBackend, tls = [] } = spec;
  if (rules.length === 0 && !defaultBackend) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend) checkBackend(errors, 'spec.defaultBackend', defaultBackend);
  rules.forEach((rule, i) => {
    checkRule(errors, `spec.rules[${i}]`, rule);
  });
  tls.forEach(({ hosts = [], secretName }, i) => {
    hosts.forEach((host, h) => {
      checkHostName(errors, `spec.tls[${i}].hosts[${h}]`, host);
    });
    checkText(errors, `spec.tls[${i}].secretName`, secretName, dns1123Subdomain);
  });
  checkGiven(errors, 'spec.ingressClassName', spec.ingressClassName, dns1123Subdomain);
  return errors;
}

function checkHostName(errors: FieldError[], field: string, host: string): void {
  checkGiven(errors, field, host, host.includes('*') ? wildcardSubdomain : dns1123Subdomain);
}

function checkRule(errors: FieldError[], at: string, { host, http }: t.IngressRule): void {
  if (host) {
    if (parseIp(host)) errors.push(invalid(`${at}.host`, host, 'must be a DNS name, not an IP address'));
    else checkHostName(errors, `${at}.host`, host);
  }
  if (!http) return;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(required(`${at}.http.paths`));
  paths.forEach((path, i) => {
    checkPath(errors, `${at}.http.paths[${i}]`, path);
  });
}

function checkPath(errors: FieldError[], at: string, { path = '', pathType, backend }: t.HTTPIngressPath): void {
  if (pathType === undefined || pathType === null) {
    errors.push(required(`${at}.pathType`, 'pathType must be specified'));
    return;
  }
  if (!pathTypes.includes(pathType)) errors.push(notSupported(`${at}.pathType`, pathType, pathTypes));
  else if (!path.startsWith('/') && (path || pathType !== 'ImplementationSpecific')) {
    errors.push(invalid(`${at}.path`, path, 'must be an absolute path'));
  }
  if (pathType === 'Exact' || pathType === 'Prefix') {
    for (const part of forbiddenInPath) {
      if (path.includes(part)) errors.push(invalid(`${at}.path`, path, `must not contain '${part}'`));
    }
    for (const end of forbiddenAtEnd) {
      if (path.endsWith(end)) errors.push(invalid(`${at}.path`, path, `cannot end with '${end}'`));
    }
  }
  checkBackend(errors, `${at}.backend`, backend ?? {});
}

function checkBackend(errors: FieldError[], at: string, { service, resource }: t.IngressBackend): void {
  if (service && resource) errors.push(invalid(at, '', 'cannot set both resource and service backends'));
  else if (resource) checkResource(errors, `${at}.resource`, resource);
  else if (service) checkService(errors, at, service);
  else errors.push(invalid(at, '', 'resource or service backend is required'));
}

function checkService(errors: FieldError[], at: string, { name, port = {} }: t.IngressServiceBackend): void {
  if (!name) errors.push(required(`${at}.service.name`));
  else checkText(errors, `${at}.service.name`, name, dns1123Label);
  if (port.name && port.number) errors.push(invalid(at, '', 'cannot set both port name & port number'));
  else if (port.name) checkText(errors, `${at}.service.port.name`, port.name, portName);
  else if (port.number) checkPort(errors, `${at}.service.port.number`, port.number);
  else errors.push(required(at, 'port name or number is required'));
}

function checkResource(errors: FieldError[], at: string, { apiGroup, kind, name }: t.TypedLocalObjectReference): void {
  checkGiven(errors, `${at}.apiGroup`, apiGroup, dns1123Subdomain);
  for (const [field, value] of [
    ['kind', kind],
    ['name', name],
  ] as const) {
    if (!value) errors.push(required(`${at}.${field}`));
    else checkText(errors, `${at}.${field}`, value, pathSegment);
  }
}

/** Where an ingress can be reached. */
export function validateIngressStatus({ status }: t.Ingress): FieldError[] {
  const errors: FieldError[] = [];
  status?.loadBalancer?.ingress?.forEach(({ ip, hostname }, i) => {
    const at = `status.loadBalancer.ingress[${i}]`;
    checkIp(errors, `${at}.ip`, ip);
    checkText(errors, `${at}.hostname`, hostname, dns1123Subdomain);
    if (hostname && parseIp(hostname)) {
      errors.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
  });
  return errors;
}
