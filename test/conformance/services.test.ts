import assert from 'node:assert/strict';
import { it } from 'node:test';
import { eventually } from '../support/eventually.ts';
import type { Json, Resource } from './support/api.ts';
import { assertNewer, assertVersion, controlPlane, exists, gone } from './support/control-plane.ts';

const plane = controlPlane(async () => {
  await plane.addNode('node');
});
const services = 'v1/services';
const slices = 'discovery.k8s.io/v1/endpointslices';
const ports = [{ name: 'http', protocol: 'TCP', port: 80, targetPort: 80 }];

it('[sig-network] Services should find a service from listing all namespaces [Conformance]', async () => {
  const { items } = await plane.api.resource(services).list();
  assert.ok(items.some(({ metadata }: Json) => metadata.name === 'kubernetes' && metadata.namespace === 'default'));
});

it('[sig-network] API Server should provide secure master service [Conformance]', async () => {
  const { spec } = await plane.api.resource(services, 'default').get('kubernetes');
  assert.deepEqual(
    spec.ports.map(({ name, port }: Json) => [name, port]),
    [['https', 443]],
  );
});

it('[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server [Conformance]', async () => {
  const { subsets } = await plane.api.resource('v1/endpoints', 'default').get('kubernetes');
  const ofService = { labelSelector: 'kubernetes.io/service-name=kubernetes' };
  const { items } = await plane.api.resource(slices, 'default').list(ofService);
  const addresses = subsets.flatMap((subset: Json) => subset.addresses.map((each: Json) => each.ip));
  const numbers = subsets.flatMap((subset: Json) => subset.ports.map((each: Json) => each.port));
  assert.deepEqual(addresses, ['192.168.77.11']);
  assert.deepEqual(
    items.flatMap((slice: Json) => slice.endpoints.flatMap((each: Json) => each.addresses)),
    addresses,
  );
  assert.deepEqual(
    items.flatMap((slice: Json) => slice.ports.map((each: Json) => each.port)),
    numbers,
  );
});

it('[sig-network] Services should complete a service status lifecycle [Conformance]', async () => {
  const own = await plane.inNewNamespace(services);
  const { resourceVersion } = (await plane.api.resource(services).list({ labelSelector: 'static=true' })).metadata;
  const watch = await own.watch({ labelSelector: 'static=true', resourceVersion });
  const spec = { type: 'LoadBalancer', loadBalancerClass: 'example.com/internal', ports };
  await own.create({ metadata: { name: 'web', labels: { static: 'true' } }, spec });
  await watch.until('the service', ({ type }) => type === 'ADDED');
  const read = await own.get('web', 'status');
  assert.deepEqual([read.kind, read.status], ['Service', { loadBalancer: {} }]);

  const loadBalancer = { ingress: [{ ip: '203.0.113.1', ipMode: 'VIP' }] };
  const patch = { metadata: { annotations: { 'patched-status': 'true' } }, status: { loadBalancer } };
  const patched = await own.patch('web', patch, { subresource: 'status' });
  assert.deepEqual(patched.status.loadBalancer, loadBalancer);
  await watch.until('the patched status', ({ object }) => object.metadata.annotations?.['patched-status'] === 'true');
  const condition = {
    ...{ type: 'Updated', status: 'True', reason: 'Test', message: 'set by a test' },
    lastTransitionTime: '2026-01-02T03:04:05Z',
  };
  const addCondition = ({ status }: Json): void => {
    status.conditions = [condition];
  };
  await own.change('web', addCondition, 'status');
  const { object } = await watch.until('the updated status', (event) => event.object.status.conditions !== undefined);
  assert.deepEqual(object.status, { loadBalancer, conditions: [condition] });
  await own.patch('web', { metadata: { labels: { test: 'patched' } } }, { type: 'strategic' });
  await watch.until('the patched service', (event) => event.object.metadata.labels.test === 'patched');
  await own.delete('web');
  await watch.until('the deletion', ({ type }) => type === 'DELETED');
});

it('[sig-network] Services should delete a collection of services [Conformance]', async () => {
  const own = await plane.inNewNamespace(services);
  const names = async (): Promise<string[]> => (await own.list()).items.map((item: Json) => item.metadata.name);
  const rows = { a: 'delete', b: 'delete', c: 'keep' };
  for (const [name, what] of Object.entries(rows))
    await own.create({ metadata: { name, labels: { test: what } }, spec: { type: 'ClusterIP', ports } });
  assert.deepEqual(await names(), ['a', 'b', 'c']);
  await own.deleteCollection({ labelSelector: 'test=delete' });
  assert.deepEqual(await names(), ['c']);
});

