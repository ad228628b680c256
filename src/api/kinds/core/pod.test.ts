import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, newObject, problems, texts, updated, writeContext } from '../../../../test/support/kinds.ts';
import { Pod } from './pod.ts';
import { qosClass } from './pod-qos.ts';
import { keepAllButResources, validatePodResize } from './pod-resize.ts';
import { defaultPullPolicy } from './pod-spec.ts';

const container = { name: 'c', image: 'i' };
const spec = (extra: object = {}) => ({ spec: { containers: [container], ...extra } });

describe('defaults of a pod', () => {
  it('are those of Kubernetes', () => {
    assert.deepEqual(newObject(Pod, spec()).spec, {
      containers: [
        {
          name: 'c',
          image: 'i',
          resources: {},
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          imagePullPolicy: 'Always',
        },
      ],
      dnsPolicy: 'ClusterFirst',
      restartPolicy: 'Always',
      securityContext: {},
      terminationGracePeriodSeconds: 30,
      schedulerName: 'default-scheduler',
      enableServiceLinks: true,
    });
  });

  for (const [image, policy] of [
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1', 'IfNotPresent'],
    ['host:5000/nginx', 'Always'],
    ['host:5000/nginx:1', 'IfNotPresent'],
    ['nginx@sha256:abc', 'IfNotPresent'],
  ] as const) {
    it(`pull ${image} ${policy}`, () => assert.equal(defaultPullPolicy(image), policy));
  }

  it('make requests of limits, in canonical form', () => {
    const resources = { limits: { cpu: '1000m', memory: '1024Mi' }, requests: { cpu: '0.5' } };
    const pod = newObject(Pod, { spec: { containers: [{ ...container, resources }] } });
    assert.deepEqual(pod.spec.containers[0]?.resources, {
      limits: { cpu: '1', memory: '1Gi' },
      requests: { cpu: '500m', memory: '1Gi' },
    });
  });

  it('make requests of the whole pod of those of its containers', () => {
    const asking = (name: string, cpu: string) => ({ name, image: 'i', resources: { requests: { cpu } } });
    const pod = newObject(Pod, {
      spec: {
        resources: { limits: { cpu: '2', memory: '1Gi' } },
        initContainers: [{ ...asking('s', '100m'), restartPolicy: 'Always' }],
        containers: [asking('a', '200m'), asking('b', '300m')],
      },
    });
    assert.deepEqual(pod.spec.resources?.requests, { cpu: '600m', memory: '1Gi' });
  });

  it('give ports of the host to pods on its network', () => {
    const pod = newObject(Pod, { spec: { hostNetwork: true, containers: [{ ...container, ports: [{ containerPort: 80 }] }] } });
    assert.deepEqual(pod.spec.containers[0]?.ports, [{ containerPort: 80, protocol: 'TCP', hostPort: 80 }]);
  });

  it('complete volumes and probes', () => {
    const volumes = [{ name: 'a' }, { name: 'b', secret: { secretName: 's' } }, { name: 'd', hostPath: { path: '/x' } }];
    const pod = newObject(Pod, { spec: { volumes, containers: [{ ...container, livenessProbe: { httpGet: { port: 80 } } }] } });
    assert.deepEqual(pod.spec.volumes, [
      { name: 'a', emptyDir: {} },
      { name: 'b', secret: { secretName: 's', defaultMode: 420 } },
      { name: 'd', hostPath: { path: '/x', type: '' } },
    ]);
    assert.deepEqual(pod.spec.containers[0]?.livenessProbe, {
      httpGet: { port: 80, path: '/', scheme: 'HTTP' },
      timeoutSeconds: 1,
      periodSeconds: 10,
      successThreshold: 1,
      failureThreshold: 3,
    });
  });
});

