import { createHash } from 'node:crypto';
import type { Chain, Collection, Table } from '../nft/table.ts';
import type { Backend, ServicePort } from './service-ports.ts';

/** A hostPort of a pod on this node. */
export interface HostPort {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly hostPort: number;
  /** Empty = every address of the node. */
  readonly hostIp: string;
  readonly podIp: string;
  readonly containerPort: number;
}

export interface ProxyInput {
  readonly tableName: string;
  /** Pods of the whole cluster. */
  readonly clusterCidr: string;
  /** Pods of this node; empty until the node has a range. */
  readonly podCidr: string;
  readonly services: readonly ServicePort[];
  readonly hostPorts: readonly HostPort[];
}

/** Packets that must leave with this node's address carry this mark; the bit is the one Kubernetes has always used. */
const masqueradeMark = '0x4000';
/** Clients remembered per backend of a service with affinity. */
const maxAffinityClients = 65_536;
const setMark = `meta mark set mark or ${masqueradeMark}`;

/**
 * The whole nftables table of a node: services, node ports, host ports, masquerading of pods that talk to the outside. Pure: the same input gives
 * the same table. Layout as in kube-proxy's nftables mode (verdict maps from address to a chain per service); the choice among backends is one
 * rule per service instead of a chain per endpoint.
 */
export function planTable(input: ProxyInput): Table {
  const serviceIps = new Map<string, string>();
  const nodePorts = new Map<string, string>();
  const refused = new Map<string, string>();
  const refusedNodePorts = new Map<string, string>();
  const clusterIps = new Map<string, string>();
  const hairpin = new Map<string, string>();
  const sets = new Map<string, Collection>();
  const chains = new Map<string, Chain>(baseChains(input));
  for (const service of input.services) {
    addService({ service, input, serviceIps, nodePorts, refused, refusedNodePorts, chains, sets });
    clusterIps.set(service.clusterIp, '');
    for (const { ip } of [...service.backends, ...service.externalBackends]) hairpin.set(`${ip} . ${ip}`, '');
  }
  for (const { podIp } of input.hostPorts) hairpin.set(`${podIp} . ${podIp}`, '');
  sets.set('hairpin', { declaration: 'type ipv4_addr . ipv4_addr;', elements: hairpin });
  sets.set('cluster-ips', { declaration: 'type ipv4_addr;', elements: clusterIps });
  const byAddress = 'type ipv4_addr . inet_proto . inet_service : verdict;';
  const byPort = 'type inet_proto . inet_service : verdict;';
  const maps = new Map<string, Collection>([
    ['service-ips', { declaration: byAddress, elements: serviceIps }],
    ['service-node-ports', { declaration: byPort, elements: nodePorts }],
    ['refused-services', { declaration: byAddress, elements: refused }],
    ['refused-node-ports', { declaration: byPort, elements: refusedNodePorts }],
  ]);
  return { family: 'ip', name: input.tableName, maps, sets, chains };
}

function baseChains(input: ProxyInput): [string, Chain][] {
  const hostPorts = input.hostPorts.map(
    (p) =>
      `${p.hostIp && p.hostIp !== '0.0.0.0' ? `ip daddr ${p.hostIp}` : 'fib daddr type local'} ${p.protocol} dport ${p.hostPort} dnat to ${p.podIp}:${p.containerPort}`,
  );
  const outside = input.podCidr
    ? [`ip saddr ${input.podCidr} ip daddr != ${input.clusterCidr} ip daddr != 224.0.0.0/4 masquerade fully-random`]
    : [];
  const services = [
    'ip daddr . meta l4proto . th dport vmap @service-ips',
    'ip daddr != 127.0.0.0/8 fib daddr type local meta l4proto . th dport vmap @service-node-ports',
    'jump host-ports',
  ];
  const refuse = [
    'ct state new ip daddr . meta l4proto . th dport vmap @refused-services',
    'ct state new fib daddr type local meta l4proto . th dport vmap @refused-node-ports',
  ];
  // What still carries a service address here asked for a port the service does not have.
  const noSuchPort = ['ct state new ip daddr @cluster-ips goto refuse'];
  return [
    ['refuse', { rules: ['meta l4proto tcp reject with tcp reset', 'reject'] }],
    ['drop-silently', { rules: ['drop'] }],
    ['host-ports', { rules: hostPorts }],
    ['services', { rules: services }],
    ['nat-prerouting', { hook: 'type nat hook prerouting priority dstnat; policy accept;', rules: ['jump services'] }],
    ['nat-output', { hook: 'type nat hook output priority -100; policy accept;', rules: ['jump services'] }],
    [
      'nat-postrouting',
      {
        hook: 'type nat hook postrouting priority srcnat; policy accept;',
        rules: [
          `meta mark and ${masqueradeMark} == ${masqueradeMark} meta mark set mark xor ${masqueradeMark} masquerade fully-random`,
          'ct status dnat ip saddr . ip daddr @hairpin masquerade fully-random',
          ...outside,
        ],
      },
    ],
    ['filter-forward', { hook: 'type filter hook forward priority -110; policy accept;', rules: [...refuse, ...noSuchPort] }],
    ['filter-input', { hook: 'type filter hook input priority -110; policy accept;', rules: refuse }],
    ['filter-output', { hook: 'type filter hook output priority -90; policy accept;', rules: [...refuse, ...noSuchPort] }],
  ];
}

