import type { Pod } from '../../api/generated/types.ts';
import type { SandboxConfig } from '../../runtime/runtime.ts';
import type { DnsConfig } from './dns-config.ts';
import { label, podHostname, podLogDirectory } from './names.ts';
import { seccomp, supplementalGroups } from './security.ts';

/** What the node contributes to every sandbox. */
export interface SandboxContext {
  readonly dns: DnsConfig;
  readonly clusterDomain: string;
  readonly podLogsRoot: string;
  readonly cgroupParent: string;
  readonly runtimeHandler: string;
  readonly seccompRoot: string;
}

/** The sandbox of a pod; `attempt` counts the sandboxes the pod has had. */
export function sandboxConfig(pod: Pod, attempt: number, context: SandboxContext): SandboxConfig {
  const { spec, metadata } = pod;
  const security = spec.securityContext ?? {};
  const profile = seccomp(security.seccompProfile, context.seccompRoot);
  return {
    podUid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace ?? '',
    attempt,
    // A sandbox in the host's UTS namespace may not set a host name.
    hostname: spec.hostNetwork ? '' : podHostname(pod, context.clusterDomain).hostname,
    logDirectory: podLogDirectory(context.podLogsRoot, pod),
    dns: context.dns,
    labels: {
      ...metadata.labels,
      [label.podName]: metadata.name,
      [label.podNamespace]: metadata.namespace ?? '',
      [label.podUid]: metadata.uid,
    },
    annotations: metadata.annotations ?? {},
    cgroupParent: context.cgroupParent,
    sysctls: Object.fromEntries((security.sysctls ?? []).map((s) => [s.name, s.value])),
    hostNetwork: spec.hostNetwork ?? false,
    hostPid: spec.hostPID ?? false,
    hostIpc: spec.hostIPC ?? false,
    shareProcessNamespace: spec.shareProcessNamespace ?? false,
    privileged: [...spec.containers, ...(spec.initContainers ?? [])].some((c) => c.securityContext?.privileged ?? false),
    runtimeHandler: context.runtimeHandler,
    ...(security.runAsUser === undefined ? {} : { runAsUser: security.runAsUser }),
    ...(security.runAsGroup === undefined ? {} : { runAsGroup: security.runAsGroup }),
    supplementalGroups: supplementalGroups(pod),
    ...(profile ? { seccompProfile: profile } : {}),
  };
}
