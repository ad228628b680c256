/**
 * What the node agent needs of a container runtime, shaped like CRI but neutral: containerd behind it today, crun + conmon possible.
 * One contract suite runs against every implementation. Times are milliseconds since the epoch, sizes bytes.
 */
export interface Runtime {
  /** Connects; rejects with a text for the operator when the runtime cannot be used. */
  start(): Promise<void>;
  stop(): Promise<void>;
  version(): Promise<{ name: string; version: string }>;
  /** Problems by condition, empty when pods can run. */
  status(): Promise<{ runtimeReady: boolean; networkReady: boolean; message: string }>;

  runSandbox(config: SandboxConfig): Promise<string>;
  /** Idempotent; kills what still runs. */
  stopSandbox(sandboxId: string): Promise<void>;
  removeSandbox(sandboxId: string): Promise<void>;
  listSandboxes(filter?: { podUid?: string }): Promise<Sandbox[]>;

  createContainer(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string>;
  startContainer(containerId: string): Promise<void>;
  /** SIGTERM (or the image's stop signal), then SIGKILL after `graceSeconds`. Resolves when the container has ended. */
  stopContainer(containerId: string, graceSeconds: number): Promise<void>;
  removeContainer(containerId: string): Promise<void>;
  /** Every container with its full status. */
  listContainers(filter?: { sandboxId?: string }): Promise<Container[]>;
  containerStatus(containerId: string): Promise<Container | undefined>;
  updateContainerResources(containerId: string, resources: LinuxResources): Promise<void>;
  /** After log rotation by rename: the runtime opens a new file. */
  reopenLog(containerId: string): Promise<void>;

  /** Runs a command to its end, for probes and hooks. Output is cut at 16 KiB. Rejects with RuntimeTimeout after `timeoutMs`. */
  execSync(containerId: string, command: readonly string[], timeoutMs: number): Promise<{ exitCode: number; output: string }>;
  /** An interactive command with its streams. */
  exec(containerId: string, request: ExecRequest): Promise<ExecSession>;
  /** The streams of the container's main process. */
  attach(containerId: string, request: Omit<ExecRequest, 'command'>): Promise<ExecSession>;
  /** A byte stream to a TCP port inside the pod's network namespace. */
  portForward(sandboxId: string, port: number): Promise<import('node:stream').Duplex>;

  pullImage(reference: string, auth?: RegistryAuth): Promise<string>;
  /** undefined when the image is not there. */
  imageStatus(reference: string): Promise<Image | undefined>;
  listImages(): Promise<Image[]>;
  removeImage(reference: string): Promise<void>;
  /** Imports an OCI-layout or docker-archive tar and pins its images against garbage collection. Returns their references. */
  importImages(tarFile: string): Promise<string[]>;
  imageFilesystem(): Promise<{ mountpoint: string; usedBytes: number }>;

  /**
   * Calls back whenever a container or sandbox has changed state; `onGap` when events may have been lost (relist), also once when the
   * first event can arrive. Returns the end.
   */
  events(handlers: { onEvent(event: RuntimeEvent): void; onGap(): void }): () => void;
}

export type ContainerState = 'created' | 'running' | 'exited' | 'unknown';

export interface SandboxConfig {
  readonly podUid: string;
  readonly name: string;
  readonly namespace: string;
  readonly attempt: number;
  readonly hostname: string;
  readonly logDirectory: string;
  readonly dns: {
    readonly servers: readonly string[];
    readonly searches: readonly string[];
    readonly options: readonly string[];
  };
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly cgroupParent: string;
  readonly sysctls: Readonly<Record<string, string>>;
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly shareProcessNamespace: boolean;
  readonly privileged: boolean;
  readonly runtimeHandler: string;
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  readonly seccompProfile?: { readonly type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'; readonly localhostRef?: string };
}

export interface Sandbox {
  readonly id: string;
  readonly podUid: string;
  readonly name: string;
  readonly namespace: string;
  readonly attempt: number;
  readonly ready: boolean;
  readonly createdAtMs: number;
  /** IPs of the pod; empty for hostNetwork. */
  readonly ips: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** The network namespace, when it has one of its own. */
  readonly networkNamespacePath?: string;
}

export interface LinuxResources {
  readonly cpuShares?: number;
  readonly cpuQuota?: number;
  readonly cpuPeriod?: number;
  readonly memoryLimitBytes?: number;
  readonly oomScoreAdj?: number;
  /** cgroup v2 only; passed through as they are. */
  readonly unified?: Readonly<Record<string, string>>;
}

export interface Mount {
  readonly containerPath: string;
  readonly hostPath: string;
  readonly readOnly: boolean;
  readonly propagation?: 'private' | 'hostToContainer' | 'bidirectional';
}

export interface ContainerConfig {
  readonly name: string;
  readonly attempt: number;
  readonly image: string;
  readonly command: readonly string[];
  readonly args: readonly string[];
  readonly workingDir: string;
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly mounts: readonly Mount[];
  readonly devices: readonly { readonly hostPath: string; readonly containerPath: string; readonly permissions: string }[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Relative to the sandbox's log directory. */
  readonly logPath: string;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly resources: LinuxResources;
  readonly security: ContainerSecurity;
}

export interface ContainerSecurity {
  readonly privileged: boolean;
  readonly runAsUser?: number;
  readonly runAsUserName?: string;
  readonly runAsGroup?: number;
  readonly supplementalGroups: readonly number[];
  readonly readOnlyRootFilesystem: boolean;
  readonly noNewPrivileges: boolean;
  readonly addCapabilities: readonly string[];
  readonly dropCapabilities: readonly string[];
  readonly hostNetwork: boolean;
  readonly hostPid: boolean;
  readonly hostIpc: boolean;
  readonly sharePodPid: boolean;
  /** Joins the PID namespace of this container of the same pod (an ephemeral container with a target). */
  readonly targetContainerId?: string;
  readonly seccompProfile?: { readonly type: 'RuntimeDefault' | 'Unconfined' | 'Localhost'; readonly localhostRef?: string };
  readonly maskedPaths?: readonly string[];
  readonly readonlyPaths?: readonly string[];
}

export interface Container {
  readonly id: string;
  readonly sandboxId: string;
  readonly name: string;
  readonly attempt: number;
  readonly state: ContainerState;
  readonly createdAtMs: number;
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly exitCode: number;
  /** `Completed`, `Error`, `OOMKilled`, `StartError`, … */
  readonly reason: string;
  readonly message: string;
  readonly image: string;
  readonly imageRef: string;
  readonly logPath: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface Image {
  readonly id: string;
  readonly tags: readonly string[];
  readonly digests: readonly string[];
  readonly sizeBytes: number;
  readonly pinned: boolean;
  /** From the image's configuration. */
  readonly user: { readonly uid?: number; readonly username?: string };
}

export interface RegistryAuth {
  readonly username?: string;
  readonly password?: string;
  readonly auth?: string;
  readonly identityToken?: string;
  readonly serverAddress?: string;
}

export interface ExecRequest {
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
}

/** A running command. Ending `stdin` half-closes it. With a tty stderr is undefined. */
export interface ExecSession {
  readonly stdin: import('node:stream').Writable | undefined;
  readonly stdout: import('node:stream').Readable | undefined;
  readonly stderr: import('node:stream').Readable | undefined;
  resize(width: number, height: number): Promise<void>;
  /** Resolves when the process has ended and its output has been delivered. */
  readonly exit: Promise<{ exitCode: number }>;
  /** Kills the process (exec) or lets go of it (attach). */
  close(): Promise<void>;
}

export interface RuntimeEvent {
  readonly type: 'started' | 'stopped' | 'oom' | 'deleted' | 'created';
  /** A container or sandbox id. */
  readonly id: string;
  readonly exitCode?: number;
}

export class RuntimeTimeout extends Error {
  override readonly name = 'RuntimeTimeout';
}

/** Why an image could not be had; `reason` is what kubectl shows (ErrImagePull, InvalidImageName, …). */
export class ImageError extends Error {
  override readonly name = 'ImageError';
  readonly reason: 'ErrImagePull' | 'InvalidImageName' | 'ImageInspectError' | 'RegistryUnavailable' | 'ErrImageNeverPull';
  constructor(reason: ImageError['reason'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
