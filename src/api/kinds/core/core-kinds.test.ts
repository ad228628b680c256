import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, newObject, problems, texts, updated } from '../../../../test/support/kinds.ts';
import { ConfigMap } from './config-map.ts';
import { Endpoints } from './endpoints.ts';
import { Event } from './event.ts';
import { LimitRange } from './limit-range.ts';
import { Namespace } from './namespace.ts';
import { Node } from './node.ts';
import { PersistentVolume } from './persistent-volume.ts';
import { PersistentVolumeClaim } from './persistent-volume-claim.ts';
import { ResourceQuota } from './resource-quota.ts';
import { Secret } from './secret.ts';

describe('ConfigMap', () => {
  it('once immutable stays as it is', () => {
    const map = newObject(ConfigMap, { immutable: true, data: { a: 'b' } });
    const { errors } = updated(ConfigMap, map, (m) => {
      m.data = { a: 'c' };
    });
    assert.deepEqual(errors, ['data: Forbidden: field is immutable when `immutable` is set']);
  });

  it('has keys that can be files', () => {
    const [error] = problems(ConfigMap, { data: { 'a b': '' } });
    assert.ok(error?.startsWith('data[a b]: Invalid value: "a b": a valid config key must consist of'), String(error));
  });

  it('holds a mebibyte', () => {
    assert.deepEqual(problems(ConfigMap, { data: { a: 'x'.repeat(1024 * 1024 + 1) } }), [
      ': Too long: may not be more than 1048576 bytes',
    ]);
  });
});

describe('Secret', () => {
  it('turns text into data', () => {
    const secret = newObject(Secret, { stringData: { a: 'b', ü: 'ü' }, data: { a: 'eA==' } });
    assert.deepEqual(secret.data, { a: 'Yg==', ü: 'w7w=' });
    assert.equal(secret.stringData, undefined);
    assert.equal(secret.type, 'Opaque');
    const odd = newObject(Secret, { stringData: JSON.parse('{"__proto__":"b"}') });
    assert.deepEqual(Object.entries(odd.data ?? {}), [['__proto__', 'Yg==']]);
  });

  const rows: readonly [string, object, readonly string[]][] = [
    ['kubernetes.io/tls', {}, ['data[tls.crt]: Required value', 'data[tls.key]: Required value']],
    [
      'kubernetes.io/dockerconfigjson',
      { '.dockerconfigjson': 'eA==' },
      ['data[.dockerconfigjson]: Invalid value: "<secret contents redacted>"'],
    ],
    ['kubernetes.io/dockerconfigjson', { '.dockerconfigjson': btoa('{}') }, []],
    ['kubernetes.io/basic-auth', {}, ['data[username]: Required value', 'data[password]: Required value']],
    ['kubernetes.io/service-account-token', {}, ['metadata.annotations[kubernetes.io/service-account.name]: Required value']],
    ['anything.else/x', {}, []],
  ];
  for (const [type, data, expected] of rows) {
    it(`of type ${type} with ${Object.keys(data).length} keys`, () => {
      const found = problems(Secret, { type, data });
      assert.equal(found.length, expected.length, found.join('\n'));
      for (const [i, text] of expected.entries()) assert.ok(found[i]?.startsWith(text), String(found[i]));
    });
  }

  it('keeps its type', () => {
    const { errors } = updated(Secret, newObject(Secret, {}), (s) => {
      s.type = 'x/y';
    });
    assert.deepEqual(errors, ['type: Invalid value: "x/y": field is immutable']);
  });
});

describe('Namespace', () => {
  it('is labelled with its name and held by a finalizer', () => {
    const namespace = newObject(Namespace, { metadata: { name: 'gold' } });
    assert.deepEqual(namespace.metadata.labels, { 'kubernetes.io/metadata.name': 'gold' });
    assert.deepEqual(namespace.spec, { finalizers: ['kubernetes'] });
    assert.deepEqual(namespace.status, { phase: 'Active' });
  });

  it('keeps the finalizer through an update', () => {
    const { next } = updated(Namespace, newObject(Namespace, {}), (n) => {
      n.spec = {};
    });
    assert.deepEqual(next.spec.finalizers, ['kubernetes']);
  });
});

describe('Node', () => {
  const node = newObject(Node, {
    metadata: { name: 'n', labels: { 'node-role.kubernetes.io/worker': '', 'node-role.kubernetes.io/control-plane': '' } },
    spec: { unschedulable: true, podCIDR: '10.42.0.0/24' },
    status: { conditions: [{ type: 'Ready', status: 'False' }], capacity: { cpu: '4000m' } },
  });

  it('is shown with its roles and whether it takes pods', () => {
    const row = cells(Node, node);
    assert.deepEqual([row['Status'], row['Roles']], ['NotReady,SchedulingDisabled', 'control-plane,worker']);
  });

  it('can give what it has', () => assert.deepEqual(node.status.allocatable, { cpu: '4' }));

  it('keeps its pod network', () => {
    const { errors } = updated(Node, node, (n) => {
      n.spec.podCIDR = '10.42.1.0/24';
      n.spec.podCIDRs = ['10.42.1.0/24'];
    });
    assert.deepEqual(errors, ['spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid']);
  });

  it('has each taint once', () => {
    const taint = { key: 'a', effect: 'NoSchedule' };
    const [error] = problems(Node, { spec: { taints: [taint, taint] } });
    assert.ok(error?.startsWith('metadata.taints[1]: Duplicate value: '), String(error));
    assert.ok(error?.endsWith('taints must be unique by key and effect pair'), String(error));
  });
});

