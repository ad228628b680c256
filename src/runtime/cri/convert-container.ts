import type * as cri from '../generated/cri.ts';
import type { Input } from '../grpc/descriptor.ts';
import type {
  Container,
  ContainerConfig,
  ContainerSecurity,
  ContainerState,
  LinuxResources,
  Mount,
  SandboxConfig,
} from '../runtime.ts';
import { criLabels, nanosToMs, podLabels, podPidMode, toSeccomp } from './convert-sandbox.ts';

/** What containers do not see of /proc and /sys unless their procMount is Unmasked (Kubernetes: pkg/securitycontext). */
const defaultMaskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
];
const defaultReadonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

const propagation: Readonly<Record<NonNullable<Mount['propagation']>, cri.MountPropagation>> = {
  private: 'PROPAGATION_PRIVATE',
  hostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  bidirectional: 'PROPAGATION_BIDIRECTIONAL',
};

const states: Readonly<Record<cri.ContainerState, ContainerState>> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
  CONTAINER_UNKNOWN: 'unknown',
};

export function toContainerState(state: cri.ContainerState): ContainerState {
  return states[state] ?? 'unknown';
}

/** CRI's form of a container configuration. */
export function toContainerConfig(config: ContainerConfig, sandbox: SandboxConfig): Input<cri.ContainerConfig> {
  return {
    metadata: { name: config.name, attempt: config.attempt },
    image: { image: config.image, user_specified_image: config.image },
    command: config.command,
    args: config.args,
    working_dir: config.workingDir,
    envs: config.env.map(({ name, value }) => ({ key: name, value: Buffer.from(value) })),
    mounts: config.mounts.map((mount) => ({
      container_path: mount.containerPath,
      host_path: mount.hostPath,
      readonly: mount.readOnly,
      propagation: propagation[mount.propagation ?? 'private'],
    })),
    devices: config.devices.map((device) => ({
      container_path: device.containerPath,
      host_path: device.hostPath,
      permissions: device.permissions,
    })),
    labels: { ...podLabels({ ...sandbox, labels: config.labels }), [criLabels.containerName]: config.name },
    annotations: config.annotations,
    log_path: config.logPath,
    stdin: config.stdin,
    stdin_once: config.stdinOnce,
    tty: config.tty,
    linux: { resources: toLinuxResources(config.resources), security_context: toSecurityContext(config.security) },
  };
}

export function toLinuxResources(resources: LinuxResources): Input<cri.LinuxContainerResources> {
  return {
    cpu_shares: resources.cpuShares,
    cpu_quota: resources.cpuQuota,
    cpu_period: resources.cpuPeriod,
    memory_limit_in_bytes: resources.memoryLimitBytes,
    oom_score_adj: resources.oomScoreAdj,
    unified: resources.unified,
  };
}

function toSecurityContext(security: ContainerSecurity): Input<cri.LinuxContainerSecurityContext> {
  return {
    privileged: security.privileged,
    readonly_rootfs: security.readOnlyRootFilesystem,
    no_new_privs: security.noNewPrivileges,
    supplemental_groups: security.supplementalGroups,
    capabilities: { add_capabilities: security.addCapabilities, drop_capabilities: security.dropCapabilities },
    namespace_options: {
      network: security.hostNetwork ? 'NODE' : 'POD',
      pid: security.targetContainerId === undefined ? podPidMode(security.hostPid, security.sharePodPid) : 'TARGET',
      ipc: security.hostIpc ? 'NODE' : 'POD',
      target_id: security.targetContainerId ?? '',
    },
    seccomp: toSeccomp(security.seccompProfile ?? { type: 'Unconfined' }),
    masked_paths: security.maskedPaths ?? (security.privileged ? [] : defaultMaskedPaths),
    readonly_paths: security.readonlyPaths ?? (security.privileged ? [] : defaultReadonlyPaths),
    run_as_username: security.runAsUserName ?? '',
    ...(security.runAsUser === undefined ? {} : { run_as_user: { value: security.runAsUser } }),
    ...(security.runAsGroup === undefined ? {} : { run_as_group: { value: security.runAsGroup } }),
  };
}

/** A container from its status; the sandbox it belongs to is only in the list entry. */
export function toContainer(status: cri.ContainerStatus, sandboxId: string): Container {
  const [started, finished] = [nanosToMs(status.started_at), nanosToMs(status.finished_at)];
  return {
    id: status.id,
    sandboxId,
    name: status.metadata?.name ?? '',
    attempt: status.metadata?.attempt ?? 0,
    state: toContainerState(status.state),
    createdAtMs: nanosToMs(status.created_at),
    // containerd notes the start after the fact: a short-lived process may have ended before.
    startedAtMs: finished > 0 ? Math.min(started, finished) : started,
    finishedAtMs: finished,
    exitCode: status.exit_code,
    reason: status.reason,
    message: status.message,
    image: status.image?.image ?? '',
    imageRef: status.image_ref,
    logPath: status.log_path,
    labels: status.labels,
    annotations: status.annotations,
  };
}
