import type { Container as ContainerSpec, Pod } from '../api/generated/types.ts';
import type { Container, Sandbox } from '../runtime/runtime.ts';
import { annotation, containerHash } from './pod/names.ts';

/** Objects for tests of the agent: a pod, and what a runtime would have of it. */
export function testPod(
  spec: Partial<Pod['spec']> & { containers: ContainerSpec[] },
  metadata: Partial<Pod['metadata']> = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'default', uid: 'uid-1', creationTimestamp: '', resourceVersion: '1', ...metadata },
    spec: { nodeName: 'node-1', ...spec },
    status: {},
  };
}

export function testSandbox(changes: Partial<Sandbox> = {}): Sandbox {
  return {
    id: 'sandbox-0',
    podUid: 'uid-1',
    name: 'web',
    namespace: 'default',
    attempt: 0,
    ready: true,
    createdAtMs: 1_000,
    ips: ['10.42.0.5'],
    labels: {},
    annotations: {},
    ...changes,
  };
}

export function testContainer(spec: ContainerSpec, changes: Partial<Container> = {}): Container {
  const attempt = changes.attempt ?? 0;
  return {
    id: `${spec.name}-${attempt}`,
    sandboxId: 'sandbox-0',
    name: spec.name,
    attempt,
    state: 'running',
    createdAtMs: 1_000,
    startedAtMs: 2_000,
    finishedAtMs: changes.state === 'exited' ? 3_000 : 0,
    exitCode: 0,
    reason: '',
    message: '',
    image: spec.image ?? '',
    imageRef: 'sha256:1',
    logPath: '',
    labels: {},
    annotations: { [annotation.hash]: containerHash(spec) },
    ...changes,
  };
}
