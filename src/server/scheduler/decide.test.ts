import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PodSpec } from '../../api/generated/types.ts';
import type { Node } from '../../api/kinds/core/node.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';
import { ObjectIndex } from '../../client/object-index.ts';
import { SchedulerCache } from './cache.ts';
import { decide } from './decide.ts';
import type { Snapshot } from './framework.ts';
import { defaultPlugins } from './plugins.ts';
import { hostPorts, podRequests, portsCollide } from './resources.ts';

let uids = 0;

function pod(spec: Partial<PodSpec>, labels: Record<string, string> = {}): Pod {
  const name = `p${++uids}`;
  const metadata = { name, namespace: 'ns', uid: name, resourceVersion: '1', creationTimestamp: '', labels };
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], ...spec }, status: {} };
}

function node(name: string, allocatable: Record<string, string>, labels: Record<string, string> = {}): Node {
  const metadata = {
    name,
    uid: name,
    resourceVersion: '1',
    creationTimestamp: '',
    labels: { 'kubernetes.io/hostname': name, ...labels },
  };
  return { apiVersion: 'v1', kind: 'Node', metadata, spec: {}, status: { allocatable } };
}

function snapshotOf(cache: SchedulerCache): Snapshot {
  const none = { namespaces: new ObjectIndex<never>(), claims: new ObjectIndex<never>(), volumes: new ObjectIndex<never>() };
  return { nodes: cache.nodes, ...none, storageClasses: new ObjectIndex<never>() };
}

function place(cache: SchedulerCache, candidate: Pod, random = () => 0): string | undefined {
  const options = { pod: candidate, snapshot: snapshotOf(cache), plugins: defaultPlugins, nominations: () => [], random };
  const decision = decide(options);
  if (decision.node) cache.assume(candidate, decision.node.name);
  return decision.node?.name;
}

const spec = fc.record({
  cpu: fc.integer({ min: 0, max: 3000 }),
  memory: fc.integer({ min: 0, max: 4096 }),
  initCpu: fc.integer({ min: 0, max: 4000 }),
  port: fc.option(fc.integer({ min: 80, max: 83 }), { nil: undefined }),
});
const size = fc.record({
  cpu: fc.integer({ min: 1, max: 8 }),
  memory: fc.integer({ min: 1, max: 8 }),
  pods: fc.integer({ min: 1, max: 6 }),
});

describe('scheduling decisions', () => {
  it('never give away more than a node has, nor one port twice, whatever comes and goes', () => {
    const step = fc.oneof(fc.record({ add: spec }), fc.record({ remove: fc.nat() }));
    fc.assert(
      fc.property(
        fc.array(size, { minLength: 1, maxLength: 4 }),
        fc.array(step, { maxLength: 40 }),
        fc.infiniteStream(fc.double({ min: 0, max: 0.999, noNaN: true })),
        (sizes, steps, chance) => {
          const cache = new SchedulerCache();
          const random = (): number => chance.next().value ?? 0;
          for (const [i, s] of sizes.entries())
            cache.putNode(node(`n${i}`, { cpu: `${s.cpu}`, memory: `${s.memory}Gi`, pods: `${s.pods}` }));
          const placed: Pod[] = [];
          for (const what of steps) {
            if ('remove' in what) {
              const [gone] = placed.splice(what.remove % Math.max(1, placed.length), 1);
              if (gone) cache.removePod(gone);
              continue;
            }
            const { cpu, memory, initCpu, port } = what.add;
            const requests = { cpu: `${cpu}m`, memory: `${memory}Mi` };
            const ports = port === undefined ? [] : [{ containerPort: port, hostPort: port }];
            const candidate = pod({
              containers: [{ name: 'c', resources: { requests }, ports }],
              initContainers: [{ name: 'i', resources: { requests: { cpu: `${initCpu}m` } } }],
            });
            if (place(cache, candidate, random)) placed.push(candidate);
          }
          for (const info of cache.nodes) {
            const pods = [...info.pods.values()];
            for (const resource of ['cpu', 'memory']) {
              const sum = pods.reduce((total, p) => total + (podRequests(p).get(resource) ?? 0), 0);
              assert.ok(sum <= (info.allocatable.get(resource) ?? 0));
              assert.equal(info.requested.get(resource) ?? 0, sum);
            }
            assert.ok(pods.length <= (info.allocatable.get('pods') ?? 0));
            const ports = pods.flatMap((p) => hostPorts(p.spec));
            for (const [i, a] of ports.entries()) assert.ok(!ports.slice(i + 1).some((b) => portsCollide(a, b)));
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  const big = { cpu: '64', memory: '64Gi', pods: '100' };
  const cluster = (...nodes: Node[]): SchedulerCache => {
    const cache = new SchedulerCache();
    for (const n of nodes) cache.putNode(n);
    return cache;
  };

  it('topology spread keeps the skew within its limit', () => {
    const cache = cluster(...['a', 'b', 'c'].flatMap((zone) => [1, 2].map((i) => node(`${zone}${i}`, big, { zone }))));
    const constraint = {
      maxSkew: 1,
      topologyKey: 'zone',
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { app: 'x' } },
    };
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 };
    for (let i = 0; i < 9; i++) {
      const zone = place(cache, pod({ topologySpreadConstraints: [constraint] }, { app: 'x' }))?.[0] ?? '';
      counts[zone]!++;
      assert.ok(Math.max(...Object.values(counts)) - Math.min(...Object.values(counts)) <= 1);
    }
  });

  it('pod affinity: the first goes anywhere, the others to it', () => {
    const cache = cluster(node('a', big), node('b', big), node('c', big));
    const term = { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'x' } } };
    const affinity = { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term] } };
    const places = [1, 2, 3].map(() => place(cache, pod({ affinity }, { app: 'x' })));
    assert.equal(new Set(places).size, 1);
    assert.ok(places[0]);
  });

  for (const [title, term, expected] of [
    ['In', { matchExpressions: [{ key: 'size', operator: 'In', values: ['9'] }] }, 'b'],
    ['Gt', { matchExpressions: [{ key: 'size', operator: 'Gt', values: ['5'] }] }, 'b'],
    ['DoesNotExist', { matchExpressions: [{ key: 'size', operator: 'DoesNotExist' }] }, 'c'],
    ['a field', { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] }, 'a'],
    ['nothing for an empty term', {}, undefined],
  ] as const) {
    it(`required node affinity: ${title}`, () => {
      const cache = cluster(node('a', big, { size: '1' }), node('b', big, { size: '9' }), node('c', big));
      const nodeAffinity = { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } };
      assert.equal(place(cache, pod({ affinity: { nodeAffinity } } as unknown as Partial<PodSpec>)), expected);
    });
  }

  it('requests: side-cars add up, init containers count by their peak, overhead comes on top', () => {
    const container = (name: string, cpu: string, restartPolicy?: string) => ({
      name,
      resources: { requests: { cpu } },
      ...(restartPolicy ? { restartPolicy } : {}),
    });
    const requests = podRequests(
      pod({
        containers: [container('a', '100m'), container('b', '200m')],
        initContainers: [container('s', '50m', 'Always'), container('i', '400m')],
        overhead: { cpu: '10m' },
      }),
    );
    assert.equal(requests.get('cpu'), 460);
  });
});
