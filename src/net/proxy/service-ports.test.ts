import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Service } from '../../api/kinds/core/service.ts';
import type { EndpointSlice } from '../../api/kinds/discovery/endpoint-slice.ts';
import { servicePorts } from './service-ports.ts';

const service = (spec: Partial<Service['spec']> = {}): Service =>
  ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'web' },
    spec: {
      type: 'ClusterIP',
      clusterIP: '10.43.0.5',
      clusterIPs: ['10.43.0.5'],
      ports: [{ name: 'http', port: 80, protocol: 'TCP' }],
      ...spec,
    },
    status: {},
  }) as Service;

const slice = (endpoints: EndpointSlice['endpoints']): EndpointSlice =>
  ({
    metadata: { namespace: 'default', name: 'web-1', labels: { 'kubernetes.io/service-name': 'web' } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
    endpoints,
  }) as unknown as EndpointSlice;

const endpoint = (
  ip: string,
  nodeName: string,
  conditions: { ready?: boolean; serving?: boolean; terminating?: boolean } = {},
) => ({
  addresses: [ip],
  nodeName,
  conditions,
});

const one = (svc: Service, slices: EndpointSlice[]) => servicePorts([svc], () => slices, 'pi1')[0];

describe('servicePorts', () => {
  it('takes ready endpoints', () => {
    const port = one(service(), [slice([endpoint('10.42.0.2', 'pi1'), endpoint('10.42.0.3', 'pi1', { ready: false })])])!;
    assert.deepEqual(port.backends, [{ ip: '10.42.0.2', port: 8080, local: true }]);
  });

  it('falls back to endpoints that serve while they terminate', () => {
    const port = one(service(), [slice([endpoint('10.42.0.2', 'pi1', { ready: false, serving: true, terminating: true })])])!;
    assert.equal(port.backends.length, 1);
  });

  it('keeps only local endpoints for Local policies', () => {
    const endpoints = [slice([endpoint('10.42.0.2', 'pi1'), endpoint('10.42.1.2', 'pi2')])];
    const port = one(service({ type: 'NodePort', externalTrafficPolicy: 'Local', internalTrafficPolicy: 'Local' }), endpoints)!;
    assert.deepEqual([port.backends.length, port.externalBackends.length, port.externalLocal], [1, 1, true]);
  });

  it('ignores headless and ExternalName services', () => {
    assert.equal(one(service({ clusterIP: 'None', clusterIPs: ['None'] }), []), undefined);
    assert.equal(one(service({ type: 'ExternalName', clusterIP: '', clusterIPs: [] }), []), undefined);
  });

  it('matches ports by name and protocol', () => {
    const port = one(service({ ports: [{ name: 'dns', port: 53, protocol: 'UDP' }] }), [slice([endpoint('10.42.0.2', 'pi1')])])!;
    assert.deepEqual(port.backends, []);
  });
});
