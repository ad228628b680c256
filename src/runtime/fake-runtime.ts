import { type Duplex, duplexPair } from 'node:stream';
import { type Clock, systemClock } from '../lib/clock.ts';
import { FakeContainers } from './fake-containers.ts';
import { type FakeProgram, fakePrograms } from './fake-program.ts';
import { normalizeReference } from './images/image-reference.ts';
import * as runtime from './runtime.ts';

type MethodName = {
  [Key in keyof runtime.Runtime]: runtime.Runtime[Key] extends (...args: never[]) => Promise<unknown> ? Key : never;
}[keyof runtime.Runtime];

export interface FakeRuntimeOptions {
  readonly clock?: Clock;
  /** More programs, by the first word of the command. A container whose command is not known runs until it is stopped. */
  readonly programs?: Readonly<Record<string, FakeProgram>>;
  /** References that are there from the start. Every other valid one can be pulled. */
  readonly images?: readonly string[];
}

/**
 * A runtime in memory that behaves as the contract suite demands, for tests of the agent. A test scripts it with `programs`, `failNext`,
 * `exitContainer`, `oomKill`, `killSandbox`, `listenOn` and `loseEvents`, and reads what was asked of it from `calls`.
 */
export class FakeRuntime implements runtime.Runtime {
  /** `method argument`, in order. */
  readonly calls: string[] = [];
  networkReady = true;
  runtimeReady = true;
  readonly #clock: Clock;
  readonly #containers: FakeContainers;
  readonly #sandboxes = new Map<string, runtime.Sandbox>();
  readonly #images = new Map<string, runtime.Image>();
  readonly #failures = new Map<MethodName, Error[]>();
  readonly #listeners = new Set<{ onEvent(event: runtime.RuntimeEvent): void; onGap(): void }>();
  readonly #ports = new Map<string, (stream: Duplex) => void>();
  #made = 0;

