import { grpcStatus, isGrpcStatus } from '../grpc/grpc-error.ts';
import type { Sandbox, SandboxConfig } from '../runtime.ts';
import { type CriClient, callTimeoutMs } from './clients.ts';
import { criLabels, type SandboxNetwork, toPodSandboxConfig, toSandbox, toSandboxNetwork } from './convert-sandbox.ts';
import { settle } from './settle.ts';
import { ShimHolder } from './shim-holder.ts';
import type { StatusCache } from './status-cache.ts';

/** Pod sandboxes through CRI. */
export class SandboxService {
  readonly #cri: CriClient;
  readonly #cache: StatusCache;
  readonly #holder: ShimHolder;

  constructor(deps: { readonly client: CriClient; readonly cache: StatusCache; readonly holder: ShimHolder }) {
    this.#cri = deps.client;
    this.#cache = deps.cache;
    this.#holder = deps.holder;
  }

  async run(config: SandboxConfig): Promise<string> {
    await this.#holder.ensure();
    const { pod_sandbox_id } = await this.#cri.unary(
      'runtime.v1.RuntimeService/RunPodSandbox',
      { config: toPodSandboxConfig(config, this.#holder.annotations), runtime_handler: config.runtimeHandler },
      { timeoutMs: callTimeoutMs.sandbox },
    );
    return pod_sandbox_id;
  }

  async stop(sandboxId: string): Promise<void> {
    await ignoreMissing(
      this.#cri.unary(
        'runtime.v1.RuntimeService/StopPodSandbox',
        { pod_sandbox_id: sandboxId },
        { timeoutMs: callTimeoutMs.sandbox },
      ),
    );
  }

  async remove(sandboxId: string): Promise<void> {
    await ignoreMissing(
      this.#cri.unary(
        'runtime.v1.RuntimeService/RemovePodSandbox',
        { pod_sandbox_id: sandboxId },
        { timeoutMs: callTimeoutMs.sandbox },
      ),
    );
  }

  /** One call, and one more for each sandbox not seen before. */
  async list(filter: { podUid?: string }): Promise<Sandbox[]> {
    const { items } = await this.#cri.unary(
      'runtime.v1.RuntimeService/ListPodSandbox',
      filter.podUid === undefined ? {} : { filter: { label_selector: { [criLabels.podUid]: filter.podUid } } },
      { timeoutMs: callTimeoutMs.read },
    );
    const pods = items.filter((item) => !ShimHolder.isHolder(item));
    if (filter.podUid === undefined) this.#cache.keepSandboxes(new Set(pods.map((pod) => pod.id)));
    const sandboxes: Sandbox[] = [];
    for (const pod of pods) {
      try {
        sandboxes.push(toSandbox(pod, await this.network(pod.id)));
      } catch (error) {
        // Removed since the list was made.
        if (!isGrpcStatus(error, grpcStatus.notFound)) throw error;
      }
    }
    return sandboxes;
  }

  /** After containerd has told of the exit of a sandbox's process: resolves when CRI's answers show it. */
  async exitSettled(sandboxId: string): Promise<void> {
    await settle(async () => {
      const filter = { id: sandboxId };
      const { items } = await this.#cri.unary(
        'runtime.v1.RuntimeService/ListPodSandbox',
        { filter },
        { timeoutMs: callTimeoutMs.read },
      );
      return items.every((item) => item.state !== 'SANDBOX_READY');
    });
  }

  /** Addresses and network namespace of a sandbox; fixed once it runs. */
  async network(sandboxId: string): Promise<SandboxNetwork> {
    const known = this.#cache.network(sandboxId);
    if (known) return known;
    const response = await this.#cri.unary(
      'runtime.v1.RuntimeService/PodSandboxStatus',
      { pod_sandbox_id: sandboxId, verbose: true },
      { timeoutMs: callTimeoutMs.read },
    );
    const network = toSandboxNetwork(response);
    if (response.status?.state === 'SANDBOX_READY') this.#cache.setNetwork(sandboxId, network);
    return network;
  }
}

async function ignoreMissing(call: Promise<unknown>): Promise<void> {
  try {
    await call;
  } catch (error) {
    if (!isGrpcStatus(error, grpcStatus.notFound)) throw error;
  }
}
