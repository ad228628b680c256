import type { Container, EnvFromSource, EnvVar, Pod, Service } from '../../api/generated/types.ts';
import { expand } from './expand.ts';
import { type Allocatable, fieldValue, resourceValue } from './field-ref.ts';
import { ContainerConfigError, type ReferencedObjects } from './objects.ts';
import { serviceEnv } from './service-env.ts';

export interface EnvContext {
  readonly objects: ReferencedObjects;
  readonly services: readonly Service[];
  readonly allocatable: Allocatable;
}

/**
 * The environment of a container: envFrom, then env (with `$(NAME)` expanded from what stands before it), then service variables that
 * nothing else set. Rejects with a ContainerConfigError when something referred to is missing and not optional.
 */
export async function containerEnv(pod: Pod, container: Container, context: EnvContext): Promise<Map<string, string>> {
  const namespace = pod.metadata.namespace ?? '';
  const services = serviceEnv(context.services, namespace, pod.spec.enableServiceLinks ?? true);
  const env = new Map<string, string>();
  for (const source of container.envFrom ?? [])
    for (const [k, v] of await fromSource(namespace, source, context.objects)) env.set(k, v);
  const lookup = (name: string): string | undefined => env.get(name) ?? services.get(name);
  for (const variable of container.env ?? []) {
    const value = await variableValue(pod, container, variable, { context, lookup });
    if (value !== undefined) env.set(variable.name, value);
  }
  for (const [name, value] of services) if (!env.has(name)) env.set(name, value);
  return env;
}

async function fromSource(namespace: string, source: EnvFromSource, objects: ReferencedObjects): Promise<Map<string, string>> {
  const prefix = source.prefix ?? '';
  const found = new Map<string, string>();
  if (source.configMapRef) {
    const name = source.configMapRef.name ?? '';
    const object = await objects.configMap(namespace, name);
    if (!object && !source.configMapRef.optional) throw missing('configmap', name);
    for (const [key, value] of Object.entries(object?.data ?? {})) found.set(prefix + key, value);
  }
  if (source.secretRef) {
    const name = source.secretRef.name ?? '';
    const object = await objects.secret(namespace, name);
    if (!object && !source.secretRef.optional) throw missing('secret', name);
    for (const [key, value] of Object.entries(object?.data ?? {})) found.set(prefix + key, decode(value));
  }
  for (const key of found.keys()) if (key.includes('=') || key === '') found.delete(key);
  return found;
}

interface VariableContext {
  readonly context: EnvContext;
  readonly lookup: (name: string) => string | undefined;
}

/** undefined = an optional reference that is not there: the variable is not set. */
async function variableValue(
  pod: Pod,
  container: Container,
  variable: EnvVar,
  { context, lookup }: VariableContext,
): Promise<string | undefined> {
  const from = variable.valueFrom;
  if (!from) return expand(variable.value ?? '', lookup);
  const namespace = pod.metadata.namespace ?? '';
  if (from.fieldRef) {
    const value = fieldValue(pod, from.fieldRef.fieldPath);
    if (value === undefined) throw configError(`unsupported fieldPath: ${from.fieldRef.fieldPath}`);
    return value;
  }
  if (from.resourceFieldRef) {
    const value = resourceValue(pod, from.resourceFieldRef, { allocatable: context.allocatable, container });
    if (value === undefined) throw configError(`unsupported container resource : ${from.resourceFieldRef.resource}`);
    return value;
  }
  if (from.configMapKeyRef) {
    const { name = '', key, optional } = from.configMapKeyRef;
    const object = await context.objects.configMap(namespace, name);
    const value = object?.data?.[key];
    if (value === undefined && !optional)
      throw object ? configError(`couldn't find key ${key} in ConfigMap ${namespace}/${name}`) : missing('configmap', name);
    return value;
  }
  if (from.secretKeyRef) {
    const { name = '', key, optional } = from.secretKeyRef;
    const object = await context.objects.secret(namespace, name);
    const value = object?.data?.[key];
    if (value === undefined && !optional)
      throw object ? configError(`couldn't find key ${key} in Secret ${namespace}/${name}`) : missing('secret', name);
    return value === undefined ? undefined : decode(value);
  }
  throw configError(`environment variable ${variable.name} has a source this node does not know`);
}

const decode = (base64: string): string => Buffer.from(base64, 'base64').toString('utf8');
const missing = (what: string, name: string): ContainerConfigError => configError(`${what} "${name}" not found`);
const configError = (message: string): ContainerConfigError => new ContainerConfigError('CreateContainerConfigError', message);
