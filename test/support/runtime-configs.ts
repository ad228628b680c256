import type { ContainerConfig, SandboxConfig } from '../../src/runtime/runtime.ts';

/** The configuration of an ordinary pod. */
export function sandboxConfigOf(uid: string, changes: Partial<SandboxConfig>): SandboxConfig {
  return {
    podUid: uid,
    name: `pod-${uid.slice(-4)}`,
    namespace: 'default',
    attempt: 0,
    hostname: `pod-${uid.slice(-4)}`,
    logDirectory: '/nonexistent',
    dns: { servers: ['10.43.0.10'], searches: ['default.svc.cluster.local'], options: ['ndots:5'] },
    labels: { app: 'test' },
    annotations: { note: 'of a test' },
    cgroupParent: '/nonexistent',
    sysctls: {},
    hostNetwork: false,
    hostPid: false,
    hostIpc: false,
    shareProcessNamespace: false,
    privileged: false,
    runtimeHandler: '',
    supplementalGroups: [],
    ...changes,
  };
}

/** The configuration of an ordinary container. */
export function containerConfigOf(
  image: string,
  command: readonly string[],
  changes: Partial<ContainerConfig> = {},
): ContainerConfig {
  return {
    name: 'main',
    attempt: 0,
    image,
    command,
    args: [],
    workingDir: '',
    env: [{ name: 'GREETING', value: 'grüß dich' }],
    mounts: [],
    devices: [],
    labels: { tier: 'test' },
    annotations: { note: 'of a container' },
    logPath: 'main/0.log',
    stdin: false,
    stdinOnce: false,
    tty: false,
    resources: { oomScoreAdj: 1000 },
    security: {
      privileged: false,
      supplementalGroups: [],
      readOnlyRootFilesystem: false,
      noNewPrivileges: false,
      addCapabilities: [],
      dropCapabilities: [],
      hostNetwork: false,
      hostPid: false,
      hostIpc: false,
      sharePodPid: false,
    },
    ...changes,
  };
}
