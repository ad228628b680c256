import type * as cri from '../generated/cri.ts';
import type { Input } from '../grpc/descriptor.ts';
import type { Sandbox, SandboxConfig } from '../runtime.ts';

/** The labels by which crictl and cAdvisor know pods and containers (k8s.io/kubelet/pkg/types/labels.go). */
export const criLabels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

/** CRI's form of a sandbox configuration. `annotations` are added for the runtime's own use. */
export function toPodSandboxConfig(
  config: SandboxConfig,
  annotations: Readonly<Record<string, string>> = {},
): Input<cri.PodSandboxConfig> {
  return {
    metadata: { name: config.name, uid: config.podUid, namespace: config.namespace, attempt: config.attempt },
    // Without a UTS namespace of its own a pod cannot have a hostname of its own.
    hostname: config.hostNetwork ? '' : config.hostname,
    log_directory: config.logDirectory,
    dns_config: config.dns,
    labels: podLabels(config),
    annotations: { ...config.annotations, ...annotations },
    linux: {
      cgroup_parent: config.cgroupParent,
      sysctls: config.sysctls,
      security_context: {
        namespace_options: {
          network: config.hostNetwork ? 'NODE' : 'POD',
          pid: podPidMode(config.hostPid, config.shareProcessNamespace),
          ipc: config.hostIpc ? 'NODE' : 'POD',
        },
        privileged: config.privileged,
        supplemental_groups: config.supplementalGroups,
        seccomp: toSeccomp(config.seccompProfile ?? { type: 'RuntimeDefault' }),
        ...(config.runAsUser === undefined ? {} : { run_as_user: { value: config.runAsUser } }),
        ...(config.runAsGroup === undefined ? {} : { run_as_group: { value: config.runAsGroup } }),
      },
    },
  };
}

/** The labels every object of a pod carries. */
export function podLabels(pod: Pick<SandboxConfig, 'name' | 'namespace' | 'podUid' | 'labels'>): Record<string, string> {
  return {
    ...pod.labels,
    [criLabels.podName]: pod.name,
    [criLabels.podNamespace]: pod.namespace,
    [criLabels.podUid]: pod.podUid,
  };
}

export function podPidMode(hostPid: boolean, shared: boolean): cri.NamespaceMode {
  if (hostPid) return 'NODE';
  return shared ? 'POD' : 'CONTAINER';
}

export function toSeccomp(profile: NonNullable<SandboxConfig['seccompProfile']>): Input<cri.SecurityProfile> {
  return { profile_type: profile.type, localhost_ref: profile.localhostRef ?? '' };
}

/** What a sandbox's status adds to its list entry; it does not change during the sandbox's life. */
export interface SandboxNetwork {
  readonly ips: readonly string[];
  readonly networkNamespacePath?: string;
}

export function toSandbox(entry: cri.PodSandbox, network: SandboxNetwork): Sandbox {
  return {
    id: entry.id,
    podUid: entry.metadata?.uid ?? '',
    name: entry.metadata?.name ?? '',
    namespace: entry.metadata?.namespace ?? '',
    attempt: entry.metadata?.attempt ?? 0,
    ready: entry.state === 'SANDBOX_READY',
    createdAtMs: nanosToMs(entry.created_at),
    labels: entry.labels,
    annotations: entry.annotations,
    ...network,
  };
}

/** Reads addresses and network namespace from a verbose status. */
export function toSandboxNetwork(response: cri.PodSandboxStatusResponse): SandboxNetwork {
  const network = response.status?.network;
  const ips = [network?.ip ?? '', ...(network?.additional_ips.map((ip) => ip.ip) ?? [])].filter((ip) => ip !== '');
  const path = networkNamespacePath(response.info['info']);
  return path === undefined ? { ips } : { ips, networkNamespacePath: path };
}

/** containerd's verbose status has the sandbox's OCI spec as JSON; a host-network sandbox names no network namespace there. */
function networkNamespacePath(info: string | undefined): string | undefined {
  if (info === undefined) return undefined;
  const parsed = JSON.parse(info) as {
    runtimeSpec?: { linux?: { namespaces?: readonly { type: string; path?: string }[] } };
  };
  return parsed.runtimeSpec?.linux?.namespaces?.find((namespace) => namespace.type === 'network')?.path;
}

export function nanosToMs(nanos: number): number {
  return Math.floor(nanos / 1_000_000);
}
