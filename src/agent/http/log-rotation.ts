import { rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import type { Container, Runtime } from '../../runtime/runtime.ts';

/** A log longer than this is put aside. */
const maxLogBytes = 10 * 1024 * 1024;
/** Files per container, the current one included. */
const maxFiles = 5;
const checkMs = 30_000;

export interface LogRotationDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  /** Running containers and where their logs are. */
  readonly running: () => readonly { container: Container; path: string }[];
  readonly maxBytes?: number;
}

/** Keeps container logs from filling the disk: `0.log` becomes `0.log.1` and so on, and the runtime begins a new file. */
export function createLogRotation(deps: LogRotationDeps): Component & { rotateNow(): Promise<void> } {
  let cancel: (() => void) | undefined;
  const rotateNow = async (): Promise<void> => {
    for (const { container, path } of deps.running()) {
      const size = await stat(path).then(
        (s) => s.size,
        () => 0,
      );
      if (size < (deps.maxBytes ?? maxLogBytes)) continue;
      try {
        await shift(path);
        await deps.runtime.reopenLog(container.id);
      } catch (error) {
        deps.log.warn('a container log could not be rotated', { path, error });
      }
    }
  };
  const arm = (): void => {
    cancel = deps.clock.after(checkMs, () => void rotateNow().finally(arm));
  };
  return {
    name: 'log-rotation',
    rotateNow,
    start: async () => arm(),
    stop: async () => cancel?.(),
  };
}

async function shift(path: string): Promise<void> {
  await rm(`${path}.${maxFiles - 1}`, { force: true });
  // After few rotations there are not all of them yet.
  for (let i = maxFiles - 2; i >= 1; i--) await rename(`${path}.${i}`, `${path}.${i + 1}`).catch(() => {});
  await rename(path, `${path}.1`);
}

/** Where a container writes its log. */
export function logFile(podLogDirectory: string, container: Container): string {
  return join(podLogDirectory, container.name, `${container.attempt}.log`);
}
