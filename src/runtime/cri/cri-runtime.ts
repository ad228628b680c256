import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { FifoStock } from '../exec/fifo-stock.ts';
import { TaskExec } from '../exec/task-exec.ts';
import { importImages } from '../images/image-importer.ts';
import { waitUntilKnown } from '../images/pause-import.ts';
import type * as runtime from '../runtime.ts';
import { attach } from '../streaming/attach.ts';
import { portForward } from '../streaming/port-forward.ts';
import {
  type ContainerdClient,
  type CriClient,
  callTimeoutMs,
  createContainerdClient,
  createContainerdCodec,
  createCriClient,
} from './clients.ts';
import { ContainerService } from './container-service.ts';
import { EventStream } from './event-stream.ts';
import { ImageService } from './image-service.ts';
import { SandboxService } from './sandbox-service.ts';
import { ShimHolder } from './shim-holder.ts';
import { StatusCache } from './status-cache.ts';

export interface CriRuntimeOptions {
  /** containerd's socket, our own or the machine's (1.6 or newer). */
  readonly socketPath: string;
  /** For the streams of exec; on a tmpfs, ours alone. */
  readonly runDir: string;
  /** All pods in one shim; containerd must have been configured for it. */
  readonly sharedShim: boolean;
  readonly logger: Logger;
  readonly clock?: Clock;
}

/** The Runtime behind which containerd works: CRI for pods, containers and images, containerd's own services for events, exec and import. */
export class CriRuntime implements runtime.Runtime {
  readonly #cri: CriClient;
  readonly #containerd: ContainerdClient;
  readonly #codec = createContainerdCodec();
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #cache: StatusCache;
  readonly #sandboxes: SandboxService;
  readonly #containers: ContainerService;
  readonly #images: ImageService;
  readonly #fifos: FifoStock;
  readonly #exec: TaskExec;
  readonly #streams = new Set<EventStream>();

