import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container as ContainerSpec, Pod } from '../../api/generated/types.ts';
import type { Container, Sandbox } from '../../runtime/runtime.ts';
import { testContainer, testPod, testSandbox } from '../testing.ts';
import type { BackoffEntry } from './crash-backoff.ts';
import { observedPod } from './observed.ts';
import { type Plan, plan, type Step } from './plan.ts';

const app: ContainerSpec = { name: 'app', image: 'app:1' };
const second: ContainerSpec = { name: 'second', image: 'second:1' };
const init: ContainerSpec = { name: 'init', image: 'init:1' };
const side: ContainerSpec = { name: 'side', image: 'side:1', restartPolicy: 'Always' };
const ended = (spec: ContainerSpec, exitCode = 0, more: Partial<Container> = {}): Container =>
  testContainer(spec, { state: 'exited', exitCode, ...more });

interface Row {
  readonly name: string;
  readonly spec?: Partial<Pod['spec']>;
  readonly containers?: readonly Container[];
  readonly sandboxes?: readonly Sandbox[];
  readonly unhealthy?: Readonly<Record<string, 'liveness' | 'startup'>>;
  readonly notStarted?: readonly string[];
  readonly backoff?: Readonly<Record<string, BackoffEntry>>;
  readonly expected: readonly string[];
}

const one = [testSandbox()];

