import type { Container, ContainerState } from '../runtime.ts';
import type { SandboxNetwork } from './convert-sandbox.ts';

/** How long after its end a container's reason may still change: an OOM notice can follow the exit. */
const settlingMs = 5000;

/**
 * Remembers what lists do not tell and what does not change: the status of a container while its state stays the same, and the network
 * of a sandbox. With it a relist costs two calls instead of one per container. Bounded by what exists: `keep…` drops the rest.
 */
export class StatusCache {
  readonly #containers = new Map<string, Container>();
  readonly #networks = new Map<string, SandboxNetwork>();
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The status of a container if it is known to hold in `state`. */
  container(id: string, state: ContainerState): Container | undefined {
    const known = this.#containers.get(id);
    return known?.state === state ? known : undefined;
  }

  setContainer(container: Container): void {
    if (container.state === 'exited' && this.#now() - container.finishedAtMs < settlingMs) this.#containers.delete(container.id);
    else this.#containers.set(container.id, container);
  }

  network(sandboxId: string): SandboxNetwork | undefined {
    return this.#networks.get(sandboxId);
  }

  setNetwork(sandboxId: string, network: SandboxNetwork): void {
    this.#networks.set(sandboxId, network);
  }

  forgetContainer(id: string): void {
    this.#containers.delete(id);
  }

  keepContainers(ids: ReadonlySet<string>): void {
    dropOthers(this.#containers, ids);
  }

  keepSandboxes(ids: ReadonlySet<string>): void {
    dropOthers(this.#networks, ids);
  }
}

function dropOthers(map: Map<string, unknown>, keep: ReadonlySet<string>): void {
  for (const id of map.keys()) if (!keep.has(id)) map.delete(id);
}
