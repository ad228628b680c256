import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Node } from '../../api/kinds/core/node.ts';
import { type Peer, peerCommands, peersOf, tunnelMac } from './plan.ts';

const node = (name: string, ip: string, podCIDR?: string): Node =>
  ({
    metadata: { name },
    spec: podCIDR ? { podCIDR } : {},
    status: { addresses: [{ type: 'InternalIP', address: ip }] },
  }) as Node;

describe('peersOf', () => {
  it('leaves out this node and nodes without a range', () => {
    const nodes = [
      node('b', '192.168.77.12', '10.42.1.0/24'),
      node('a', '192.168.77.11', '10.42.0.0/24'),
      node('c', '192.168.77.13'),
    ];
    assert.deepEqual(peersOf(nodes, 'a'), [{ name: 'b', nodeIp: '192.168.77.12', podCidr: '10.42.1.0/24' }]);
  });
});

describe('peerCommands', () => {
  const b: Peer = { name: 'b', nodeIp: '192.168.77.12', podCidr: '10.42.1.0/24' };

  it('gives every range a tunnel address of its own', () => {
    assert.equal(tunnelMac('10.42.17.0/24'), '0e:00:0a:2a:11:00');
  });

  it('routes a new peer through the tunnel', () => {
    const { ip, bridge } = peerCommands('vxlan', [], [b], 'eth0');
    assert.deepEqual(bridge, ['fdb replace 0e:00:0a:2a:01:00 dev skiff-vxlan dst 192.168.77.12']);
    assert.deepEqual(ip, [
      'neigh replace 10.42.1.0 lladdr 0e:00:0a:2a:01:00 dev skiff-vxlan nud permanent',
      'route replace 10.42.1.0/24 via 10.42.1.0 dev skiff-vxlan onlink',
    ]);
  });

  it('forgets the old address of a peer that moved', () => {
    const moved = { ...b, nodeIp: '192.168.77.99' };
    const { bridge } = peerCommands('vxlan', [b], [moved], 'eth0');
    assert.deepEqual(bridge, [
      'fdb del 0e:00:0a:2a:01:00 dev skiff-vxlan dst 192.168.77.12',
      'fdb replace 0e:00:0a:2a:01:00 dev skiff-vxlan dst 192.168.77.99',
    ]);
  });

  it('routes directly with host-gw', () => {
    assert.deepEqual(peerCommands('host-gw', [], [b], 'eth0').ip, ['route replace 10.42.1.0/24 via 192.168.77.12 dev eth0']);
  });

  it('does nothing when nothing changed', () => {
    assert.deepEqual(peerCommands('vxlan', [b], [{ ...b }], 'eth0'), { ip: [], bridge: [] });
  });
});