  constructor(options: FakeRuntimeOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#containers = new FakeContainers({
      clock: this.#clock,
      programs: { ...fakePrograms, ...options.programs },
      emit: (event) => this.#emit(event),
    });
    for (const reference of options.images ?? []) this.#addImage(reference);
  }

  /** The next call of `method` rejects with `error`; several calls queue up. */
  failNext(method: MethodName, error: Error): void {
    this.#failures.set(method, [...(this.#failures.get(method) ?? []), error]);
  }

  /** The main process of a running container ends by itself. */
  exitContainer(containerId: string, exitCode: number): void {
    this.#containers.finish(containerId, exitCode, exitCode === 0 ? 'Completed' : 'Error');
  }

  oomKill(containerId: string): void {
    this.#emit({ type: 'oom', id: containerId });
    this.#containers.finish(containerId, 137, 'OOMKilled');
  }

  /** The sandbox's own process dies. */
  killSandbox(sandboxId: string): void {
    const sandbox = this.#sandboxes.get(sandboxId);
    if (!sandbox?.ready) return;
    this.#sandboxes.set(sandboxId, { ...sandbox, ready: false });
    this.#emit({ type: 'stopped', id: sandboxId, exitCode: 137 });
  }

  /** Something in the pod accepts connections on `port`. */
  listenOn(sandboxId: string, port: number, accept: (stream: Duplex) => void): void {
    this.#ports.set(`${sandboxId}:${port}`, accept);
  }

  /** As after a restart of the runtime: listeners are told that they may have missed events. */
  loseEvents(): void {
    for (const listener of this.#listeners) listener.onGap();
  }

  async start(): Promise<void> {
    await this.#called('start');
  }

  async stop(): Promise<void> {
    await this.#called('stop');
    this.#listeners.clear();
  }

  async version(): Promise<{ name: string; version: string }> {
    await this.#called('version');
    return { name: 'fake', version: '1' };
  }

  async status(): Promise<{ runtimeReady: boolean; networkReady: boolean; message: string }> {
    await this.#called('status');
    const message = this.runtimeReady && this.networkReady ? '' : 'scripted to be not ready';
    return { runtimeReady: this.runtimeReady, networkReady: this.networkReady, message };
  }

  async runSandbox(config: runtime.SandboxConfig): Promise<string> {
    await this.#called('runSandbox', config.name);
    const number = ++this.#made;
    const id = `sandbox-${number}`;
    const network = { ips: [`10.0.${number >> 8}.${number & 255}`], networkNamespacePath: `/run/netns/${id}` };
    const { podUid, name, namespace, attempt, labels, annotations } = config;
    const described = { id, podUid, name, namespace, attempt, labels, annotations, ready: true, createdAtMs: this.#clock.now() };
    this.#sandboxes.set(id, { ...described, ...(config.hostNetwork ? { ips: [] } : network) });
    this.#emit({ type: 'created', id });
    this.#emit({ type: 'started', id });
    return id;
  }

  async stopSandbox(sandboxId: string): Promise<void> {
    await this.#called('stopSandbox', sandboxId);
    for (const container of this.#containers.list(sandboxId)) this.#containers.finish(container.id, 137, 'Error');
    this.killSandbox(sandboxId);
  }

  async removeSandbox(sandboxId: string): Promise<void> {
    await this.#called('removeSandbox', sandboxId);
    for (const container of this.#containers.list(sandboxId)) this.#containers.remove(container.id);
    this.killSandbox(sandboxId);
    if (this.#sandboxes.delete(sandboxId)) this.#emit({ type: 'deleted', id: sandboxId });
  }

  async listSandboxes(filter: { podUid?: string } = {}): Promise<runtime.Sandbox[]> {
    await this.#called('listSandboxes');
    return [...this.#sandboxes.values()].filter((sandbox) => filter.podUid === undefined || sandbox.podUid === filter.podUid);
  }

  async createContainer(sandboxId: string, config: runtime.ContainerConfig): Promise<string> {
    await this.#called('createContainer', config.name);
    if (!this.#sandboxes.get(sandboxId)?.ready) throw new Error(`sandbox ${sandboxId} is not running`);
    const image = this.#findImage(config.image);
    if (!image) throw new Error(`image ${config.image} not found`);
    return this.#containers.create(sandboxId, config, image.id);
  }

  async startContainer(containerId: string): Promise<void> {
    await this.#called('startContainer', containerId);
    this.#containers.start(containerId);
  }

  async stopContainer(containerId: string, graceSeconds: number): Promise<void> {
    await this.#called('stopContainer', `${containerId} ${graceSeconds}`);
    await this.#containers.stop(containerId);
  }

  async removeContainer(containerId: string): Promise<void> {
    await this.#called('removeContainer', containerId);
    this.#containers.remove(containerId);
  }

  async listContainers(filter: { sandboxId?: string } = {}): Promise<runtime.Container[]> {
    await this.#called('listContainers');
    return this.#containers.list(filter.sandboxId);
  }

  async containerStatus(containerId: string): Promise<runtime.Container | undefined> {
    await this.#called('containerStatus', containerId);
    return this.#containers.status(containerId);
  }

  async updateContainerResources(containerId: string): Promise<void> {
    await this.#called('updateContainerResources', containerId);
    this.#containers.mustExist(containerId);
  }

  async reopenLog(containerId: string): Promise<void> {
    await this.#called('reopenLog', containerId);
    this.#containers.mustExist(containerId);
  }

  async execSync(
    containerId: string,
    command: readonly string[],
    timeoutMs: number,
  ): Promise<{ exitCode: number; output: string }> {
    await this.#called('execSync', `${containerId} ${command.join(' ')}`);
    return this.#containers.execSync(containerId, command, timeoutMs);
  }

  async exec(containerId: string, request: runtime.ExecRequest): Promise<runtime.ExecSession> {
    await this.#called('exec', `${containerId} ${request.command.join(' ')}`);
    return this.#containers.exec(containerId, request);
  }

  async attach(containerId: string, request: Omit<runtime.ExecRequest, 'command'>): Promise<runtime.ExecSession> {
    await this.#called('attach', containerId);
    return this.#containers.attach(containerId, request);
  }

  async portForward(sandboxId: string, port: number): Promise<Duplex> {
    await this.#called('portForward', `${sandboxId} ${port}`);
    const accept = this.#ports.get(`${sandboxId}:${port}`);
    if (!accept) throw new Error(`forwarding port ${port}: connection refused`);
    const [near, far] = duplexPair();
    accept(far);
    return near;
  }

  async pullImage(reference: string): Promise<string> {
    await this.#called('pullImage', reference);
    if (/[A-Z\s]/.test(reference.split(':')[0]!))
      throw new runtime.ImageError('InvalidImageName', `${reference} is not a valid image name`);
    return this.#addImage(reference).id;
  }

  async imageStatus(reference: string): Promise<runtime.Image | undefined> {
    await this.#called('imageStatus', reference);
    return this.#findImage(reference);
  }

  async listImages(): Promise<runtime.Image[]> {
    await this.#called('listImages');
    return [...this.#images.values()];
  }

  async removeImage(reference: string): Promise<void> {
    await this.#called('removeImage', reference);
    const image = this.#findImage(reference);
    if (image) this.#images.delete(image.id);
  }

  /** Takes the file's name for the reference of the one image in it. */
  async importImages(tarFile: string): Promise<string[]> {
    await this.#called('importImages', tarFile);
    const image = this.#addImage(tarFile.replace(/^.*\//, '').replace(/\.tar$/, ''), true);
    return [...image.tags];
  }

  async imageFilesystem(): Promise<{ mountpoint: string; usedBytes: number }> {
    await this.#called('imageFilesystem');
    return { mountpoint: '/fake', usedBytes: [...this.#images.values()].reduce((sum, image) => sum + image.sizeBytes, 0) };
  }

  events(handlers: { onEvent(event: runtime.RuntimeEvent): void; onGap(): void }): () => void {
    this.#listeners.add(handlers);
    queueMicrotask(() => {
      if (this.#listeners.has(handlers)) handlers.onGap();
    });
    return () => this.#listeners.delete(handlers);
  }

  async #called(method: MethodName, argument = ''): Promise<void> {
    this.calls.push(argument === '' ? method : `${method} ${argument}`);
    const failure = this.#failures.get(method)?.shift();
    if (failure) throw failure;
  }

  #emit(event: runtime.RuntimeEvent): void {
    for (const listener of this.#listeners) listener.onEvent(event);
  }

  #addImage(reference: string, pinned = false): runtime.Image {
    const tag = normalizeReference(reference);
    const known = this.#findImage(tag);
    if (known) return known;
    const image = { id: `sha256:fake-${++this.#made}`, tags: [tag], digests: [], sizeBytes: fakeImageBytes, pinned, user: {} };
    this.#images.set(image.id, image);
    return image;
  }

  #findImage(reference: string): runtime.Image | undefined {
    return (
      this.#images.get(reference) ??
      [...this.#images.values()].find((image) => image.tags.includes(normalizeReference(reference)))
    );
  }
}

const fakeImageBytes = 1_000_000;
