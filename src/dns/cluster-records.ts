import type { Service } from '../api/kinds/core/service.ts';
import type { EndpointSlice } from '../api/kinds/discovery/endpoint-slice.ts';

/** What the cluster's zone is made of. Looked up per question: nothing is kept beside the informers. */
export interface ClusterSource {
  service(namespace: string, name: string): Service | undefined;
  slices(namespace: string, service: string): readonly EndpointSlice[];
  namespaceExists(namespace: string): boolean;
  /** `namespace/name` of the service that has this cluster IP. */
  serviceOfIp(ip: string): { readonly namespace: string; readonly name: string } | undefined;
}

/** The records of one name, whatever their type; undefined = the name does not exist. */
export interface Records {
  readonly a: readonly string[];
  readonly aaaa: readonly string[];
  readonly cname?: string;
  readonly srv: readonly { readonly target: string; readonly port: number }[];
}

const nothing: Records = { a: [], aaaa: [], srv: [] };

/**
 * The Kubernetes DNS specification 1.1: services, headless services with and without host names, named ports, ExternalName, pods by address.
 * `labels` are those in front of the cluster domain, lower case, e.g. `['web', 'default', 'svc']`.
 */
export function clusterRecords(labels: readonly string[], domain: string, source: ClusterSource): Records | undefined {
  const kind = labels.at(-1);
  const namespace = labels.at(-2);
  if (labels.length === 0) return nothing;
  if (kind !== 'svc' && kind !== 'pod') return undefined;
  if (namespace === undefined) return nothing;
  if (!source.namespaceExists(namespace)) return undefined;
  const rest = labels.slice(0, -2);
  if (rest.length === 0) return nothing;
  if (kind === 'pod') return rest.length === 1 ? podRecords(rest[0]!) : undefined;
  return serviceRecords(rest, namespace, domain, source);
}

/** `10-42-0-7` → 10.42.0.7 */
function podRecords(label: string): Records | undefined {
  const parts = label.split('-');
  if (parts.length === 4 && parts.every((p) => /^\d{1,3}$/.test(p) && Number(p) < 256))
    return { ...nothing, a: [parts.join('.')] };
  return undefined;
}

function serviceRecords(
  labels: readonly string[],
  namespace: string,
  domain: string,
  source: ClusterSource,
): Records | undefined {
  const name = labels.at(-1)!;
  const service = source.service(namespace, name);
  if (!service) return undefined;
  const own = `${name}.${namespace}.svc.${domain}`;
  if (service.spec.type === 'ExternalName') {
    return labels.length === 1 && service.spec.externalName
      ? { ...nothing, cname: service.spec.externalName.replace(/\.$/, '') }
      : undefined;
  }
  const headless = service.spec.clusterIP === 'None';
  const endpoints = headless ? headlessEndpoints(service, source.slices(namespace, name)) : [];
  if (labels.length === 1) return byFamily(headless ? endpoints.map((e) => e.ip) : clusterIps(service));
  if (labels.length === 2) {
    const host = endpoints.filter((e) => e.host === labels[0]);
    return host.length > 0 ? byFamily(host.map((e) => e.ip)) : undefined;
  }
  if (labels.length === 3 && labels[0]!.startsWith('_') && labels[1]!.startsWith('_')) {
    return portRecords(service, endpoints, { port: labels[0]!.slice(1), protocol: labels[1]!.slice(1).toUpperCase() }, own);
  }
  return undefined;
}

interface HeadlessEndpoint {
  readonly ip: string;
  readonly host: string;
  readonly ports: readonly { readonly name: string; readonly protocol: string; readonly port: number }[];
}

/** Ready endpoints, or all of them where the service publishes addresses that are not ready. */
function headlessEndpoints(service: Service, slices: readonly EndpointSlice[]): HeadlessEndpoint[] {
  return slices.flatMap((slice) =>
    (slice.endpoints ?? [])
      .filter((e) => service.spec.publishNotReadyAddresses === true || (e.conditions?.ready ?? true))
      .flatMap((e) =>
        e.addresses.map((ip) => ({
          ip,
          host: e.hostname ?? ip.replace(/[.:]/g, '-'),
          ports: (slice.ports ?? []).map((p) => ({ name: p.name ?? '', protocol: p.protocol ?? 'TCP', port: p.port ?? 0 })),
        })),
      ),
  );
}

function portRecords(
  service: Service,
  endpoints: readonly HeadlessEndpoint[],
  wanted: { port: string; protocol: string },
  own: string,
): Records | undefined {
  const matches = (p: { name?: string; protocol?: string }): boolean =>
    p.name?.toLowerCase() === wanted.port && (p.protocol ?? 'TCP') === wanted.protocol;
  const srv =
    service.spec.clusterIP === 'None'
      ? endpoints.flatMap((e) => e.ports.filter(matches).map((p) => ({ target: `${e.host}.${own}`, port: p.port })))
      : (service.spec.ports ?? []).filter(matches).map((p) => ({ target: own, port: p.port }));
  return srv.length > 0 ? { ...nothing, srv } : undefined;
}

function clusterIps(service: Service): string[] {
  return service.spec.clusterIPs ?? (service.spec.clusterIP ? [service.spec.clusterIP] : []);
}

function byFamily(ips: readonly string[]): Records {
  const distinct = [...new Set(ips)];
  return { a: distinct.filter((ip) => ip.includes('.')), aaaa: distinct.filter((ip) => ip.includes(':')), srv: [] };
}
