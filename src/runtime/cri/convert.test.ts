import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { containerConfigOf, sandboxConfigOf } from '../../../test/support/runtime-configs.ts';
import type * as cri from '../generated/cri.ts';
import { descriptor } from '../generated/cri.ts';
import { Codec } from '../grpc/codec.ts';
import { GrpcError } from '../grpc/grpc-error.ts';
import type { ContainerSecurity, SandboxConfig } from '../runtime.ts';
import { createContainerdCodec } from './clients.ts';
import { toContainer, toContainerConfig } from './convert-container.ts';
import { toPodSandboxConfig, toSandboxNetwork } from './convert-sandbox.ts';
import { translateEvent } from './event-stream.ts';
import { toImageError } from './image-service.ts';
import { StatusCache } from './status-cache.ts';

const codec = new Codec(descriptor);
const sandbox = (changes: Partial<SandboxConfig> = {}): cri.PodSandboxConfig =>
  codec.decode(
    'runtime.v1.PodSandboxConfig',
    codec.encode('runtime.v1.PodSandboxConfig', toPodSandboxConfig(sandboxConfigOf('uid-0001', changes))),
  );
const container = (security: Partial<ContainerSecurity>): cri.ContainerConfig => {
  const config = containerConfigOf('image', ['run']);
  const converted = toContainerConfig(
    { ...config, security: { ...config.security, ...security } },
    sandboxConfigOf('uid-0001', {}),
  );
  return codec.decode('runtime.v1.ContainerConfig', codec.encode('runtime.v1.ContainerConfig', converted));
};

describe('CRI messages', () => {
  for (const [name, changes, expected] of [
    ['a plain pod', {}, { network: 'POD', pid: 'CONTAINER', ipc: 'POD' }],
    ['host namespaces', { hostNetwork: true, hostPid: true, hostIpc: true }, { network: 'NODE', pid: 'NODE', ipc: 'NODE' }],
    ['a shared PID namespace', { shareProcessNamespace: true }, { network: 'POD', pid: 'POD', ipc: 'POD' }],
  ] as const) {
    test(`namespaces of ${name}`, () => {
      const { network, pid, ipc } = sandbox(changes).linux!.security_context!.namespace_options!;
      assert.deepEqual({ network, pid, ipc }, expected);
    });
  }

  test('a pod on the host network has no hostname of its own', () => {
    assert.equal(sandbox().hostname, 'pod-0001');
    assert.equal(sandbox({ hostNetwork: true }).hostname, '');
  });

  test('root is sent as a user, and no user as none', () => {
    assert.deepEqual(container({ runAsUser: 0 }).linux?.security_context?.run_as_user, { value: 0 });
    assert.equal(container({}).linux?.security_context?.run_as_user, undefined);
  });

  test('/proc is masked unless the container is privileged or asks otherwise', () => {
    const masked = (security: Partial<ContainerSecurity>): readonly string[] =>
      container(security).linux!.security_context!.masked_paths;
    assert.ok(masked({}).includes('/proc/kcore'));
    assert.deepEqual(masked({ privileged: true }), []);
    assert.deepEqual(masked({ maskedPaths: [] }), []);
  });

  test('a container with a target joins its PID namespace', () => {
    const options = container({ targetContainerId: 'abc', sharePodPid: true }).linux!.security_context!.namespace_options!;
    assert.deepEqual([options.pid, options.target_id], ['TARGET', 'abc']);
  });

  test('the environment is UTF-8, and labels name pod and container', () => {
    const config = container({});
    assert.equal(Buffer.from(config.envs[0]!.value).toString(), 'grüß dich');
    assert.equal(config.labels['io.kubernetes.pod.uid'], 'uid-0001');
    assert.equal(config.labels['io.kubernetes.container.name'], 'main');
  });

  test('addresses and namespace come from the verbose status', () => {
    const response = codec.decode(
      'runtime.v1.PodSandboxStatusResponse',
      codec.encode('runtime.v1.PodSandboxStatusResponse', {
        status: { network: { ip: '10.0.0.2', additional_ips: [{ ip: 'fd00::2' }] } },
        info: {
          info: JSON.stringify({
            runtimeSpec: { linux: { namespaces: [{ type: 'pid' }, { type: 'network', path: '/run/n' }] } },
          }),
        },
      }),
    );
    assert.deepEqual(toSandboxNetwork(response), { ips: ['10.0.0.2', 'fd00::2'], networkNamespacePath: '/run/n' });
  });

  test('a container never ends before it starts', () => {
    const decoded = codec.decode(
      'runtime.v1.ContainerStatus',
      codec.encode('runtime.v1.ContainerStatus', { state: 'CONTAINER_EXITED', started_at: 5e15 + 2e6, finished_at: 5e15 }),
    );
    const { startedAtMs, finishedAtMs, state } = toContainer(decoded, 's');
    assert.deepEqual([startedAtMs, finishedAtMs, state], [5e9, 5e9, 'exited']);
  });

  for (const [text, reason] of [
    ['rpc error: pull access denied', 'ErrImagePull'],
    ['failed to parse: invalid reference format: repository name must be lowercase', 'InvalidImageName'],
    ['RegistryUnavailable: down', 'RegistryUnavailable'],
  ] as const) {
    test(`a failed pull that says "${text}" is ${reason}`, () => {
      assert.equal(toImageError(new GrpcError(2, text, 'PullImage'), 'a:1').reason, reason);
    });
  }

  test('events are translated; those of exec processes and of others are not', () => {
    const events = createContainerdCodec();
    const exit = (id: string) =>
      translateEvent(
        '/tasks/exit',
        { type_url: '', value: events.encode('containerd.events.TaskExit', { container_id: 'c', id, exit_status: 7 }) },
        events,
      );
    assert.deepEqual(exit('c'), { type: 'stopped', id: 'c', exitCode: 7 });
    assert.equal(exit('exec'), undefined);
    assert.equal(translateEvent('/snapshot/prepare', { type_url: '', value: new Uint8Array() }, events), undefined);
  });
});

describe('status cache', () => {
  const exited = (finishedAtMs: number) =>
    toContainer(
      codec.decode(
        'runtime.v1.ContainerStatus',
        codec.encode('runtime.v1.ContainerStatus', { id: 'c', state: 'CONTAINER_EXITED', finished_at: finishedAtMs * 1e6 }),
      ),
      's',
    );

  test('an end is remembered only when its reason is settled', () => {
    const cache = new StatusCache(() => 100_000);
    cache.setContainer(exited(99_000));
    assert.equal(cache.container('c', 'exited'), undefined);
    cache.setContainer(exited(50_000));
    assert.ok(cache.container('c', 'exited'));
    assert.equal(cache.container('c', 'running'), undefined);
  });

  test('what is gone is forgotten', () => {
    const cache = new StatusCache(() => 100_000);
    cache.setContainer(exited(50_000));
    cache.setNetwork('s', { ips: [] });
    cache.keepContainers(new Set());
    cache.keepSandboxes(new Set(['s']));
    assert.equal(cache.container('c', 'exited'), undefined);
    assert.ok(cache.network('s'));
  });
});
