import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createLogger } from '../../src/lib/log.ts';
import { type ContainerdSupervisor, createContainerdSupervisor } from '../../src/runtime/containerd/supervisor.ts';
import { CriRuntime } from '../../src/runtime/cri/cri-runtime.ts';
import { buildOciImageTar } from '../../src/runtime/images/oci-image.ts';
import type { TarEntry } from '../../src/runtime/images/tar-writer.ts';
import type { ContainerConfig, SandboxConfig } from '../../src/runtime/runtime.ts';
import { fetchTestBinaries } from './fetch-test-binaries.ts';
import { containerConfigOf, sandboxConfigOf } from './runtime-configs.ts';

/** The image the tests run. */
export const busyboxImage = 'skiff.dev/test/busybox:1';

const podSubnet = '10.88.0.0/24';
const applets = [
  'sh',
  'sleep',
  'cat',
  'echo',
  'nc',
  'wc',
  'ls',
  'stty',
  'hostname',
  'yes',
  'head',
  'dd',
  'id',
  'env',
  'true',
  'ip',
  'kill',
  'ps',
  'httpd',
  'printf',
  'tail',
  'tar',
];

/** A real containerd in the namespaces of the test, with a bridge network for pods and a busybox image made here. */
export class ContainerdFixture {
  readonly supervisor: ContainerdSupervisor;
  readonly runtime: CriRuntime;
  readonly folder: string;
  readonly #cgroupRoot: string;
  #pods = 0;

  constructor(options: {
    readonly folder: string;
    readonly cgroupRoot: string;
    readonly version: '1.6' | '1.7';
    readonly sharedShim: boolean;
    readonly environment?: Readonly<Record<string, string>>;
  }) {
    const programs = resolve(fetchTestBinaries());
    this.folder = join(options.folder, `${options.version}-${options.sharedShim ? 'shared' : 'own'}`);
    this.#cgroupRoot = options.cgroupRoot;
    const runDir = `/run/skiff-${options.version}-${options.sharedShim ? 'shared' : 'own'}`;
    mkdirSync(join(this.folder, 'cni'), { recursive: true });
    writeFileSync(join(this.folder, 'cni/10-test.conflist'), JSON.stringify(networkConfig(this.folder)));
    const logger = createLogger({
      level: process.env['SKIFF_TEST_DEBUG'] ? 'debug' : 'error',
      write: (line) => process.stderr.write(line),
    });
    this.supervisor = createContainerdSupervisor({
      binDir: join(programs, `containerd-${options.version}`),
      dataDir: join(this.folder, 'containerd'),
      runDir: join(runDir, 'containerd'),
      cniConfDir: join(this.folder, 'cni'),
      cniBinDir: join(programs, 'cni'),
      registriesDir: join(this.folder, 'registries'),
      sharedShim: options.sharedShim,
      ...(options.environment ? { environment: options.environment } : {}),
      logger,
    });
    this.runtime = new CriRuntime({ socketPath: this.supervisor.socket, runDir, sharedShim: options.sharedShim, logger });
  }

  async start(): Promise<void> {
    await this.supervisor.start();
    await this.runtime.start();
    const tar = join(this.folder, 'busybox.tar');
    writeFileSync(tar, buildBusyboxTar(busyboxImage));
    await this.runtime.importImages(tar);
  }

  /** Removes all pods, then stops containerd. */
  async stop(): Promise<void> {
    for (const sandbox of await this.runtime.listSandboxes()) {
      await this.runtime.stopSandbox(sandbox.id);
      await this.runtime.removeSandbox(sandbox.id);
    }
    await this.runtime.stop();
    await this.supervisor.stop();
  }

  /** As when this process dies: containerd and the pods go on. */
  async abandon(): Promise<void> {
    await this.runtime.stop();
    this.supervisor.release();
  }

  /** The configuration of a pod that no other call has given. */
  sandboxConfig(changes: Partial<SandboxConfig> = {}): SandboxConfig {
    const uid = `00000000-0000-4000-8000-${String(this.#pods++).padStart(12, '0')}`;
    const logDirectory = join(this.folder, 'logs', uid);
    mkdirSync(join(logDirectory, 'main'), { recursive: true });
    return sandboxConfigOf(uid, { logDirectory, cgroupParent: `${this.#cgroupRoot}/pod${uid}`, ...changes });
  }

  containerConfig(command: readonly string[], changes: Partial<ContainerConfig> = {}): ContainerConfig {
    return containerConfigOf(busyboxImage, command, changes);
  }

  /** Starts a pod with one container. */
  async runPod(
    command: readonly string[],
    changes: { readonly sandbox?: Partial<SandboxConfig>; readonly container?: Partial<ContainerConfig> } = {},
  ): Promise<{ sandbox: SandboxConfig; sandboxId: string; containerId: string }> {
    const sandbox = this.sandboxConfig(changes.sandbox);
    const sandboxId = await this.runtime.runSandbox(sandbox);
    const containerId = await this.runtime.createContainer(sandboxId, this.containerConfig(command, changes.container), sandbox);
    await this.runtime.startContainer(containerId);
    return { sandbox, sandboxId, containerId };
  }
}

/** busybox with links for the programs tests use, as a tar in OCI layout. */
export function buildBusyboxTar(reference: string): Buffer {
  return buildOciImageTar({
    reference,
    arch: process.arch === 'arm64' ? 'arm64' : 'amd64',
    files: busyboxFiles(),
    config: { Env: ['PATH=/bin'], WorkingDir: '/', Cmd: ['/bin/sh'], User: '' },
  });
}

/** What the image of the tests holds: a shell and what their commands need. */
export function busyboxFiles(): TarEntry[] {
  return [
    { name: 'bin/', type: 'directory', mode: 0o755 },
    { name: 'tmp/', type: 'directory', mode: 0o777 },
    { name: 'bin/busybox', data: readFileSync(join(fetchTestBinaries(), 'busybox')), mode: 0o755 },
    ...applets.map((name): TarEntry => ({ name: `bin/${name}`, type: 'symlink', target: 'busybox', mode: 0o777 })),
  ];
}

function networkConfig(folder: string): unknown {
  return {
    cniVersion: '0.4.0',
    name: 'test',
    plugins: [
      {
        type: 'bridge',
        bridge: 'skiff-test0',
        isGateway: true,
        hairpinMode: true,
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: podSubnet }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: join(folder, 'ipam'),
        },
      },
    ],
  };
}