it('[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations [Conformance]', async () => {
  const ranges = plane.api.resource('networking.k8s.io/v1/servicecidrs');
  const own = await ranges.get('kubernetes');
  const read = await ranges.get('kubernetes', 'status');
  assert.deepEqual([read.apiVersion, read.kind, read.metadata.uid], ['networking.k8s.io/v1', 'ServiceCIDR', own.metadata.uid]);
  const { items } = await ranges.list();
  assert.deepEqual(
    items.map((item: Json) => item.metadata.name),
    ['kubernetes'],
  );
  const watch = await ranges.watch();
  assert.equal((await watch.expect('ADDED')).metadata.name, 'kubernetes');
  watch.stop();
});

it('[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations [Conformance]', async () => {
  const addresses = plane.api.resource('networking.k8s.io/v1/ipaddresses');
  const spec = { parentRef: { group: 'example.com', resource: 'things', namespace: 'none', name: 'x' } };
  const [v4, v6] = ['255.255.255.255', 'fe80::42:1dff:fe84:f9e2'];
  const created = await addresses.create({ metadata: { name: v4, labels: { type: 'broadcast' } }, spec });
  assertVersion(created);
  await addresses.create({ metadata: { name: v6, labels: { type: 'link-local' } }, spec });
  const patched = await addresses.patch(v4, { metadata: { annotations: { patched: 'true' } } });
  assertNewer(patched, created);
  const updated = await addresses.change(v4, ({ metadata }) => {
    metadata.annotations.updated = 'true';
  });
  assert.deepEqual(updated.metadata.annotations, { patched: 'true', updated: 'true' });
  const named = async (type: string): Promise<string[]> =>
    (await addresses.list({ labelSelector: `type=${type}` })).items.map((item: Json) => item.metadata.name);
  assert.deepEqual([await named('broadcast'), await named('link-local')], [[v4], [v6]]);
  const watch = await addresses.watch({ labelSelector: 'type=broadcast' });
  await watch.expect('ADDED', updated);
  await addresses.delete(v4);
  await watch.expect('DELETED');
  await addresses.deleteCollection({ labelSelector: 'type=link-local' });
  assert.deepEqual(await named('link-local'), []);
});

const matchesNobody = { metadata: { name: 'web' }, spec: { selector: { app: 'nobody' }, ports } };
const slicesOf = async (own: Resource, service = 'web'): Promise<Json[]> =>
  (await plane.api.resource(slices, own.namespace).list({ labelSelector: `kubernetes.io/service-name=${service}` })).items;

it('[sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods [Conformance]', async () => {
  const own = await plane.inNewNamespace(services);
  const endpoints = plane.api.resource('v1/endpoints', own.namespace);
  await own.create(matchesNobody);
  await eventually('the Endpoints are there', () => exists(endpoints, 'web'));
  assert.equal((await endpoints.get('web')).subsets, undefined);
  await own.delete('web');
  await gone(endpoints, 'web');
});

it('[sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods [Conformance]', async () => {
  const own = await plane.inNewNamespace(services);
  await own.create(matchesNobody);
  const slice = await eventually('the EndpointSlice is there', async () => (await slicesOf(own))[0]);
  assert.equal(slice.metadata.labels['endpointslice.kubernetes.io/managed-by'], 'endpointslice-controller.k8s.io');
  assert.deepEqual(slice.endpoints ?? [], []);
  await own.delete('web');
  await eventually('the EndpointSlice is gone', async () => (await slicesOf(own)).length === 0);
});

it('[sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete [Conformance]', async () => {
  const own = await plane.inNewNamespace(services);
  const endpoints = plane.api.resource('v1/endpoints', own.namespace);
  const subsets = (ip: string): Json => [{ addresses: [{ ip }], ports: [{ port: 80 }] }];
  const mirrored = (ip: string): Promise<unknown> =>
    eventually(`a slice with ${ip}`, async () => {
      const found = await slicesOf(own);
      const shown = found.map((slice) => [
        slice.endpoints.flatMap((each: Json) => each.addresses),
        slice.ports.map((each: Json) => each.port),
      ]);
      return JSON.stringify(shown) === JSON.stringify([[[ip], [80]]]);
    });
  await own.create({ metadata: { name: 'web' }, spec: { ports } });
  const custom = { metadata: { name: 'web' }, subsets: subsets('10.1.2.3') };
  await endpoints.create(custom);
  await mirrored('10.1.2.3');
  await endpoints.update({ ...custom, subsets: subsets('10.2.3.4') });
  await mirrored('10.2.3.4');
  await endpoints.delete('web');
  await eventually('no slice is left', async () => (await slicesOf(own)).length === 0);
});

