import type * as cri from '../generated/cri.ts';
import { GrpcError, grpcStatus, isGrpcStatus } from '../grpc/grpc-error.ts';
import type { Container, ContainerConfig, LinuxResources, SandboxConfig } from '../runtime.ts';
import { type CriClient, callTimeoutMs } from './clients.ts';
import { toContainer, toContainerConfig, toContainerState, toLinuxResources } from './convert-container.ts';
import { toPodSandboxConfig } from './convert-sandbox.ts';
import { settle } from './settle.ts';
import type { StatusCache } from './status-cache.ts';

/** How many status calls a list makes at a time. */
const listConcurrency = 8;

/** Containers through CRI. */
export class ContainerService {
  readonly #cri: CriClient;
  readonly #cache: StatusCache;

  constructor(deps: { readonly client: CriClient; readonly cache: StatusCache }) {
    this.#cri = deps.client;
    this.#cache = deps.cache;
  }

  async create(sandboxId: string, config: ContainerConfig, sandbox: SandboxConfig): Promise<string> {
    const { container_id } = await this.#cri.unary(
      'runtime.v1.RuntimeService/CreateContainer',
      {
        pod_sandbox_id: sandboxId,
        config: toContainerConfig(config, sandbox),
        sandbox_config: toPodSandboxConfig(sandbox),
      },
      { timeoutMs: callTimeoutMs.change },
    );
    return container_id;
  }

  async start(containerId: string): Promise<void> {
    try {
      await this.#cri.unary(
        'runtime.v1.RuntimeService/StartContainer',
        { container_id: containerId },
        { timeoutMs: callTimeoutMs.change },
      );
    } finally {
      this.#cache.forgetContainer(containerId);
    }
  }

  async stop(containerId: string, graceSeconds: number): Promise<void> {
    await ignoreMissing(
      this.#cri.unary(
        'runtime.v1.RuntimeService/StopContainer',
        { container_id: containerId, timeout: graceSeconds },
        { timeoutMs: graceSeconds * 1000 + callTimeoutMs.change },
      ),
    );
  }

  async remove(containerId: string): Promise<void> {
    await ignoreMissing(
      this.#cri.unary(
        'runtime.v1.RuntimeService/RemoveContainer',
        { container_id: containerId },
        { timeoutMs: callTimeoutMs.change },
      ),
    );
    this.#cache.forgetContainer(containerId);
  }

  /** One call, and one more for each container whose state has changed. */
  async list(filter: { sandboxId?: string }): Promise<Container[]> {
    const { containers } = await this.#cri.unary(
      'runtime.v1.RuntimeService/ListContainers',
      filter.sandboxId === undefined ? {} : { filter: { pod_sandbox_id: filter.sandboxId } },
      { timeoutMs: callTimeoutMs.read },
    );
    if (filter.sandboxId === undefined) this.#cache.keepContainers(new Set(containers.map((c) => c.id)));
    const found: (Container | undefined)[] = [];
    for (let i = 0; i < containers.length; i += listConcurrency)
      found.push(...(await Promise.all(containers.slice(i, i + listConcurrency).map((entry) => this.#statusOf(entry)))));
    return found.filter((container) => container !== undefined);
  }

  async status(containerId: string): Promise<Container | undefined> {
    const filter = { id: containerId };
    const { containers } = await this.#cri.unary(
      'runtime.v1.RuntimeService/ListContainers',
      { filter },
      { timeoutMs: callTimeoutMs.read },
    );
    return containers[0] && this.#statusOf(containers[0]);
  }

  async updateResources(containerId: string, resources: LinuxResources): Promise<void> {
    await this.#cri.unary(
      'runtime.v1.RuntimeService/UpdateContainerResources',
      { container_id: containerId, linux: toLinuxResources(resources) },
      { timeoutMs: callTimeoutMs.change },
    );
  }

  async reopenLog(containerId: string): Promise<void> {
    await this.#cri.unary(
      'runtime.v1.RuntimeService/ReopenContainerLog',
      { container_id: containerId },
      { timeoutMs: callTimeoutMs.change },
    );
  }

  /**
   * After containerd has told of the exit of `containerId`: resolves when CRI's answers show it, so that who lists because of the event
   * sees it. False when it is no container but a sandbox, or gone.
   */
  async exitSettled(containerId: string): Promise<boolean> {
    let known = true;
    await settle(async () => {
      this.#cache.forgetContainer(containerId);
      const container = await this.status(containerId);
      known = container !== undefined;
      return container?.state !== 'running' && container?.state !== 'created';
    });
    return known;
  }

  async #statusOf(entry: cri.Container): Promise<Container | undefined> {
    const known = this.#cache.container(entry.id, toContainerState(entry.state));
    if (known) return known;
    try {
      const { status } = await this.#cri.unary(
        'runtime.v1.RuntimeService/ContainerStatus',
        { container_id: entry.id },
        { timeoutMs: callTimeoutMs.read },
      );
      const container = status && toContainer(status, entry.pod_sandbox_id);
      if (container) this.#cache.setContainer(container);
      return container;
    } catch (error) {
      if (isGrpcStatus(error, grpcStatus.notFound)) return undefined;
      throw error;
    }
  }
}

async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!(error instanceof GrpcError) || error.code !== grpcStatus.notFound) throw error;
  }
}