  constructor(options: CriRuntimeOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#log = options.logger.child('runtime');
    this.#cri = createCriClient(options.socketPath);
    this.#containerd = createContainerdClient(options.socketPath, { codec: this.#codec });
    this.#cache = new StatusCache(() => this.#clock.now());
    const holder = new ShimHolder(this.#cri, options.sharedShim);
    this.#sandboxes = new SandboxService({ client: this.#cri, cache: this.#cache, holder });
    this.#containers = new ContainerService({ client: this.#cri, cache: this.#cache });
    this.#images = new ImageService(this.#cri);
    this.#fifos = new FifoStock(`${options.runDir}/exec`);
    this.#exec = new TaskExec({ client: this.#containerd, fifos: this.#fifos, log: this.#log });
  }

  async start(): Promise<void> {
    await this.#fifos.start();
    const { name, version } = await this.version();
    if (name !== 'containerd')
      throw new Error(`the container runtime is ${name} ${version}; Skiff works with containerd 1.6 or newer`);
  }

  async stop(): Promise<void> {
    for (const stream of this.#streams) stream.close();
    this.#streams.clear();
    this.#cri.close();
    this.#containerd.close();
    await this.#fifos.stop();
  }

  async version(): Promise<{ name: string; version: string }> {
    const answer = await this.#cri.unary('runtime.v1.RuntimeService/Version', {}, { timeoutMs: callTimeoutMs.read });
    return { name: answer.runtime_name, version: answer.runtime_version };
  }

  async status(): Promise<{ runtimeReady: boolean; networkReady: boolean; message: string }> {
    const answer = await this.#cri.unary('runtime.v1.RuntimeService/Status', {}, { timeoutMs: callTimeoutMs.read });
    const conditions = answer.status?.conditions ?? [];
    const isTrue = (type: string): boolean => conditions.some((condition) => condition.type === type && condition.status);
    const problems = conditions.filter((condition) => !condition.status).map((c) => `${c.type}: ${c.reason}: ${c.message}`);
    return { runtimeReady: isTrue('RuntimeReady'), networkReady: isTrue('NetworkReady'), message: problems.join('; ') };
  }

  runSandbox(config: runtime.SandboxConfig): Promise<string> {
    return this.#sandboxes.run(config);
  }

  stopSandbox(sandboxId: string): Promise<void> {
    return this.#sandboxes.stop(sandboxId);
  }

  removeSandbox(sandboxId: string): Promise<void> {
    return this.#sandboxes.remove(sandboxId);
  }

  listSandboxes(filter: { podUid?: string } = {}): Promise<runtime.Sandbox[]> {
    return this.#sandboxes.list(filter);
  }

  createContainer(sandboxId: string, config: runtime.ContainerConfig, sandbox: runtime.SandboxConfig): Promise<string> {
    return this.#containers.create(sandboxId, config, sandbox);
  }

  startContainer(containerId: string): Promise<void> {
    return this.#containers.start(containerId);
  }

  stopContainer(containerId: string, graceSeconds: number): Promise<void> {
    return this.#containers.stop(containerId, graceSeconds);
  }

  removeContainer(containerId: string): Promise<void> {
    return this.#containers.remove(containerId);
  }

  listContainers(filter: { sandboxId?: string } = {}): Promise<runtime.Container[]> {
    return this.#containers.list(filter);
  }

  containerStatus(containerId: string): Promise<runtime.Container | undefined> {
    return this.#containers.status(containerId);
  }

  updateContainerResources(containerId: string, resources: runtime.LinuxResources): Promise<void> {
    return this.#containers.updateResources(containerId, resources);
  }

  reopenLog(containerId: string): Promise<void> {
    return this.#containers.reopenLog(containerId);
  }

  execSync(containerId: string, command: readonly string[], timeoutMs: number): Promise<{ exitCode: number; output: string }> {
    return this.#exec.execSync(containerId, command, timeoutMs);
  }

  exec(containerId: string, request: runtime.ExecRequest): Promise<runtime.ExecSession> {
    return this.#exec.exec(containerId, request);
  }

  attach(containerId: string, request: Omit<runtime.ExecRequest, 'command'>): Promise<runtime.ExecSession> {
    return attach(this.#cri, containerId, request);
  }

  async portForward(sandboxId: string, port: number): Promise<Duplex> {
    const network = await this.#sandboxes.network(sandboxId);
    return portForward({ client: this.#cri, sandboxId, port, hostNetwork: network.networkNamespacePath === undefined });
  }

  pullImage(reference: string, auth?: runtime.RegistryAuth): Promise<string> {
    return this.#images.pull(reference, auth);
  }

  imageStatus(reference: string): Promise<runtime.Image | undefined> {
    return this.#images.status(reference);
  }

  listImages(): Promise<runtime.Image[]> {
    return this.#images.list();
  }

  removeImage(reference: string): Promise<void> {
    return this.#images.remove(reference);
  }

  async importImages(tarFile: string): Promise<string[]> {
    const references = await importImages(this.#containerd, tarFile);
    await waitUntilKnown(this.#images, references);
    return references;
  }

  imageFilesystem(): Promise<{ mountpoint: string; usedBytes: number }> {
    return this.#images.filesystem();
  }

  events(handlers: { onEvent(event: runtime.RuntimeEvent): void; onGap(): void }): () => void {
    const stream = new EventStream({
      client: this.#containerd,
      codec: this.#codec,
      clock: this.#clock,
      log: this.#log,
      handlers: {
        onEvent: (event) => {
          const pass = (): void => handlers.onEvent(event);
          if (event.type === 'oom') this.#cache.forgetContainer(event.id);
          // Whoever lists because of an exit must see it.
          if (event.type === 'stopped') this.#exitSettled(event.id).then(pass, pass);
          else pass();
        },
        onGap: () => handlers.onGap(),
      },
    });
    this.#streams.add(stream);
    return () => {
      this.#streams.delete(stream);
      stream.close();
    };
  }

  async #exitSettled(id: string): Promise<void> {
    if (!(await this.#containers.exitSettled(id))) await this.#sandboxes.exitSettled(id);
  }
}
