import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, newObject, problems, updated } from '../../../../test/support/kinds.ts';
import { Service } from './service.ts';

const ports = [{ port: 80 }];
const withAddress = { clusterIP: '10.43.0.5', ports };

describe('a service', () => {
  it('has the defaults of Kubernetes', () => {
    const service = newObject(Service, { spec: { ports } });
    assert.deepEqual(service.spec, {
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      sessionAffinity: 'None',
      type: 'ClusterIP',
      internalTrafficPolicy: 'Cluster',
    });
    assert.deepEqual(service.status, { loadBalancer: {} });
  });

  it('of type LoadBalancer takes node ports and outside traffic', () => {
    const { spec } = newObject(Service, { spec: { type: 'LoadBalancer', ports } });
    assert.deepEqual([spec.allocateLoadBalancerNodePorts, spec.externalTrafficPolicy], [true, 'Cluster']);
  });

  const rows: readonly [string, object, readonly string[]][] = [
    ['nothing wrong', { ports }, []],
    ['no ports', {}, ['spec.ports: Required value']],
    ['no ports but no address either', { clusterIP: 'None' }, []],
    [
      'a type that is none',
      { type: 'X', ports },
      ['spec.type: Unsupported value: "X": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
    ],
    [
      'ports without names',
      { ports: [{ port: 1 }, { port: 2 }] },
      ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'],
    ],
    [
      'a node port on a cluster address',
      { ports: [{ port: 1, nodePort: 30000 }] },
      ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    ],
    ['no external name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
    [
      'an outside address that is loopback',
      { ports, externalIPs: ['127.0.0.1'] },
      ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
    ],
    [
      'an address of the wrong family',
      { ports, clusterIP: '10.0.0.1', ipFamilies: ['IPv6'] },
      ['spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`'],
    ],
    [
      'a class without a load balancer',
      { ports, loadBalancerClass: 'a.b/c' },
      ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    ],
  ];
  for (const [title, spec, expected] of rows) it(`with ${title}`, () => assert.deepEqual(problems(Service, { spec }), expected));
});

describe('an update of a service', () => {
  const service = newObject(Service, { spec: withAddress });

  it('may not change the address', () => {
    const { errors } = updated(Service, service, (s) => {
      s.spec.clusterIP = '10.43.9.9';
    });
    assert.deepEqual(errors, ['spec.clusterIPs[0]: Invalid value: ["10.43.9.9"]: may not change once set']);
  });

  it('that leaves the address and node ports out keeps them', () => {
    const balanced = newObject(Service, { spec: { ...withAddress, type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] } });
    const { next, errors } = updated(Service, balanced, (s) => {
      delete s.spec.clusterIP;
      delete s.spec.clusterIPs;
      delete s.spec.ports?.[0]?.nodePort;
    });
    assert.deepEqual(errors, []);
    assert.deepEqual(
      [next.spec.clusterIP, next.spec.clusterIPs, next.spec.ports?.[0]?.nodePort],
      ['10.43.0.5', ['10.43.0.5'], 30001],
    );
  });

  it('to ExternalName drops the address', () => {
    const { next, errors } = updated(Service, service, (s) => {
      s.spec.type = 'ExternalName';
      s.spec.externalName = 'example.com';
    });
    assert.deepEqual(errors, []);
    assert.equal(next.spec.clusterIP, undefined);
    assert.equal(next.spec.clusterIPs, undefined);
  });

  it('from NodePort to ClusterIP drops node ports and the outside policy', () => {
    const balanced = newObject(Service, { spec: { ...withAddress, type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] } });
    const { next, errors } = updated(Service, balanced, (s) => {
      s.spec.type = 'ClusterIP';
    });
    assert.deepEqual(errors, []);
    assert.equal(next.spec.ports?.[0]?.nodePort, undefined);
    assert.equal(next.spec.externalTrafficPolicy, undefined);
  });

  it('of the status needs a load balancer', () => {
    const next = structuredClone(service);
    next.status = { loadBalancer: { ingress: [{ ip: '1.2.3.4', ipMode: 'VIP' }] } };
    assert.deepEqual(
      Service.validateStatusUpdate(next, service).map((e) => e.message),
      ["Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
    );
  });
});

describe('kubectl get services', () => {
  const rows: readonly [string, object, object, object][] = [
    [
      'a cluster address',
      withAddress,
      {},
      { Type: 'ClusterIP', 'Cluster-IP': '10.43.0.5', 'External-IP': '<none>', 'Port(s)': '80/TCP' },
    ],
    ['no address', { clusterIP: 'None' }, {}, { 'Cluster-IP': 'None', 'Port(s)': '<none>' }],
    ['a node port', { type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] }, {}, { 'Port(s)': '80:30001/TCP' }],
    ['a load balancer to come', { type: 'LoadBalancer', ports }, {}, { 'External-IP': '<pending>' }],
    [
      'a load balancer',
      { type: 'LoadBalancer', ports },
      { loadBalancer: { ingress: [{ ip: '192.168.1.10' }, { ip: '192.168.1.11' }] } },
      { 'External-IP': '192.168.1.10,192.168.1.11' },
    ],
    ['a name', { type: 'ExternalName', externalName: 'a.b' }, {}, { 'External-IP': 'a.b', 'Cluster-IP': '<none>' }],
  ];
  for (const [title, spec, status, expected] of rows) {
    it(title, () => {
      const service = newObject(Service, { spec });
      Object.assign(service.status, status);
      const row = cells(Service, service);
      assert.deepEqual(Object.fromEntries(Object.keys(expected).map((key) => [key, row[key]])), expected);
    });
  }
});
