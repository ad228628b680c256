import type { Node } from '../../api/kinds/core/node.ts';

/** Another node whose pods can be reached. */
export interface Peer {
  readonly name: string;
  readonly nodeIp: string;
  readonly podCidr: string;
}

export type Backend = 'vxlan' | 'host-gw';

/** The VXLAN interface, its id and port (those of flannel, so that firewalls people have opened for k3s fit). */
export const vxlanInterface = 'skiff-vxlan';
const vxlanId = 1;
const vxlanPort = 8472;
/** What VXLAN adds to a packet. */
export const vxlanOverheadBytes = 50;
const bridgeInterface = 'skiff0';

/** The nodes whose pods must be routed: all with an address and a pod range, but this one; sorted by name. */
export function peersOf(nodes: readonly Node[], nodeName: string): Peer[] {
  return nodes
    .filter((node) => node.metadata.name !== nodeName)
    .flatMap((node) => {
      const nodeIp = node.status.addresses?.find((a) => a.type === 'InternalIP' && a.address.includes('.'))?.address;
      const podCidr = podCidrOf(node);
      return nodeIp && podCidr ? [{ name: node.metadata.name, nodeIp, podCidr }] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The IPv4 pod range of a node, or '' before it has one. */
export function podCidrOf(node: Node): string {
  return (node.spec.podCIDRs ?? (node.spec.podCIDR ? [node.spec.podCIDR] : [])).find((cidr) => cidr.includes('.')) ?? '';
}

/** `10.42.3.0/24` → `10.42.3.0`: the address of the node's end of the tunnel. */
function tunnelAddress(podCidr: string): string {
  return podCidr.split('/')[0]!;
}

/** Derived from the pod range, so that every node knows every other's without being told. */
export function tunnelMac(podCidr: string): string {
  const bytes = tunnelAddress(podCidr).split('.').map(Number);
  return `0e:00:${bytes.map((b) => b.toString(16).padStart(2, '0')).join(':')}`;
}

/** `ip` commands (for `ip -batch`) that make this node's end of the tunnel. */
export function tunnelCommands(podCidr: string, nodeIp: string, uplink: string, mtu: number): string[] {
  return [
    `link add ${vxlanInterface} address ${tunnelMac(podCidr)} mtu ${mtu} type vxlan id ${vxlanId} dev ${uplink} local ${nodeIp} dstport ${vxlanPort} nolearning`,
    `address add ${tunnelAddress(podCidr)}/32 dev ${vxlanInterface}`,
    `link set ${vxlanInterface} up`,
  ];
}

/** Commands per program that make the pods of `next` reachable and forget those of `previous`. */
export function peerCommands(
  backend: Backend,
  previous: readonly Peer[],
  next: readonly Peer[],
  uplink: string,
): { ip: string[]; bridge: string[] } {
  const same = (a: Peer, b: Peer): boolean => a.nodeIp === b.nodeIp && a.podCidr === b.podCidr;
  const gone = previous.filter((p) => !next.some((n) => same(p, n)));
  const added = next.filter((n) => !previous.some((p) => same(p, n)));
  if (backend === 'host-gw') {
    return {
      ip: [
        ...gone.map((p) => `route del ${p.podCidr} via ${p.nodeIp}`),
        ...added.map((p) => `route replace ${p.podCidr} via ${p.nodeIp} dev ${uplink}`),
      ],
      bridge: [],
    };
  }
  return {
    ip: [
      ...gone.flatMap((p) => [
        `route del ${p.podCidr} dev ${vxlanInterface}`,
        `neigh del ${tunnelAddress(p.podCidr)} dev ${vxlanInterface}`,
      ]),
      ...added.flatMap((p) => [
        `neigh replace ${tunnelAddress(p.podCidr)} lladdr ${tunnelMac(p.podCidr)} dev ${vxlanInterface} nud permanent`,
        `route replace ${p.podCidr} via ${tunnelAddress(p.podCidr)} dev ${vxlanInterface} onlink`,
      ]),
    ],
    bridge: [
      ...gone.map((p) => `fdb del ${tunnelMac(p.podCidr)} dev ${vxlanInterface} dst ${p.nodeIp}`),
      ...added.map((p) => `fdb replace ${tunnelMac(p.podCidr)} dev ${vxlanInterface} dst ${p.nodeIp}`),
    ],
  };
}

/** The CNI configuration that puts pods on the bridge. Masquerading and host ports are in the service proxy's table, not in CNI plugins. */
export function cniConfiguration(options: { podCidr: string; mtu: number; ipamFolder: string }): string {
  return `${JSON.stringify(
    {
      cniVersion: '0.4.0',
      name: 'skiff',
      plugins: [
        {
          type: 'bridge',
          bridge: bridgeInterface,
          isGateway: true,
          hairpinMode: true,
          ipMasq: false,
          mtu: options.mtu,
          ipam: {
            type: 'host-local',
            ranges: [[{ subnet: options.podCidr }]],
            routes: [{ dst: '0.0.0.0/0' }],
            dataDir: options.ipamFolder,
          },
        },
      ],
    },
    null,
    2,
  )}\n`;
}