describe('a new pod', () => {
  it('has a generation, a phase and a QoS class, and no status of the client', () => {
    const pod = newObject(Pod, { ...spec(), status: { phase: 'Running' } });
    assert.equal(pod.metadata.generation, 1);
    assert.deepEqual(pod.status, { phase: 'Pending', qosClass: 'BestEffort' });
  });

  it('says so when gates hold it back', () => {
    const pod = newObject(Pod, spec({ schedulingGates: [{ name: 'a.b/c' }] }));
    assert.equal(cells(Pod, pod)['Status'], 'SchedulingGated');
    assert.equal(pod.status.conditions?.[0]?.lastTransitionTime, '2026-11-21T01:00:00Z');
  });

  const rows: readonly [string, object, readonly string[]][] = [
    ['nothing wrong', {}, []],
    ['no image', { containers: [{ name: 'c' }] }, ['spec.containers[0].image: Required value']],
    ['no containers', { containers: [] }, ['spec.containers: Required value']],
    ['two containers of one name', { containers: [container, container] }, ['spec.containers[1].name: Duplicate value: "c"']],
    [
      'a policy that is none',
      { restartPolicy: 'Sometimes' },
      ['spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"'],
    ],
    [
      'a mount of nothing',
      { containers: [{ ...container, volumeMounts: [{ name: 'v', mountPath: '/x' }] }] },
      ['spec.containers[0].volumeMounts[0].name: Not found: "v"'],
    ],
    [
      'two sources in one volume',
      { volumes: [{ name: 'v', emptyDir: {}, hostPath: { path: '/x' } }] },
      ['spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type'],
    ],
    [
      'a port out of range',
      { containers: [{ ...container, ports: [{ containerPort: 70000 }] }] },
      ['spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
    ],
    [
      'a probe of an init container',
      { initContainers: [{ name: 'i', image: 'i', readinessProbe: { exec: { command: ['x'] } } }] },
      ['spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always'],
    ],
    [
      'a probe that does nothing',
      { containers: [{ ...container, livenessProbe: {} }] },
      ['spec.containers[0].livenessProbe: Required value: must specify a handler type'],
    ],
    [
      'a toleration without key',
      { tolerations: [{ effect: 'NoSchedule' }] },
      [
        'spec.tolerations[0].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
      ],
    ],
    [
      'ephemeral containers',
      { ephemeralContainers: [{ name: 'e', image: 'i' }] },
      ['spec.ephemeralContainers: Forbidden: cannot be set on create'],
    ],
    [
      'a label that is none',
      { nodeSelector: { 'a/b/c': 'x' } },
      ['spec.nodeSelector: Invalid value: "a/b/c": a valid label key must consist of'],
    ],
    [
      'a path that climbs',
      { volumes: [{ name: 'v', hostPath: { path: '/a/../b' } }] },
      ['spec.volumes[0].hostPath.path: Invalid value: "/a/../b": must not contain \'..\''],
    ],
    [
      'a field that does not exist in the environment',
      { containers: [{ ...container, env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.bogus' } } }] }] },
      [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.bogus": error converting fieldPath: field label not supported: spec.bogus',
      ],
    ],
  ];
  for (const [title, extra, expected] of rows) {
    it(`with ${title}`, () => {
      const found = problems(Pod, spec(extra));
      assert.equal(found.length, expected.length, found.join('\n'));
      for (const [i, text] of expected.entries()) assert.ok(found[i]?.startsWith(text), `${found[i]}\nis not\n${text}`);
    });
  }
});

describe('an update of a pod', () => {
  const pod = newObject(Pod, spec({ tolerations: [{ key: 'a', operator: 'Exists' }] }));

  it('may change the image, which makes a generation', () => {
    const { next, errors } = updated(Pod, pod, (p) => {
      p.spec.containers[0]!.image = 'j:2';
    });
    assert.deepEqual(errors, []);
    assert.equal(next.metadata.generation, 2);
  });

  it('may add tolerations but not drop them', () => {
    const added = updated(Pod, pod, (p) => p.spec.tolerations?.push({ key: 'b', operator: 'Exists' }));
    assert.deepEqual(added.errors, []);
    const dropped = updated(Pod, pod, (p) => {
      delete p.spec.tolerations;
    });
    assert.deepEqual(dropped.errors, [
      'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
    ]);
  });

  it('may change nothing else', () => {
    const { errors } = updated(Pod, pod, (p) => {
      p.spec.hostNetwork = true;
    });
    const text =
      'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';
    assert.equal(errors.length, 1);
    assert.ok(errors[0]?.startsWith(text), String(errors[0]));
  });

  it('may not add containers', () => {
    const { errors } = updated(Pod, pod, (p) => p.spec.containers.push({ name: 'd', image: 'i' }));
    assert.deepEqual(errors, ['spec.containers: Forbidden: pod updates may not add or remove containers']);
  });

  it('through /status keeps owners and the QoS class', () => {
    const next = structuredClone(pod);
    next.status = { phase: 'Running' };
    next.metadata.ownerReferences = [{ apiVersion: 'v1', kind: 'X', name: 'x', uid: 'u' }];
    next.metadata.annotations = { patched: 'true' };
    Pod.prepareForStatusUpdate(next, pod, writeContext);
    assert.deepEqual(next.status, { phase: 'Running', qosClass: 'BestEffort' });
    assert.equal(next.metadata.ownerReferences, undefined);
    assert.deepEqual(next.metadata.annotations, { patched: 'true' });
    assert.deepEqual(Pod.validateStatusUpdate(next, pod), []);
  });

  it('through /resize changes resources but not the QoS class', () => {
    const next = structuredClone(pod);
    next.spec.containers[0]!.image = 'other';
    next.spec.containers[0]!.resources = { requests: { cpu: '1' } };
    keepAllButResources(next, pod);
    assert.equal(next.spec.containers[0]?.image, 'i');
    assert.deepEqual(texts(validatePodResize(next, pod)), [
      'spec: Invalid value: "BestEffort": Pod QOS Class may not change as a result of resizing',
    ]);
  });
});

describe('deletion of a pod', () => {
  const rows: readonly [string, object, object, number | undefined, number][] = [
    ['not scheduled', {}, {}, undefined, 0],
    ['scheduled', { nodeName: 'n' }, {}, undefined, 30],
    ['as asked', { nodeName: 'n' }, {}, 5, 5],
    ['by force', { nodeName: 'n' }, {}, 0, 0],
    ['negative', { nodeName: 'n' }, {}, -1, 1],
    ['over', { nodeName: 'n' }, { phase: 'Succeeded' }, undefined, 0],
  ];
  for (const [title, extra, status, requested, expected] of rows) {
    it(title, () => {
      const pod = newObject(Pod, spec(extra));
      Object.assign(pod.status, status);
      assert.equal(Pod.gracePeriodSeconds?.(pod, requested), expected);
    });
  }
});

describe('the QoS class', () => {
  const rows: readonly [string, object, string][] = [
    ['nothing', {}, 'BestEffort'],
    ['a request', { requests: { cpu: '1' } }, 'Burstable'],
    ['limits of one', { limits: { cpu: '1' }, requests: { cpu: '1' } }, 'Burstable'],
    ['limits of both', { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1Gi' } }, 'Guaranteed'],
  ];
  for (const [title, resources, expected] of rows) {
    it(title, () => assert.equal(qosClass({ containers: [{ name: 'c', resources }] }), expected));
  }
});

describe('kubectl get pods', () => {
  const running = { state: { running: {} }, ready: true, restartCount: 0, name: 'c', image: 'i', imageID: '' };
  const waiting = (reason: string) => ({ ...running, ready: false, state: { waiting: { reason } } });
  const ended = (exitCode: number, reason?: string) => ({
    ...running,
    ready: false,
    state: { terminated: { exitCode, ...(reason ? { reason } : {}) } },
  });
  const ready = [{ type: 'Ready', status: 'True' }];
  const rows: readonly [string, object, object, string, string][] = [
    ['pending', { phase: 'Pending' }, {}, '0/1', 'Pending'],
    ['running', { phase: 'Running', conditions: ready, containerStatuses: [running] }, {}, '1/1', 'Running'],
    ['crashing', { phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff')] }, {}, '0/1', 'CrashLoopBackOff'],
    ['done', { phase: 'Succeeded', containerStatuses: [ended(0, 'Completed')] }, {}, '0/1', 'Completed'],
    ['failed', { phase: 'Failed', containerStatuses: [ended(3)] }, {}, '0/1', 'ExitCode:3'],
    ['going', { phase: 'Running', containerStatuses: [running] }, { deletionTimestamp: 'x' }, '1/1', 'Terminating'],
    ['lost', { phase: 'Running', reason: 'NodeLost' }, { deletionTimestamp: 'x' }, '0/1', 'Unknown'],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, {}, '0/1', 'Evicted'],
  ];
  for (const [title, status, metadata, readyText, text] of rows) {
    it(title, () => {
      const pod = newObject(Pod, spec());
      Object.assign(pod.status, status);
      Object.assign(pod.metadata, metadata);
      const { Ready, Status } = cells(Pod, pod);
      assert.deepEqual([Ready, Status], [readyText, text]);
    });
  }

  it('counts init containers, and sidecars among the ready', () => {
    const initContainers = [
      { name: 'i', image: 'i' },
      { name: 's', image: 'i', restartPolicy: 'Always' },
    ];
    const pod = newObject(Pod, spec({ initContainers }));
    pod.status = { phase: 'Pending', initContainerStatuses: [{ ...running, name: 'i' }] };
    assert.deepEqual([cells(Pod, pod)['Ready'], cells(Pod, pod)['Status']], ['0/2', 'Init:0/2']);
    const sidecar = { ...running, name: 's', started: true };
    pod.status = {
      phase: 'Running',
      conditions: ready,
      initContainerStatuses: [{ ...ended(0), name: 'i' }, sidecar],
      containerStatuses: [running],
    };
    assert.deepEqual([cells(Pod, pod)['Ready'], cells(Pod, pod)['Status']], ['2/2', 'Running']);
  });

  it('says when a container was restarted last', () => {
    const pod = newObject(Pod, spec());
    const lastState = { terminated: { exitCode: 1, finishedAt: '2026-11-21T00:57:00Z' } };
    pod.status = { phase: 'Running', containerStatuses: [{ ...running, restartCount: 3, lastState }] };
    assert.equal(cells(Pod, pod)['Restarts'], '3 (3m ago)');
  });
});

it('pods: annotations that mean something', () => {
  const spec = { containers: [{ name: 'c', image: 'i' }] };
  const said = (annotations: Record<string, string>): string[] => problems(Pod, { metadata: { annotations }, spec });
  const appArmor = 'container.apparmor.security.beta.kubernetes.io/';
  assert.deepEqual(said({ [`${appArmor}c`]: 'runtime/default', 'controller.kubernetes.io/pod-deletion-cost': '-5' }), []);
  assert.deepEqual(said({ [`${appArmor}x`]: 'bad' }), [
    `metadata.annotations[${appArmor}x]: Invalid value: "x": container not found`,
    `metadata.annotations[${appArmor}x]: Invalid value: "bad": invalid AppArmor profile name: "bad"`,
  ]);
  assert.deepEqual(said({ 'controller.kubernetes.io/pod-deletion-cost': '01' }), [
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "01": must be a 32bit integer',
  ]);
  assert.deepEqual(said({ 'kubernetes.io/config.mirror': 'x' }), [
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName if mirror pod annotation is set',
  ]);
  assert.deepEqual(said({ 'seccomp.security.alpha.kubernetes.io/pod': 'localhost/../x' }), [
    `metadata.annotations.seccomp.security.alpha.kubernetes.io/pod: Invalid value: "../x": must not contain '..'`,
  ]);
});

it('pods: annotations of AppArmor fill the fields of containers, once and for all', () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/c';
  const pod = newObject(Pod, {
    metadata: { annotations: { [key]: 'localhost/web' } },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  assert.deepEqual(pod.spec.containers[0]?.securityContext?.appArmorProfile, { type: 'Localhost', localhostProfile: 'web' });
  const { errors } = updated(Pod, pod, (next) => {
    next.metadata.annotations = {};
  });
  assert.deepEqual(errors, [`metadata.annotations[${key}]: Forbidden: may not remove or update AppArmor annotations`]);
});