const rows: readonly Row[] = [
  { name: 'a new pod gets its sandbox first', sandboxes: [], expected: ['sandbox 0'] },
  { name: 'then its containers', expected: ['start app 0'] },
  { name: 'several at once', spec: { containers: [app, second] }, expected: ['start app 0', 'start second 0'] },
  { name: 'a running pod needs nothing', containers: [testContainer(app)], expected: [] },
  {
    name: 'a sandbox that died is replaced',
    sandboxes: [testSandbox({ ready: false })],
    containers: [ended(app, 137)],
    expected: ['sandbox 1 again'],
  },
  {
    name: 'a sandbox without an address is replaced',
    sandboxes: [testSandbox({ ips: [] })],
    expected: ['stop sandbox-0', 'sandbox 1 again'],
  },
  {
    name: 'on the host network it needs none',
    spec: { hostNetwork: true },
    sandboxes: [testSandbox({ ips: [] })],
    expected: ['start app 0'],
  },
  {
    name: 'containers of an old sandbox are started in the new one',
    sandboxes: [testSandbox({ id: 'sandbox-1', attempt: 1, createdAtMs: 5_000 }), testSandbox({ ready: false })],
    containers: [ended(app, 137)],
    expected: ['start app 1'],
  },
  {
    name: 'a pod that is done does not get a new sandbox',
    spec: { restartPolicy: 'Never' },
    sandboxes: [testSandbox({ ready: false })],
    containers: [ended(app, 1)],
    expected: ['finished'],
  },
  { name: 'Always restarts what succeeded', containers: [ended(app)], expected: ['start app 1'] },
  { name: 'OnFailure does not', spec: { restartPolicy: 'OnFailure' }, containers: [ended(app)], expected: ['finished'] },
  {
    name: 'OnFailure restarts what failed',
    spec: { restartPolicy: 'OnFailure' },
    containers: [ended(app, 1)],
    expected: ['start app 1'],
  },
  { name: 'Never does not', spec: { restartPolicy: 'Never' }, containers: [ended(app, 1)], expected: ['finished'] },
  {
    name: 'Never waits for the others',
    spec: { restartPolicy: 'Never', containers: [app, second] },
    containers: [ended(app, 1), testContainer(second)],
    expected: [],
  },
  {
    name: 'a container rule beats the policy of the pod',
    spec: {
      restartPolicy: 'Never',
      containers: [
        {
          ...app,
          restartPolicy: 'Never',
          restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
        },
      ],
    },
    containers: [ended(app, 42)],
    expected: ['start app 1'],
  },
  {
    name: 'backs off',
    containers: [ended(app, 1)],
    backoff: { app: { delayMs: 20_000, updatedAtMs: 2_000 } },
    expected: ['wait app until 23000'],
  },
  {
    name: 'goes on after the pause',
    containers: [ended(app, 1)],
    backoff: { app: { delayMs: 5_000, updatedAtMs: 2_000 } },
    expected: ['start app 1'],
  },
  { name: 'init containers go first', spec: { initContainers: [init] }, expected: ['start init 0'] },
  { name: 'one after the other', spec: { initContainers: [init] }, containers: [testContainer(init)], expected: [] },
  { name: 'then the containers', spec: { initContainers: [init] }, containers: [ended(init)], expected: ['start app 0'] },
  {
    name: 'a failed init container is tried again',
    spec: { initContainers: [init] },
    containers: [ended(init, 1)],
    expected: ['start init 1'],
  },
  {
    name: 'unless the pod never restarts',
    spec: { restartPolicy: 'Never', initContainers: [init] },
    containers: [ended(init, 1)],
    expected: ['finished'],
  },
  {
    name: 'init containers are done once containers have run',
    spec: { initContainers: [init] },
    containers: [testContainer(app)],
    expected: [],
  },
  { name: 'a sidecar starts before what follows', spec: { initContainers: [side, init] }, expected: ['start side 0'] },
  {
    name: 'what follows waits until it has started',
    spec: { initContainers: [side, init] },
    containers: [testContainer(side)],
    notStarted: ['side-0'],
    expected: [],
  },
  {
    name: 'and then begins',
    spec: { initContainers: [side, init] },
    containers: [testContainer(side)],
    expected: ['start init 0'],
  },
  {
    name: 'a sidecar that ends is restarted beside the containers',
    spec: { initContainers: [side], restartPolicy: 'Never' },
    containers: [ended(side), testContainer(app)],
    expected: ['start side 1'],
  },
  {
    name: 'a sidecar does not keep a pod alive',
    spec: { initContainers: [side], restartPolicy: 'Never' },
    containers: [testContainer(side), ended(app)],
    expected: ['finished'],
  },
  {
    name: 'an unhealthy container is killed',
    containers: [testContainer(app)],
    unhealthy: { 'app-0': 'liveness' },
    expected: ['kill app-0: Container app failed liveness probe, will be restarted'],
  },
  {
    name: 'and only killed when it may not restart',
    spec: { restartPolicy: 'Never' },
    containers: [testContainer(app)],
    unhealthy: { 'app-0': 'startup' },
    expected: ['kill app-0: Container app failed startup probe'],
  },
  {
    name: 'another image replaces the container',
    containers: [testContainer({ ...app, image: 'app:0' })],
    expected: ['kill app-0: Container app definition changed, will be restarted'],
  },
  {
    name: 'ephemeral containers start once',
    spec: { ephemeralContainers: [{ name: 'debug', image: 'x' }] },
    containers: [testContainer(app)],
    expected: ['start debug 0'],
  },
  {
    name: 'and never again',
    spec: { ephemeralContainers: [{ name: 'debug', image: 'x' }] },
    containers: [testContainer(app), ended({ name: 'debug', image: 'x' }, 1)],
    expected: [],
  },
  {
    name: 'a container that was made but not started is made again',
    containers: [testContainer(app, { state: 'created' })],
    expected: ['start app 1'],
  },
];

for (const row of rows)
  test(`plan: ${row.name}`, () => {
    const made = plan({
      pod: testPod({ restartPolicy: 'Always', containers: [app], ...row.spec }),
      observed: observedPod(row.sandboxes ?? one, row.containers ?? []),
      nowMs: 10_000,
      backoff: (name) => row.backoff?.[name],
      restartCount: () => undefined,
      health: {
        started: (id) => !row.notStarted?.includes(id),
        failed: (id) => row.unhealthy?.[id],
      },
    });
    assert.deepEqual(described(made), row.expected);
  });

function described({ steps, waits, finished }: Plan): string[] {
  return [...steps.map(stepText), ...waits.map((w) => `wait ${w.name} until ${w.untilMs}`), ...(finished ? ['finished'] : [])];
}

function stepText(step: Step): string {
  if (step.do === 'stopSandbox') return `stop ${step.sandboxId}`;
  if (step.do === 'createSandbox') return `sandbox ${step.attempt}${step.replaces ? ' again' : ''}`;
  if (step.do === 'kill') return `kill ${step.container.id}: ${step.message}`;
  return `start ${step.spec.name} ${step.attempt}`;
}
