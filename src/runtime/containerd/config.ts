/** What of containerd's configuration Skiff decides. */
export interface ContainerdConfig {
  /** Where images and snapshots live; on disk. */
  readonly rootDir: string;
  /** Where running tasks live; on a tmpfs. */
  readonly stateDir: string;
  readonly socketPath: string;
  /** Absolute path of runc or crun. */
  readonly ociRuntime: string;
  readonly cniConfDir: string;
  readonly cniBinDir: string;
  /** `<host>/hosts.toml` per registry; read anew at each pull. */
  readonly registriesDir: string;
  /** The reference of the sandbox image. */
  readonly pauseImage: string;
  readonly snapshotter: string;
  readonly cgroupDriver: 'cgroupfs' | 'systemd';
  /** True where the machine does not let us lower oom_score_adj. */
  readonly restrictOomScoreAdj: boolean;
  /** Lets pods share a shim (annotation io.containerd.runc.v2.group). */
  readonly sharedShim: boolean;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

/** The annotation by which pods share one shim. */
export const shimGroupAnnotation = 'io.containerd.runc.v2.group';

/** containerd and its shims are the last to be killed when memory runs out, but for the kernel's own choice. */
const daemonOomScore = -999;

/** config.toml for containerd `majorMinor` (`1.6`, `1.7`, `2.1`, …). Throws for versions before 1.6. */
export function renderContainerdConfig(config: ContainerdConfig, majorMinor: string): string {
  const [major = 0, minor = 0] = majorMinor.split('.').map(Number);
  if (major < 1 || (major === 1 && minor < 6))
    throw new Error(`containerd ${majorMinor} is too old: install 1.6 or newer, or use the one Skiff brings`);
  const sections = major === 1 ? version2(config) : version3(config);
  return `${[common(config, major === 1 ? 2 : 3), ...sections].map(renderSection).join('\n')}`;
}

interface Section {
  readonly name: readonly string[];
  readonly values: Readonly<Record<string, string | number | boolean | readonly string[]>>;
}

function common(config: ContainerdConfig, version: number): Section {
  return {
    name: [],
    values: {
      version,
      root: config.rootDir,
      state: config.stateDir,
      ...(config.restrictOomScoreAdj ? {} : { oom_score: daemonOomScore }),
    },
  };
}

function services(config: ContainerdConfig): Section[] {
  return [
    { name: ['grpc'], values: { address: config.socketPath } },
    { name: ['ttrpc'], values: { address: `${config.socketPath}.ttrpc` } },
    { name: ['debug'], values: { level: config.logLevel } },
    { name: ['plugins', 'io.containerd.internal.v1.opt'], values: { path: `${config.rootDir}/opt` } },
  ];
}

function version2(config: ContainerdConfig): Section[] {
  const cri = ['plugins', 'io.containerd.grpc.v1.cri'];
  return [
    ...services(config),
    { name: cri, values: { ...sandboxing(config), ...streaming, sandbox_image: config.pauseImage } },
    { name: [...cri, 'cni'], values: { bin_dir: config.cniBinDir, conf_dir: config.cniConfDir } },
    { name: [...cri, 'registry'], values: { config_path: config.registriesDir } },
    { name: [...cri, 'containerd'], values: { snapshotter: config.snapshotter, default_runtime_name: 'runc' } },
    ...runtimeSections([...cri, 'containerd'], config),
  ];
}

function version3(config: ContainerdConfig): Section[] {
  const images = ['plugins', 'io.containerd.cri.v1.images'];
  const runtime = ['plugins', 'io.containerd.cri.v1.runtime'];
  return [
    ...services(config),
    { name: images, values: { snapshotter: config.snapshotter } },
    { name: [...images, 'pinned_images'], values: { sandbox: config.pauseImage } },
    { name: [...images, 'registry'], values: { config_path: config.registriesDir } },
    { name: runtime, values: sandboxing(config) },
    { name: [...runtime, 'cni'], values: { bin_dirs: [config.cniBinDir], conf_dir: config.cniConfDir } },
    { name: [...runtime, 'containerd'], values: { default_runtime_name: 'runc' } },
    ...runtimeSections([...runtime, 'containerd'], config),
    { name: ['plugins', 'io.containerd.grpc.v1.cri'], values: streaming },
  ];
}

/** Attach and port-forward come back to us over this server; it listens on loopback only, at a port of its own choice. */
const streaming = { disable_tcp_service: true, stream_server_address: '127.0.0.1', stream_server_port: '0' };

function sandboxing(config: ContainerdConfig): Section['values'] {
  return {
    enable_selinux: false,
    restrict_oom_score_adj: config.restrictOomScoreAdj,
    enable_unprivileged_ports: true,
    enable_unprivileged_icmp: true,
  };
}

function runtimeSections(containerd: readonly string[], config: ContainerdConfig): Section[] {
  const runc = [...containerd, 'runtimes', 'runc'];
  return [
    {
      name: runc,
      values: {
        runtime_type: 'io.containerd.runc.v2',
        pod_annotations: config.sharedShim ? [shimGroupAnnotation] : [],
      },
    },
    {
      name: [...runc, 'options'],
      values: { BinaryName: config.ociRuntime, SystemdCgroup: config.cgroupDriver === 'systemd' },
    },
  ];
}

function renderSection(section: Section): string {
  const header =
    section.name.length === 0
      ? ''
      : `[${section.name.map((part) => (/^\w+$/.test(part) ? part : JSON.stringify(part))).join('.')}]\n`;
  const lines = Object.entries(section.values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  return header + lines.join('');
}
