import type { Container, Sandbox } from '../../runtime/runtime.ts';

/** What the runtime has of one pod. Both lists are newest first. */
export interface ObservedPod {
  readonly sandboxes: readonly Sandbox[];
  readonly containers: readonly Container[];
}

export const nothingObserved: ObservedPod = { sandboxes: [], containers: [] };

/** Sorts what the runtime listed. */
export function observedPod(sandboxes: readonly Sandbox[], containers: readonly Container[]): ObservedPod {
  return {
    sandboxes: [...sandboxes].sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt),
    containers: [...containers].sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs),
  };
}

/** The newest container of that name, optionally only of one sandbox. */
export function latest(observed: ObservedPod, name: string, sandboxId?: string): Container | undefined {
  return observed.containers.find((c) => c.name === name && (sandboxId === undefined || c.sandboxId === sandboxId));
}

/** The sandbox in which containers are started. */
export function currentSandbox(observed: ObservedPod): Sandbox | undefined {
  const newest = observed.sandboxes[0];
  return newest?.ready ? newest : undefined;
}
