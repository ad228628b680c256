import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { FieldError } from '../../../api/field-error.ts';
import { checkEndpointIp } from '../../../api/kinds/core/endpoint-ip.ts';
import { Endpoints } from '../../../api/kinds/core/endpoints.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import { badRequest, notFound, serviceUnavailable } from '../../../api/status-error.ts';
import type { Reader } from '../../registry/reader.ts';
import { nodeAddress } from './node-connection.ts';

export interface ProxyTarget {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
  /** A node's agent, which wants the server's certificate and shows one of ours. */
  readonly isAgent?: boolean;
}

/** `[scheme:]name[:port]`, as it stands in the URL. Throws StatusError 400 for something else. */
function parseProxyName(what: string, text: string): { scheme: 'http' | 'https'; name: string; port: string } {
  const parts = text.split(':');
  const [scheme = '', name = '', port = ''] = parts.length === 3 ? parts : ['', ...parts];
  if (parts.length > 3 || !name || !schemes.has(scheme)) throw badRequest(`invalid ${what} request ${JSON.stringify(text)}`);
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port };
}

const schemes: ReadonlySet<string> = new Set(['http', 'https', '']);

/** The agent of a node, or another port of its machine. Rules: kubernetes, pkg/registry/core/node/strategy.go. */
export function nodeTarget(reader: Reader, text: string): ProxyTarget {
  const { scheme, name, port } = parseProxyName('node', text);
  const agent = nodeAddress(reader, name);
  if (port === '' || port === String(agent.port)) return { scheme: 'https', ...agent, isAgent: true };
  if (isIP(agent.host) && !canBeProxied(agent.host)) throw badRequest('address not allowed');
  return { scheme, host: agent.host, port: portNumber(port) };
}

/**
 * The same target by an address: a name may lead back to this machine, and elsewhere when it is asked for again. Agents show by their certificate
 * that they are the right one. Throws StatusError 400 for names that are nowhere, or where nobody is to be led.
 */
export async function resolveTarget(target: ProxyTarget): Promise<ProxyTarget> {
  if (target.isAgent || isIP(target.host)) return target;
  const found = await lookup(target.host, { all: true }).catch((error: Error) => {
    throw badRequest(error.message);
  });
  if (!found.every(({ address }) => canBeProxied(address))) throw badRequest('address not allowed');
  return { ...target, host: found[0]!.address };
}

/** Where a pod listens: the given port, else its first declared one. */
export function podTarget(reader: Reader, namespace: string, text: string): ProxyTarget {
  const { scheme, name, port } = parseProxyName('pod', text);
  const pod = reader.get(Pod, { namespace, name });
  if (!pod) throw notFound(Pod, name);
  const host = pod.status?.podIPs?.[0]?.ip;
  if (!host || !canBeProxied(host)) throw badRequest('address not allowed');
  if (port) return { scheme, host, port: portNumber(port) };
  const declared = pod.spec.containers.flatMap((c) => c.ports ?? [])[0]?.containerPort;
  return { scheme, host, port: declared ?? (scheme === 'https' ? 443 : 80) };
}

/** A ready endpoint of a service, for a port given by name or number (kubernetes: pkg/registry/core/service/storage/storage.go). */
export function serviceTarget(reader: Reader, namespace: string, text: string, random: () => number): ProxyTarget {
  const { scheme, name, port } = parseProxyName('service', text);
  const service = reader.get(Service, { namespace, name });
  if (!service) throw notFound(Service, name);
  const portName = isNumber.test(port) ? portNameOf(service, Number(port)) : port;
  // Services that leave their endpoints to others, until those have made some.
  if (!reader.get(Endpoints, { namespace, name })) throw notFound(Service, name);
  const endpoints = readyEndpoints(reader, namespace, name);
  if (endpoints.length === 0) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(name)}`);
  const targets = endpoints.filter((endpoint) => endpoint.portName === portName);
  const chosen = targets[Math.floor(random() * targets.length)];
  if (!chosen) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(text)}`);
  return { scheme, host: chosen.host, port: chosen.port };
}

const isNumber = /^[+-]?\d+$/;

function portNameOf(service: Service, number: number): string {
  const port = service.spec.ports?.find((p) => p.port === number);
  if (!port) throw serviceUnavailable(`no service port ${number} found for service ${JSON.stringify(service.metadata.name)}`);
  return port.name ?? '';
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly portName: string;
}

/** Addresses that are those of pods of the namespace: what else an EndpointSlice may say is nowhere the server would connect to. */
function readyEndpoints(reader: Reader, namespace: string, service: string): Endpoint[] {
  const found: Endpoint[] = [];
  for (const slice of reader.list(EndpointSlice, namespace)) {
    if (slice.metadata.labels?.['kubernetes.io/service-name'] !== service) continue;
    for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
      if (conditions?.ready === false || targetRef?.namespace !== namespace) continue;
      const pod = reader.get(Pod, { namespace, name: targetRef.name ?? '' });
      const own = addresses.filter((address) => pod?.status?.podIPs?.some(({ ip }) => ip === address));
      for (const { port, name = '' } of slice.ports ?? [])
        if (port) found.push(...own.filter(canBeProxied).map((host) => ({ host, port, portName: name })));
    }
  }
  return found;
}

/** A port of a URL. Names mean nothing there. */
function portNumber(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw badRequest(`invalid port ${JSON.stringify(text)}`);
  return port;
}

/** False for addresses that would lead back to this machine, or are those of no machine: what Go calls not a global unicast address. */
function canBeProxied(text: string): boolean {
  const errors: FieldError[] = [];
  checkEndpointIp(errors, '', text);
  return errors.length === 0 && !/^(?:22[4-9]|23\d)\.|^255\.255\.255\.255$|^ff/i.test(text);
}
