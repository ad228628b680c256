import { Pod } from '../../../api/kinds/core/pod.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import { badRequest, notFound, serviceUnavailable } from '../../../api/status-error.ts';
import type { Reader } from '../../registry/reader.ts';

export interface ProxyTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

/** `[scheme:]name[:port]`, as it stands in the URL. Undefined when it is something else. */
function parseProxyName(text: string): { scheme: 'http' | 'https'; name: string; port: string } | undefined {
  const parts = text.split(':');
  if (parts.length > 3) return undefined;
  if (parts.length < 3) return { scheme: 'http', name: parts[0]!, port: parts[1] ?? '' };
  const [scheme, name = '', port = ''] = parts;
  if (scheme !== 'http' && scheme !== 'https' && scheme !== '') return undefined;
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

/** Where a pod listens: the given port, else its first declared one. */
export function podTarget(reader: Reader, namespace: string, text: string): ProxyTarget {
  const asked = parseProxyName(text);
  if (!asked) throw badRequest(`invalid pod request ${JSON.stringify(text)}`);
  const pod = reader.get(Pod, { namespace, name: asked.name });
  if (!pod) throw notFound(Pod, asked.name);
  const host = pod.status?.podIPs?.[0]?.ip;
  if (!host) throw badRequest('address not allowed');
  const declared = pod.spec.containers.flatMap((c) => c.ports ?? [])[0]?.containerPort;
  return { scheme: asked.scheme, host, port: Number(asked.port) || declared || (asked.scheme === 'https' ? 443 : 80) };
}

/** A ready endpoint of a service, for a port given by name or number (kubernetes: pkg/registry/core/service/storage/storage.go). */
export function serviceTarget(reader: Reader, namespace: string, text: string, random: () => number): ProxyTarget {
  const asked = parseProxyName(text);
  if (!asked) throw badRequest(`invalid service request ${JSON.stringify(text)}`);
  const service = reader.get(Service, { namespace, name: asked.name });
  if (!service) throw notFound(Service, asked.name);
  const ports = service.spec.ports ?? [];
  const port = asked.port
    ? ports.find((p) => p.name === asked.port || String(p.port) === asked.port)
    : ports.length === 1
      ? ports[0]
      : undefined;
  if (!port)
    throw serviceUnavailable(`no service port ${JSON.stringify(asked.port)} found for service ${JSON.stringify(asked.name)}`);
  const targets = endpointsOf(reader, namespace, asked.name, port.name ?? '');
  const chosen = targets[Math.floor(random() * targets.length)];
  if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(text)}`);
  return { scheme: asked.scheme, ...chosen };
}

function endpointsOf(reader: Reader, namespace: string, service: string, portName: string): { host: string; port: number }[] {
  const targets: { host: string; port: number }[] = [];
  for (const slice of reader.list(EndpointSlice, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service) continue;
    const port = slice.ports?.find((p) => (p.name ?? '') === portName)?.port;
    if (!port) continue;
    for (const endpoint of slice.endpoints ?? []) {
      if (endpoint.conditions?.ready === false) continue;
      for (const host of endpoint.addresses) targets.push({ host, port });
    }
  }
  return targets;
}
