import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container as ContainerSpec, Pod, PodStatus } from '../../api/generated/types.ts';
import type { Container } from '../../runtime/runtime.ts';
import { observedPod } from '../pod/observed.ts';
import { testContainer, testPod, testSandbox } from '../testing.ts';
import type { WaitingReason } from './container-status.ts';
import { podStatus } from './pod-status.ts';
import { statusPatch } from './status-patch.ts';

const app: ContainerSpec = { name: 'app', image: 'app:1' };
const second: ContainerSpec = { name: 'second', image: 'second:1' };
const init: ContainerSpec = { name: 'init', image: 'init:1' };
const side: ContainerSpec = { name: 'side', image: 'side:1', restartPolicy: 'Always' };
const ended = (spec: ContainerSpec, exitCode: number, more: Partial<Container> = {}): Container =>
  testContainer(spec, { state: 'exited', exitCode, ...more });

interface Given {
  readonly spec?: Partial<Pod['spec']>;
  readonly containers?: readonly Container[];
  readonly previous?: PodStatus;
  readonly waiting?: Readonly<Record<string, WaitingReason>>;
  readonly unready?: readonly string[];
  readonly ended?: boolean;
  readonly failure?: { reason: string; message: string };
}

const status = (given: Given): PodStatus =>
  podStatus({
    pod: testPod({ restartPolicy: 'Always', containers: [app], ...given.spec }, { generation: 2 }),
    previous: given.previous ?? {},
    observed: observedPod([testSandbox()], given.containers ?? []),
    nowMs: Date.UTC(2026, 0, 1),
    hostIPs: ['192.168.1.5'],
    ended: given.ended ?? false,
    ...(given.failure ? { failure: given.failure } : {}),
    facts: {
      waiting: new Map(Object.entries(given.waiting ?? {})),
      runtimeName: 'containerd',
      started: () => true,
      ready: (_, name) => !given.unready?.includes(name),
      terminationMessage: () => undefined,
    },
  });

const never = { restartPolicy: 'Never' };
for (const [name, given, phase] of [
  ['nothing has begun', {}, 'Pending'],
  ['it runs', { containers: [testContainer(app)] }, 'Running'],
  [
    'one of two runs, the other has not begun',
    { spec: { containers: [app, second] }, containers: [testContainer(app)] },
    'Pending',
  ],
  ['it ended and will restart', { containers: [ended(app, 0)] }, 'Running'],
  ['it waits to restart', { containers: [ended(app, 1)], waiting: { app: { reason: 'CrashLoopBackOff' } } }, 'Running'],
  ['its image cannot be had', { waiting: { app: { reason: 'ErrImagePull' } } }, 'Pending'],
  ['it succeeded for good', { spec: never, containers: [ended(app, 0)] }, 'Succeeded'],
  ['it failed for good', { spec: never, containers: [ended(app, 1)] }, 'Failed'],
  ['OnFailure and failed', { spec: { restartPolicy: 'OnFailure' }, containers: [ended(app, 1)] }, 'Running'],
  ['OnFailure and succeeded', { spec: { restartPolicy: 'OnFailure' }, containers: [ended(app, 0)] }, 'Succeeded'],
  ['an init container runs', { spec: { initContainers: [init] }, containers: [testContainer(init)] }, 'Pending'],
  ['an init container failed for good', { spec: { ...never, initContainers: [init] }, containers: [ended(init, 1)] }, 'Failed'],
  [
    'a sidecar is still to stop',
    { spec: { ...never, initContainers: [side] }, containers: [testContainer(side), ended(app, 0)] },
    'Running',
  ],
  ['it was killed', { ended: true, containers: [ended(app, 143)] }, 'Failed'],
  ['it was stopped and ended well', { ended: true, containers: [ended(app, 0)] }, 'Succeeded'],
  ['the node gave it up', { containers: [testContainer(app)], failure: { reason: 'DeadlineExceeded', message: 'x' } }, 'Failed'],
  ['what has ended stays ended', { previous: { phase: 'Succeeded' }, containers: [] }, 'Succeeded'],
] as const)
  test(`phase: ${name}`, () => assert.equal(status(given as Given).phase, phase));

