import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkText, requireText } from '../../validation/checks.ts';
import { invalid, notSupported, required } from '../../validation/errors.ts';
import { configMapKey, dns1123Label, dns1123Subdomain, envVarName, qualifiedName } from '../../validation/names.ts';
import { checkNoBacksteps } from '../../validation/paths.ts';

const envFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const resourceFields = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const onlyOneSource = 'may not have more than one field specified at a time';

export function checkEnv(errors: FieldError[], field: string, variables: t.EnvVar[]): void {
  for (let i = 0; i < variables.length; i++) {
    const variable = variables[i]!;
    if (!variable.name) errors.push(required(`${field}[${i}].name`));
    else checkText(errors, `${field}[${i}].name`, variable.name, envVarName);
    if (variable.valueFrom) checkValueFrom(errors, `${field}[${i}].valueFrom`, variable, variable.valueFrom);
  }
}

function checkValueFrom(errors: FieldError[], at: string, variable: t.EnvVar, from: t.EnvVarSource): void {
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = from;
  if (fieldRef) checkFieldRef(errors, `${at}.fieldRef`, fieldRef, envFields);
  if (resourceFieldRef) checkResourceFieldRef(errors, `${at}.resourceFieldRef`, resourceFieldRef);
  if (configMapKeyRef) checkKeyRef(errors, `${at}.configMapKeyRef`, configMapKeyRef);
  if (secretKeyRef) checkKeyRef(errors, `${at}.secretKeyRef`, secretKeyRef);
  if (fileKeyRef) checkFileKeyRef(errors, `${at}.fileKeyRef`, fileKeyRef);
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(Boolean).length;
  if (sources === 0) {
    const names = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalid(at, '', `must specify one of: ${names}`));
  } else if (variable.value) errors.push(invalid(at, '', 'may not be specified when `value` is not empty'));
  else if (sources > 1) errors.push(invalid(at, '', onlyOneSource));
}

function checkKeyRef(errors: FieldError[], at: string, ref: t.ConfigMapKeySelector | t.SecretKeySelector): void {
  for (const problem of dns1123Subdomain(ref.name ?? '')) errors.push(invalid(`${at}.name`, ref.name ?? '', problem));
  requireText(errors, `${at}.key`, ref.key, configMapKey);
}

function checkFileKeyRef(errors: FieldError[], at: string, ref: t.FileKeySelector): void {
  requireText(errors, `${at}.key`, ref.key, envVarName);
  requireText(errors, `${at}.volumeName`, ref.volumeName, dns1123Label);
  if (!ref.path) errors.push(required(`${at}.path`));
  else checkNoBacksteps(errors, `${at}.path`, ref.path);
}

/** A field of the pod for env or downwardAPI: one of `supported`, or `metadata.labels['key']` / `metadata.annotations['key']`. */
export function checkFieldRef(errors: FieldError[], at: string, ref: t.ObjectFieldSelector, supported: readonly string[]): void {
  const path = ref.fieldPath;
  if (!path) {
    errors.push(required(`${at}.fieldPath`));
    return;
  }
  if (ref.apiVersion && ref.apiVersion !== 'v1') {
    const detail = `error converting fieldPath: unsupported pod version: ${ref.apiVersion}`;
    errors.push(invalid(`${at}.fieldPath`, path, detail));
    return;
  }
  const subscript = /^(.+)\['(.*)'\]$/.exec(path);
  if (!subscript) {
    if (!supported.includes(path)) checkUnknownFieldPath(errors, `${at}.fieldPath`, path, supported);
    return;
  }
  const [, map = '', key = ''] = subscript;
  if (map === 'metadata.annotations') checkText(errors, at, key.toLowerCase(), qualifiedName);
  else if (map === 'metadata.labels') checkText(errors, at, key, qualifiedName);
  else
    errors.push(invalid(`${at}.fieldPath`, path, `error converting fieldPath: field label does not support subscript: ${path}`));
}

const knownPodFields = [
  ...envFields,
  'metadata.labels',
  'metadata.annotations',
  'spec.restartPolicy',
  'spec.schedulerName',
  'status.phase',
];

function checkUnknownFieldPath(errors: FieldError[], at: string, path: string, supported: readonly string[]): void {
  if (knownPodFields.includes(path)) errors.push(notSupported(at, path, [...supported].sort()));
  else errors.push(invalid(at, path, `error converting fieldPath: field label not supported: ${path}`));
}

/** A request or limit of a container for env or downwardAPI; `needsContainer` for volumes, which belong to no container. */
export function checkResourceFieldRef(
  errors: FieldError[],
  at: string,
  ref: t.ResourceFieldSelector,
  needsContainer = false,
): void {
  const { resource } = ref;
  if (needsContainer && !ref.containerName) errors.push(required(`${at}.containerName`));
  else if (!resource) {
    errors.push(required(`${at}.resource`));
    return;
  } else if (!resourceFields.includes(resource) && !/^(requests|limits)\.hugepages-/.test(resource)) {
    errors.push(notSupported(`${at}.resource`, resource, resourceFields));
  } else checkDivisor(errors, at, resource, ref.divisor ?? '0');
}

const sizes = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

function checkDivisor(errors: FieldError[], at: string, resource: string, divisor: string): void {
  if (divisor === '0') return;
  if (resource.endsWith('.cpu')) {
    if (divisor === '1' || divisor === '1m') return;
    errors.push(invalid(`${at}.divisor`, resource, "only divisor's values 1m and 1 are supported with the cpu resource"));
    return;
  }
  if (sizes.includes(divisor)) return;
  const what = resource.endsWith('.memory')
    ? 'memory'
    : resource.includes('hugepages-')
      ? 'hugepages'
      : 'local ephemeral storage';
  errors.push(
    invalid(`${at}.divisor`, resource, `only divisor's values ${sizes.join(', ')} are supported with the ${what} resource`),
  );
}

export function checkEnvFrom(errors: FieldError[], field: string, sources: t.EnvFromSource[]): void {
  sources.forEach((source, i) => {
    const at = `${field}[${i}]`;
    checkText(errors, `${at}.prefix`, source.prefix, envVarName);
    const { configMapRef, secretRef } = source;
    if (configMapRef) requireText(errors, `${at}.configMapRef.name`, configMapRef.name, dns1123Subdomain);
    if (secretRef) requireText(errors, `${at}.secretRef.name`, secretRef.name, dns1123Subdomain);
    if (!configMapRef && !secretRef) errors.push(invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    else if (configMapRef && secretRef) errors.push(invalid(field, '', onlyOneSource));
  });
}
