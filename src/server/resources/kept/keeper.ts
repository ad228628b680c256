import type { BackoffPolicy } from '../../../lib/backoff.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Component } from '../../../lib/component.ts';
import type { Logger } from '../../../lib/log.ts';
import { WorkQueue, type WorkQueueObserver } from '../../../lib/workqueue.ts';
import { systemMaster } from '../../auth/user.ts';
import type { Call } from '../../registry/call.ts';
import type { ResourceRegistry } from '../../registry/resource-registry.ts';

/** What a keeper works with. */
export interface KeeperContext {
  readonly registry: ResourceRegistry;
  readonly clock: Clock;
  /** Says that the server itself writes. */
  readonly call: Call;
  /** Look at a key again later. */
  lookAfter(key: string, delayMs: number): void;
}

/** Objects the API server itself keeps right; not a controller, because other objects cannot be written without them. */
export interface Keeper {
  readonly name: string;
  /** What upstream calls its work queue in metrics. */
  readonly queue: string;
  /** Subscribes to what concerns it; called before the objects are loaded. */
  watch(enqueue: (key: string) => void): void;
  /** Brings one key in order; writes nothing when it is. */
  keep(key: string, context: KeeperContext): Promise<void>;
}

const retry: BackoffPolicy = { initialMs: 50, maxMs: 60_000, jitter: 0.1 };
const concurrency = 2;

/** Runs a keeper: its keys come at once, its work begins with `start`. */
export function runKeeper(
  keeper: Keeper,
  deps: { registry: ResourceRegistry; clock: Clock; logger: Logger; observer?: WorkQueueObserver | undefined },
): Component {
  const { registry, clock, logger, observer } = deps;
  const call: Call = { user: systemMaster, fieldManager: 'kube-apiserver', dryRun: false, warn: () => {} };
  const queue: WorkQueue = new WorkQueue({
    work: (key) => keeper.keep(key, context),
    concurrency,
    backoff: retry,
    clock,
    observer,
    onError: (key, error, retryMs) =>
      logger.warn('an object of the server could not be kept', { keeper: keeper.name, key, error, retryMs }),
  });
  const context: KeeperContext = { registry, clock, call, lookAfter: (key, delayMs) => queue.addAfter(key, delayMs) };
  keeper.watch((key) => queue.add(key));
  return {
    name: keeper.name,
    async start() {
      queue.start();
    },
    stop: () => queue.stop(),
  };
}