test('conditions follow the containers, with upstream’s words', () => {
  const conditions = (given: Given): string[] =>
    status(given).conditions!.map((c) => `${c.type} ${c.status}${c.reason ? ` ${c.reason}: ${c.message}` : ''}`);
  assert.deepEqual(
    conditions({
      spec: { containers: [app, second] },
      containers: [testContainer(app), testContainer(second)],
      unready: ['second'],
    }),
    [
      'PodReadyToStartContainers True',
      'Initialized True',
      'Ready False ContainersNotReady: containers with unready status: [second]',
      'ContainersReady False ContainersNotReady: containers with unready status: [second]',
      'PodScheduled True',
    ],
  );
  assert.ok(
    conditions({ spec: { initContainers: [init] } }).includes(
      'Initialized False ContainersNotInitialized: containers with incomplete status: [init]',
    ),
  );
  assert.ok(
    conditions({ spec: { readinessGates: [{ conditionType: 'x.y/z' }] }, containers: [testContainer(app)] }).includes(
      'Ready False ReadinessGatesNotReady: corresponding condition of pod readiness gate "x.y/z" does not exist.',
    ),
  );
});

test('times of change and conditions of others are kept', () => {
  const lastTransitionTime = '2025-01-01T00:00:00Z';
  const { conditions } = status({
    containers: [testContainer(app)],
    previous: {
      conditions: [
        { type: 'Ready', status: 'True', lastTransitionTime },
        { type: 'x.y/z', status: 'True' },
      ],
    },
  });
  assert.equal(conditions!.find((c) => c.type === 'Ready')!.lastTransitionTime, lastTransitionTime);
  assert.ok(conditions!.some((c) => c.type === 'x.y/z'));
});

test('a container that backs off shows why, and how it ended', () => {
  const [shown] = status({
    containers: [ended(app, 3, { attempt: 2, reason: 'Error' })],
    waiting: { app: { reason: 'CrashLoopBackOff', message: 'back-off' } },
  }).containerStatuses!;
  assert.deepEqual(shown!.state, { waiting: { reason: 'CrashLoopBackOff', message: 'back-off' } });
  assert.equal(shown!.lastState!.terminated!.exitCode, 3);
  assert.equal(shown!.restartCount, 2);
});

test('a restarted container remembers the end of the one before', () => {
  const [shown] = status({ containers: [ended(app, 137, { reason: 'OOMKilled' }), testContainer(app, { attempt: 1 })] })
    .containerStatuses!;
  assert.equal(shown!.lastState!.terminated!.reason, 'OOMKilled');
  assert.equal(shown!.restartCount, 1);
  assert.equal(shown!.ready, true);
});

test('containers whose turn had not come when the pod failed still wait for it', () => {
  const later: ContainerSpec = { name: 'later', image: 'later:1' };
  const spec = { restartPolicy: 'Never', initContainers: [init, later] };
  const shown = status({ spec, containers: [ended(init, 1)], ended: true });
  assert.equal(shown.phase, 'Failed');
  assert.equal(shown.initContainerStatuses![0]!.state!.terminated!.exitCode, 1);
  for (const waits of [shown.initContainerStatuses![1]!, shown.containerStatuses![0]!])
    assert.deepEqual(waits.state, { waiting: { reason: 'PodInitializing' } });
});

test('a container that was due and never ran counts as lost', () => {
  const spec = { restartPolicy: 'Never', initContainers: [init] };
  const afterInit = status({ spec, containers: [ended(init, 0)], ended: true });
  assert.equal(afterInit.containerStatuses![0]!.state!.terminated!.reason, 'ContainerStatusUnknown');
  const atOnce = status({ spec, ended: true });
  assert.equal(atOnce.initContainerStatuses![0]!.state!.terminated!.reason, 'ContainerStatusUnknown');
});

test('a lost container is reported as lost', () => {
  const previous = {
    containerStatuses: [{ name: 'app', image: '', imageID: '', ready: true, restartCount: 4, state: { running: {} } }],
  };
  const [shown] = status({ previous, ended: true }).containerStatuses!;
  assert.equal(shown!.state!.terminated!.reason, 'ContainerStatusUnknown');
  assert.equal(shown!.restartCount, 4);
});

test('only what changed is sent', () => {
  const before = status({ containers: [testContainer(app)] });
  assert.equal(statusPatch('u', before, status({ containers: [testContainer(app)], previous: before })), undefined);
  const after = status({ containers: [testContainer(app)], previous: before, unready: ['app'] });
  const patch = statusPatch('u', before, after) as { metadata: unknown; status: PodStatus };
  assert.deepEqual(patch.metadata, { uid: 'u' });
  assert.deepEqual(Object.keys(patch.status), ['containerStatuses', 'conditions']);
  assert.deepEqual(
    patch.status.conditions!.map((c) => c.type),
    ['Ready', 'ContainersReady'],
  );
  const moved = statusPatch('u', before, { ...before, podIP: '10.42.0.9', podIPs: [{ ip: '10.42.0.9' }] }) as {
    status: { podIPs: unknown };
  };
  assert.deepEqual(moved.status.podIPs, [{ $patch: 'delete', ip: '10.42.0.5' }, { ip: '10.42.0.9' }]);
});
