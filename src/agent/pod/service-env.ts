import type { Service, ServicePort } from '../../api/generated/types.ts';

/**
 * The `{NAME}_SERVICE_HOST` … variables of the services a pod sees: those of its namespace when `links` is on, and always
 * `kubernetes` of the default namespace. Rule: kubernetes.io/docs/concepts/services-networking/service/#environment-variables.
 */
export function serviceEnv(services: readonly Service[], namespace: string, links: boolean): Map<string, string> {
  const byName = new Map<string, Service>();
  for (const service of services) {
    const { clusterIP } = service.spec;
    if (!clusterIP || clusterIP === 'None') continue;
    const isMaster = service.metadata.namespace === 'default' && service.metadata.name === 'kubernetes';
    if (isMaster && !byName.has('kubernetes')) byName.set('kubernetes', service);
    if (links && service.metadata.namespace === namespace) byName.set(service.metadata.name, service);
  }
  const env = new Map<string, string>();
  for (const [name, service] of byName) addService(env, variableName(name), service);
  return env;
}

const variableName = (text: string): string => text.toUpperCase().replaceAll('-', '_').replaceAll('.', '_');

function addService(env: Map<string, string>, name: string, service: Service): void {
  const ip = service.spec.clusterIP!;
  const host = ip.includes(':') ? `[${ip}]` : ip;
  const ports = service.spec.ports ?? [];
  const first = ports[0];
  if (!first) return;
  env.set(`${name}_SERVICE_HOST`, ip);
  env.set(`${name}_SERVICE_PORT`, String(first.port));
  for (const port of ports) if (port.name) env.set(`${name}_SERVICE_PORT_${variableName(port.name)}`, String(port.port));
  env.set(`${name}_PORT`, url(host, first));
  for (const port of ports) {
    const prefix = `${name}_PORT_${port.port}_${port.protocol ?? 'TCP'}`;
    env.set(prefix, url(host, port));
    env.set(`${prefix}_PROTO`, (port.protocol ?? 'TCP').toLowerCase());
    env.set(`${prefix}_PORT`, String(port.port));
    env.set(`${prefix}_ADDR`, ip);
  }
}

const url = (host: string, port: ServicePort): string => `${(port.protocol ?? 'TCP').toLowerCase()}://${host}:${port.port}`;
