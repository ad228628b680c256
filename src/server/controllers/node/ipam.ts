import { Node } from '../../../api/kinds/core/node.ts';
import { type ControllerDefinition, defineController } from '../../../reconcile/controller.ts';
import { primary } from '../../../reconcile/watches.ts';
import { firstFreePiece, parsePool } from './cidr-allocator.ts';

/** Gives each node its own piece of the pods' addresses: spec.podCIDRs, one per block, /24 or /64 (upstream: pkg/controller/nodeipam). */
export function nodeIpamController(options: {
  clusterCidrs: readonly string[];
  nodePrefixV4?: number;
  nodePrefixV6?: number;
}): ControllerDefinition {
  const pools = options.clusterCidrs.map((cidr) => parsePool(cidr, options.nodePrefixV4, options.nodePrefixV6));
  /** What was given out and may not be in the cache yet. */
  const given = new Map<string, readonly string[]>();
  return defineController({
    name: 'node-ipam',
    account: 'node-controller',
    watches: [primary(Node, { changed: (next) => !next.spec.podCIDR })],
    // One at a time: two nodes must not be given one piece.
    concurrency: 1,
    async reconcile(name, { client, informer, events }) {
      const nodes = informer(Node);
      for (const known of given.keys()) if (!nodes.get(known) && known !== name) given.delete(known);
      const node = nodes.get(name);
      if (!node) {
        given.delete(name);
        return;
      }
      if (node.spec.podCIDR) return;
      const others = nodes.list().filter((other) => other.metadata.name !== name);
      const taken = new Set([
        ...others.flatMap((n) => n.spec.podCIDRs ?? n.spec.podCIDR ?? []),
        ...[...given].flatMap(([n, p]) => (n === name ? [] : p)),
      ]);
      const pieces = pools.map((pool) => firstFreePiece(pool, taken));
      const podCIDRs = pieces.filter((piece) => piece !== undefined);
      const [podCIDR] = podCIDRs;
      if (podCIDR === undefined || podCIDRs.length < pools.length) {
        events.event(node, 'Warning', 'CIDRNotAvailable', `Node ${name} status is now: CIDRNotAvailable`);
        throw new Error(`no block of pod addresses is left for the node ${name}: give the cluster a larger --cluster-cidr`);
      }
      given.set(name, podCIDRs);
      await client.update(Node, { ...node, spec: { ...node.spec, podCIDR, podCIDRs } });
    },
  });
}
