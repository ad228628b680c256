import { chmod, mkdir, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, VolumeMount } from '../../api/generated/types.ts';
import type { Mount } from '../../runtime/runtime.ts';
import { expand } from '../pod/expand.ts';
import { ContainerConfigError } from '../pod/objects.ts';
import type { Mounter } from './mounter.ts';
import { bindSubPath } from './sub-path.ts';
import type { MountedVolume } from './volume-manager.ts';

export interface MountContext {
  readonly volumes: ReadonlyMap<string, MountedVolume>;
  readonly env: ReadonlyMap<string, string>;
  /** The pod's directory on disk. */
  readonly podDirectory: string;
  readonly mounter: Mounter;
  /** The pod's /etc/hosts, unless the container brings its own. */
  readonly hostsFile: string | undefined;
  readonly attempt: number;
}

/** Everything mounted into a container. Rejects with a ContainerConfigError when a volume or sub-path is not there. */
export async function containerMounts(container: Container, context: MountContext): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = context.volumes.get(mount.name);
    if (!volume)
      throw new ContainerConfigError(
        'CreateContainerConfigError',
        `cannot find volume "${mount.name}" to mount into container "${container.name}"`,
      );
    mounts.push({
      containerPath: mount.mountPath.startsWith('/') ? mount.mountPath : `/${mount.mountPath}`,
      hostPath: await hostPathOf(container, mount, { ...context, volume, index }),
      readOnly: (mount.readOnly ?? false) || volume.readOnly,
      propagation: propagation(mount),
    });
  }
  const ownHosts = mounts.some((m) => m.containerPath === '/etc/hosts');
  if (context.hostsFile && !ownHosts) mounts.push({ containerPath: '/etc/hosts', hostPath: context.hostsFile, readOnly: false });
  const messagePath = container.terminationMessagePath ?? '/dev/termination-log';
  if (messagePath !== '') {
    const hostPath = terminationLogPath(context.podDirectory, container.name, context.attempt);
    await createTerminationLog(hostPath);
    mounts.push({ containerPath: messagePath, hostPath, readOnly: false });
  }
  return mounts;
}

/** The file of the node in which a container leaves its termination message. */
export function terminationLogPath(podDirectory: string, container: string, attempt: number): string {
  return join(podDirectory, 'containers', container, String(attempt));
}

async function createTerminationLog(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o750 });
  await (await open(path, 'w')).close();
  // Whatever user the container runs as may write it.
  await chmod(path, 0o666);
}

async function hostPathOf(
  container: Container,
  mount: VolumeMount,
  context: MountContext & { volume: MountedVolume; index: number },
): Promise<string> {
  const subPath = mount.subPathExpr === undefined ? mount.subPath : expandedSubPath(mount.subPathExpr, context.env);
  if (!subPath) return context.volume.path;
  const target = join(context.podDirectory, 'volume-subpaths', mount.name, container.name, String(context.index));
  try {
    return await bindSubPath(context.mounter, { volume: context.volume.path, subPath, target });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ContainerConfigError(
      'CreateContainerConfigError',
      `failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}": ${why}`,
    );
  }
}

/** Unlike elsewhere, a variable that is not there is an error: it would name a directory nobody meant. */
function expandedSubPath(expression: string, env: ReadonlyMap<string, string>): string {
  return expand(expression, (name) => {
    const value = env.get(name);
    if (value === undefined) throw new ContainerConfigError('CreateContainerConfigError', `missing value for "${name}"`);
    return value;
  });
}

function propagation(mount: VolumeMount): NonNullable<Mount['propagation']> {
  if (mount.mountPropagation === 'HostToContainer') return 'hostToContainer';
  return mount.mountPropagation === 'Bidirectional' ? 'bidirectional' : 'private';
}
