import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { withControllers } from '../../../../test/support/controller-bench.ts';
import type { ServiceSpec } from '../../../api/generated/types.ts';
import { Endpoints } from '../../../api/kinds/core/endpoints.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import type { FakeClient } from '../../../client/fake-client.ts';
import { endpointSliceController } from './endpoint-slice.ts';
import { endpointsController } from './endpoints.ts';
import { endpointSliceMirroringController } from './mirroring.ts';

const all = [endpointsController, endpointSliceController, endpointSliceMirroringController];

function seedService(fake: FakeClient, spec: ServiceSpec = {}): void {
  fake.seed(Service, {
    metadata: { namespace: 'ns', name: 'web' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ipFamilies: ['IPv4'], ...spec },
    status: {},
  });
}

function seedPod(fake: FakeClient, index: number, ready = 'True', portName = 'http'): void {
  fake.seed(Pod, {
    metadata: { namespace: 'ns', name: `p${index}`, labels: { app: 'web' } },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', image: 'i', ports: [{ name: portName, containerPort: 8080 + (index % 2) }] }],
    },
    status: {
      phase: 'Running',
      podIP: `10.0.0.${index}`,
      podIPs: [{ ip: `10.0.${Math.floor(index / 250)}.${index % 250}` }],
      conditions: [{ type: 'Ready', status: ready }],
    },
  });
}

describe('endpoints and slices', () => {
  it('groups pods by the ports they have, and tells ready from not ready', async () => {
    await withControllers(all, async ({ fake, settle }) => {
      seedService(fake);
      seedPod(fake, 2);
      seedPod(fake, 3, 'False');
      await settle();
      const slices = fake.all(EndpointSlice);
      assert.deepEqual(slices.map((s) => [s.ports?.[0]?.port, s.endpoints?.[0]?.conditions?.ready]).sort(), [
        [8080, true],
        [8081, false],
      ]);
      const [endpoints] = fake.all(Endpoints);
      assert.deepEqual(
        endpoints?.subsets?.map((s) => [s.addresses?.length ?? 0, s.notReadyAddresses?.length ?? 0]),
        [
          [1, 0],
          [0, 1],
        ],
      );
    });
  });

  it('splits 250 pods into slices of at most 100, and touches one slice when one pod changes', async () => {
    await withControllers([endpointSliceController], async ({ fake, settle }) => {
      for (let i = 0; i < 500; i += 2) seedPod(fake, i);
      seedService(fake);
      await settle();
      assert.deepEqual(
        fake
          .all(EndpointSlice)
          .map((s) => s.endpoints?.length)
          .sort(),
        [100, 100, 50],
      );
      const before = fake.writes.length;
      fake.mutate(Pod, { namespace: 'ns', name: 'p4' }, (p) => {
        p.status.conditions = [{ type: 'Ready', status: 'False' }];
      });
      await settle();
      assert.equal(fake.writes.length - before, 1);
    });
  });

  it('keeps an empty slice for a service without pods, one per address family', async () => {
    await withControllers(all, async ({ fake, settle }) => {
      seedService(fake, { ipFamilies: ['IPv4', 'IPv6'] });
      await settle();
      assert.deepEqual(
        fake.all(EndpointSlice).map((s) => [s.addressType, s.endpoints]),
        [
          ['IPv4', []],
          ['IPv6', []],
        ],
      );
      const before = fake.writes.length;
      fake.mutate(Service, { namespace: 'ns', name: 'web' }, (s) => {
        s.metadata.annotations = { a: 'b' };
      });
      await settle();
      assert.equal(fake.writes.length, before);
    });
  });

  it('a pod that is ending serves but is not ready, and has left the old Endpoints', async () => {
    await withControllers(all, async ({ fake, settle }) => {
      seedService(fake);
      seedPod(fake, 2);
      await settle();
      fake.mutate(Pod, { namespace: 'ns', name: 'p2' }, (p) => {
        p.metadata.deletionTimestamp = '2026-01-01T00:00:30Z';
        p.metadata.deletionGracePeriodSeconds = 30;
      });
      await settle();
      assert.deepEqual(fake.all(EndpointSlice)[0]?.endpoints?.[0]?.conditions, {
        ready: false,
        serving: true,
        terminating: true,
      });
      assert.deepEqual(fake.all(Endpoints)[0]?.subsets, []);
    });
  });

  it('mirrors Endpoints of services without selector, and follows them', async () => {
    await withControllers(all, async ({ fake, settle }) => {
      fake.seed(Service, { metadata: { namespace: 'ns', name: 'db' }, spec: { ports: [{ port: 5432 }] }, status: {} });
      fake.seed(Endpoints, {
        metadata: { namespace: 'ns', name: 'db' },
        subsets: [{ addresses: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }], ports: [{ port: 5432 }] }],
      });
      await settle();
      assert.deepEqual(
        fake
          .all(EndpointSlice)
          .map((s) => [s.addressType, s.endpoints?.[0]?.addresses])
          .sort(),
        [
          ['IPv4', ['192.0.2.1']],
          ['IPv6', ['2001:db8::1']],
        ],
      );
      fake.mutate(Endpoints, { namespace: 'ns', name: 'db' }, (e) => {
        e.subsets = [];
      });
      await settle();
      assert.equal(fake.all(EndpointSlice).length, 0);
    });
  });
});
