import type { Container, EphemeralContainer, Pod, SeccompProfile } from '../../api/generated/types.ts';
import type { ContainerSecurity } from '../../runtime/runtime.ts';
import { ContainerConfigError } from './objects.ts';

/** User of an image, when its configuration names one. */
export interface ImageUser {
  readonly uid?: number;
  readonly username?: string;
}

type Seccomp = NonNullable<ContainerSecurity['seccompProfile']>;

/** The seccomp profile as the runtime wants it; `root` is where Localhost profiles are. */
export function seccomp(profile: SeccompProfile | undefined, root: string): Seccomp | undefined {
  if (profile?.type === 'RuntimeDefault') return { type: 'RuntimeDefault' };
  if (profile?.type === 'Unconfined') return { type: 'Unconfined' };
  if (profile?.type === 'Localhost' && profile.localhostProfile)
    return { type: 'Localhost', localhostRef: `${root}/${profile.localhostProfile}` };
  return undefined;
}

/** The container's security context over the pod's. Throws a ContainerConfigError when runAsNonRoot is not kept. */
export function containerSecurity(
  pod: Pod,
  container: Container,
  context: { image: ImageUser; seccompRoot: string },
): ContainerSecurity {
  const own = container.securityContext ?? {};
  const shared = pod.spec.securityContext ?? {};
  const runAsUser = own.runAsUser ?? shared.runAsUser ?? (context.image.username ? undefined : context.image.uid);
  const runAsGroup = own.runAsGroup ?? shared.runAsGroup;
  if (own.runAsNonRoot ?? shared.runAsNonRoot) verifyNonRoot(runAsUser, context.image, container.image ?? '');
  const privileged = own.privileged ?? false;
  const profile = seccomp(own.seccompProfile ?? shared.seccompProfile, context.seccompRoot);
  const targetContainerId = targetOf(pod, container);
  return {
    privileged,
    ...(targetContainerId === undefined ? {} : { targetContainerId }),
    ...(runAsUser === undefined ? {} : { runAsUser }),
    ...(runAsUser === undefined && context.image.username ? { runAsUserName: context.image.username } : {}),
    ...(runAsGroup === undefined ? {} : { runAsGroup }),
    supplementalGroups: supplementalGroups(pod),
    readOnlyRootFilesystem: own.readOnlyRootFilesystem ?? false,
    noNewPrivileges:
      own.allowPrivilegeEscalation === false && !privileged && !(own.capabilities?.add ?? []).includes('SYS_ADMIN'),
    addCapabilities: own.capabilities?.add ?? [],
    dropCapabilities: own.capabilities?.drop ?? [],
    hostNetwork: pod.spec.hostNetwork ?? false,
    hostPid: pod.spec.hostPID ?? false,
    hostIpc: pod.spec.hostIPC ?? false,
    sharePodPid: pod.spec.shareProcessNamespace ?? false,
    ...(profile && !privileged ? { seccompProfile: profile } : {}),
    ...(own.procMount === 'Unmasked' || privileged ? { maskedPaths: [], readonlyPaths: [] } : {}),
  };
}

/** The id of the container whose processes an ephemeral container wants to see; that one must have been started. */
function targetOf(pod: Pod, container: EphemeralContainer): string | undefined {
  const name = container.targetContainerName;
  if (!name) return undefined;
  const status = pod.status.containerStatuses?.find((s) => s.name === name);
  const [, id] = status?.containerID?.split('://') ?? [];
  if (!id) throw new ContainerConfigError('CreateContainerConfigError', `unable to find target container "${name}"`);
  return id;
}

/** Groups of every process of the pod: those asked for, and the one that owns its volumes. */
export function supplementalGroups(pod: Pod): number[] {
  const shared = pod.spec.securityContext ?? {};
  return [...new Set([...(shared.supplementalGroups ?? []), ...(shared.fsGroup === undefined ? [] : [shared.fsGroup])])];
}

function verifyNonRoot(runAsUser: number | undefined, image: ImageUser, name: string): void {
  const refuse = (why: string): never => {
    throw new ContainerConfigError('CreateContainerConfigError', why);
  };
  if (runAsUser === 0) refuse("container's runAsUser breaks non-root policy");
  if (runAsUser !== undefined) return;
  if (image.username)
    refuse(`container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root`);
  refuse(`container has runAsNonRoot and image will run as root (image: ${name})`);
}
