import type { Container, Pod } from '../../api/generated/types.ts';
import type { ContainerConfig, Mount } from '../../runtime/runtime.ts';
import { containerResources } from '../resources/pod-resources.ts';
import { expand } from './expand.ts';
import { annotation, containerHash, containerLogPath, label } from './names.ts';
import { containerSecurity, type ImageUser } from './security.ts';

export interface ContainerContext {
  readonly attempt: number;
  /** The image to run, as the runtime names it. */
  readonly imageRef: string;
  readonly imageUser: ImageUser;
  readonly env: ReadonlyMap<string, string>;
  readonly mounts: readonly Mount[];
  readonly devices: ContainerConfig['devices'];
  readonly seccompRoot: string;
  readonly node: { readonly memoryBytes: number; readonly cgroupVersion: 1 | 2 };
}

/** What the runtime needs to create a container of a pod. Throws a ContainerConfigError when the security context forbids it. */
export function containerConfig(pod: Pod, container: Container, context: ContainerContext): ContainerConfig {
  const lookup = (name: string): string | undefined => context.env.get(name);
  return {
    name: container.name,
    attempt: context.attempt,
    image: context.imageRef,
    command: (container.command ?? []).map((word) => expand(word, lookup)),
    args: (container.args ?? []).map((word) => expand(word, lookup)),
    workingDir: container.workingDir ?? '',
    env: [...context.env].map(([name, value]) => ({ name, value })),
    mounts: context.mounts,
    devices: context.devices,
    labels: {
      [label.podName]: pod.metadata.name,
      [label.podNamespace]: pod.metadata.namespace ?? '',
      [label.podUid]: pod.metadata.uid,
      [label.containerName]: container.name,
    },
    annotations: {
      [annotation.hash]: containerHash(container),
      [annotation.restartCount]: String(context.attempt),
      [annotation.terminationMessagePath]: container.terminationMessagePath ?? '/dev/termination-log',
      [annotation.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
    },
    logPath: containerLogPath(container.name, context.attempt),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    resources: containerResources(pod, container, context.node),
    security: containerSecurity(pod, container, { image: context.imageUser, seccompRoot: context.seccompRoot }),
  };
}