describe('Event', () => {
  it('is about an object of its namespace', () => {
    assert.deepEqual(problems(Event, { involvedObject: { namespace: 'other' } }), [
      'involvedObject.namespace: Invalid value: "other": does not match event.namespace',
    ]);
  });

  it('is shown by when it was seen last', () => {
    const event = newObject(Event, {
      involvedObject: { kind: 'Pod', name: 'p', namespace: 'default' },
      firstTimestamp: '2026-11-21T00:00:00Z',
      lastTimestamp: '2026-11-21T00:59:00Z',
      message: ' text\n',
      source: { component: 'kubelet', host: 'n1' },
    });
    const row = cells(Event, event);
    assert.deepEqual(
      [row['Last Seen'], row['Object'], row['Message'], row['First Seen'], row['Count'], row['Source']],
      ['60s', 'pod/p', 'text', '60m', 1, 'kubelet, n1'],
    );
  });
});

describe('Endpoints', () => {
  it('are shown up to three', () => {
    const addresses = ['1', '2', '3', '4'].map((n) => ({ ip: `10.0.0.${n}` }));
    const endpoints = newObject(Endpoints, { subsets: [{ addresses, ports: [{ port: 80 }] }] });
    assert.equal(cells(Endpoints, endpoints)['Endpoints'], '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...');
    assert.deepEqual(texts(Endpoints.validate(endpoints)), []);
  });
});

describe('LimitRange', () => {
  it('derives defaults from bounds', () => {
    const range = newObject(LimitRange, { spec: { limits: [{ type: 'Container', max: { cpu: '2' }, min: { memory: '1Mi' } }] } });
    assert.deepEqual(range.spec.limits[0]?.default, { cpu: '2' });
    assert.deepEqual(range.spec.limits[0]?.defaultRequest, { cpu: '2', memory: '1Mi' });
  });

  it('has its bounds in order', () => {
    const limits = [
      { type: 'Container', max: { cpu: '1' }, min: { cpu: '2' }, default: { cpu: '1' }, defaultRequest: { cpu: '1' } },
    ];
    assert.ok(
      problems(LimitRange, { spec: { limits } }).includes(
        'spec.limits[0].min[cpu]: Invalid value: "2": min value 2 is greater than max value 1',
      ),
    );
  });
});

describe('ResourceQuota', () => {
  it('shows limits apart', () => {
    const quota = newObject(ResourceQuota, {});
    quota.status = { hard: { pods: '10', 'limits.cpu': '2' }, used: { pods: '3' } };
    const row = cells(ResourceQuota, quota);
    assert.deepEqual([row['Request'], row['Limit']], ['pods: 3/10', 'limits.cpu: 0/2']);
  });

  it('counts pods by scopes, nothing else', () => {
    const found = problems(ResourceQuota, { spec: { hard: { secrets: '1' }, scopes: ['BestEffort'] } });
    assert.deepEqual(found, ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource']);
  });
});

describe('volumes', () => {
  const claim = newObject(PersistentVolumeClaim, {
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
  });

  it('of a claim may be named once', () => {
    const bound = updated(PersistentVolumeClaim, claim, (c) => {
      c.spec.volumeName = 'v';
    });
    assert.deepEqual(bound.errors, []);
    const again = updated(PersistentVolumeClaim, bound.next, (c) => {
      c.spec.volumeName = 'w';
    });
    assert.equal(again.errors.length, 1);
  });

  it('grow only when bound', () => {
    const grow = (c: PersistentVolumeClaim): void => {
      c.spec.resources = { requests: { storage: '2Gi' } };
    };
    assert.equal(updated(PersistentVolumeClaim, claim, grow).errors.length, 1);
    const bound = structuredClone(claim);
    bound.status = { phase: 'Bound', capacity: { storage: '1Gi' } };
    assert.deepEqual(updated(PersistentVolumeClaim, bound, grow).errors, []);
  });

  it('of a claim need a mode and a size', () => {
    assert.deepEqual(problems(PersistentVolumeClaim, {}), [
      'spec.accessModes: Required value: at least 1 access mode is required',
      'spec.resources[storage]: Required value',
    ]);
  });

  it('need a place', () => {
    const spec = { accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } };
    assert.deepEqual(problems(PersistentVolume, { spec }), ['spec: Required value: must specify a volume type']);
    assert.deepEqual(problems(PersistentVolume, { spec: { ...spec, local: { path: '/x' } } }), [
      'spec.nodeAffinity: Required value: Local volume requires node affinity',
    ]);
    assert.deepEqual(problems(PersistentVolume, { spec: { ...spec, hostPath: { path: '/x' } } }), []);
  });
});