/** Two pods, of which both have the named port, at different numbers. */
async function makePods(own: Resource): Promise<Record<string, string>> {
  const pods = plane.api.resource('v1/pods', own.namespace);
  const ips: Record<string, string> = {};
  for (const [name, containerPort] of [
    ['one', 3000],
    ['two', 3001],
  ] as const) {
    const container = { name: 'app', image: 'registry.invalid/app:1', ports: [{ name: 'example', containerPort }] };
    await pods.create({ metadata: { name, labels: { pod: name, both: 'true' } }, spec: { containers: [container] } });
    ips[name] = await eventually(`${name} has an address`, async () => (await pods.get(name)).status.podIP as string | undefined);
  }
  return ips;
}

/** `address:port` of each endpoint of each slice. */
function addressesOf(found: readonly Json[]): string[] {
  return found
    .flatMap(({ endpoints, ports: of }) =>
      endpoints.flatMap((each: Json) => {
        assert.deepEqual([each.conditions.ready, each.nodeName, each.targetRef.kind], [true, 'node', 'Pod']);
        return of.map((port: Json) => `${each.addresses[0]}:${port.port}`);
      }),
    )
    .toSorted();
}

function addressesIn({ subsets }: Json): string[] {
  return subsets
    .flatMap(({ addresses, ports: of }: Json) =>
      addresses.flatMap(({ ip }: Json) => of.map(({ port, name }: Json) => `${ip}:${port}${name === 'http' ? '' : ` ${name}`}`)),
    )
    .toSorted();
}

const followed: readonly (readonly [name: string, addressesOfService: (own: Resource, service: string) => Promise<string[]>])[] =
  [
    [
      '[sig-network] EndpointsController should create Endpoints for Pods matching a Service [Conformance]',
      async (own, service) => addressesIn(await plane.api.resource('v1/endpoints', own.namespace).get(service)),
    ],
    [
      '[sig-network] EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service [Conformance]',
      async (own, service) => addressesOf(await slicesOf(own, service)),
    ],
  ];

for (const [title, addressesOfService] of followed)
  it(title, async () => {
    const shows = (service: string, addresses: readonly string[]): Promise<unknown> =>
      eventually(`${service} has ${addresses.join(', ')}`, async () => {
        assert.deepEqual(await addressesOfService(own, service), addresses);
        return true;
      });
    const own = await plane.inNewNamespace(services);
    const ips = await makePods(own);
    await own.create({
      metadata: { name: 'one' },
      spec: { selector: { pod: 'one' }, ports: [{ name: 'http', port: 80, targetPort: 3000 }] },
    });
    const named = [{ name: 'http', port: 80, targetPort: 'example' }];
    await own.create({ metadata: { name: 'both' }, spec: { selector: { both: 'true' }, ports: named } });
    const expected = { one: [`${ips['one']}:3000`], both: [`${ips['one']}:3000`, `${ips['two']}:3001`].toSorted() };
    for (const [name, addresses] of Object.entries(expected)) await shows(name, addresses);
    await plane.api.resource('v1/pods', own.namespace).delete('two');
    await shows('both', expected.one);
  });

it('[sig-network] Service endpoints latency should not be very high [Conformance]', async () => {
  const own = await plane.inNewNamespace(services);
  await makePods(own);
  const [trials, atOnce] = [200, 15];
  const { resourceVersion } = (await plane.api.resource(slices, own.namespace).list()).metadata;
  const watch = await plane.api.resource(slices, own.namespace).watch({ resourceVersion });
  const createdAt = new Map<string, number>();
  const tookMs: number[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < trials) {
      const name = `trial-${next++}`;
      createdAt.set(name, performance.now());
      await own.create({ metadata: { name }, spec: { selector: { both: 'true' }, ports } });
    }
  };
  const workers = Promise.all(Array.from({ length: atOnce }, worker));
  while (tookMs.length < trials) {
    const { object } = await watch.until('endpoints', (event) => event.type === 'ADDED' && event.object.endpoints?.length === 2);
    tookMs.push(performance.now() - createdAt.get(object.metadata.labels['kubernetes.io/service-name'])!);
  }
  await workers;
  watch.stop();
  const percentile = (share: number): number => tookMs.toSorted((x, y) => x - y)[Math.floor(trials * share)]!;
  assert.ok(percentile(0.5) < 20_000, `half took ${percentile(0.5)} ms`);
  assert.ok(percentile(0.99) < 50_000, `the slowest took ${percentile(0.99)} ms`);
});