interface ServiceSinks {
  readonly service: ServicePort;
  readonly input: ProxyInput;
  readonly serviceIps: Map<string, string>;
  readonly nodePorts: Map<string, string>;
  readonly refused: Map<string, string>;
  readonly refusedNodePorts: Map<string, string>;
  readonly chains: Map<string, Chain>;
  readonly sets: Map<string, Collection>;
}

function addService(sinks: ServiceSinks): void {
  const { service, input, serviceIps, nodePorts, refused, refusedNodePorts, chains } = sinks;
  const key = (ip: string): string => `${ip} . ${service.protocol} . ${service.port}`;
  const hash = createHash('sha256').update(`${service.id}/${service.protocol}`).digest('hex').slice(0, 12);
  const internal = `service-${hash}`;
  const external = `external-${hash}`;
  if (service.backends.length === 0) refused.set(key(service.clusterIp), 'goto refuse');
  else {
    // A client that is no pod (the node itself, another machine) must get its answer back through this node.
    const fromOutside = `ip saddr != ${input.clusterCidr} ${setMark}`;
    chains.set(internal, { rules: [fromOutside, ...forward(sinks, internal, service.backends)] });
    serviceIps.set(key(service.clusterIp), `goto ${internal}`);
  }
  const outside = [...service.externalIps.map(key)];
  if (outside.length === 0 && service.nodePort === 0) return;
  if (service.externalBackends.length === 0) {
    const verdict = service.externalLocal ? 'goto drop-silently' : 'goto refuse';
    for (const k of outside) refused.set(k, verdict);
    if (service.nodePort > 0) refusedNodePorts.set(`${service.protocol} . ${service.nodePort}`, verdict);
    return;
  }
  const allowed = service.sourceRanges.length > 0 ? [`ip saddr != { ${service.sourceRanges.join(', ')} } return`] : [];
  // Pods of the cluster are not bound to this node's backends by the policy for outside traffic.
  const fromPods = service.externalLocal && service.backends.length > 0 ? [`ip saddr ${input.clusterCidr} goto ${internal}`] : [];
  const mark = service.externalLocal ? [] : [setMark];
  chains.set(external, { rules: [...allowed, ...fromPods, ...mark, ...forward(sinks, external, service.externalBackends)] });
  for (const k of outside) serviceIps.set(k, `goto ${external}`);
  if (service.nodePort > 0) nodePorts.set(`${service.protocol} . ${service.nodePort}`, `goto ${external}`);
}

/** The rules that choose a backend. With affinity each backend has the set of clients that were sent to it, which forgets them after a time. */
function forward(sinks: ServiceSinks, chain: string, backends: readonly Backend[]): string[] {
  const { service, sets, chains } = sinks;
  const { protocol, affinitySeconds } = service;
  if (affinitySeconds === 0) return [`meta l4proto ${protocol} dnat to ${choice(backends)}`];
  const names = backends.map((backend) => {
    const id = `${chain}-${backend.ip.replaceAll('.', '-')}-${backend.port}`;
    sets.set(`clients-${id}`, {
      declaration: `type ipv4_addr; flags dynamic,timeout; timeout ${affinitySeconds}s; size ${maxAffinityClients};`,
      elements: new Map(),
    });
    const rules = [`update @clients-${id} { ip saddr }`, `meta l4proto ${protocol} dnat to ${backend.ip}:${backend.port}`];
    chains.set(`backend-${id}`, { rules });
    return id;
  });
  const remembered = names.map((id) => `ip saddr @clients-${id} goto backend-${id}`);
  const targets = names.map((id, i) => `${i} : goto backend-${id}`).join(', ');
  return [...remembered, `numgen random mod ${names.length} vmap { ${targets} }`];
}

function choice(backends: readonly Backend[]): string {
  if (backends.length === 1) return `${backends[0]!.ip}:${backends[0]!.port}`;
  const targets = backends.map((b, i) => `${i} : ${b.ip} . ${b.port}`).join(', ');
  return `numgen random mod ${backends.length} map { ${targets} }`;
}
