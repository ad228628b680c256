import { rm } from 'node:fs/promises';
import type { Pod } from '../../api/generated/types.ts';
import { Pod as PodKind } from '../../api/kinds/core/pod.ts';
import { isStatus } from '../../api/status-error.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/log.ts';
import { WorkQueue } from '../../lib/workqueue.ts';
import type { Runtime, RuntimeEvent } from '../../runtime/runtime.ts';
import type { PodCgroups } from '../cgroup/pod-cgroups.ts';
import type { ObjectWatcher } from '../objects/object-watcher.ts';
import { podReferences } from '../objects/pod-references.ts';
import type { ProbeManager } from '../probes/probe-manager.ts';
import type { VolumeManager } from '../volumes/volume-manager.ts';
import type { PodCheckpoints } from './checkpoint.ts';
import { podLogDirectory } from './names.ts';
import type { PodObserver } from './pod-observer.ts';
import type { PodReporter } from './pod-reporter.ts';
import type { PodRunner } from './pod-runner.ts';
import { Interrupted, PodState } from './pod-state.ts';
import type { PodTerminator } from './pod-terminator.ts';

/** Pods worked on at a time: waiting for processes to end must not keep other pods from theirs. */
const concurrency = 500;
const retry = { initialMs: 1_000, maxMs: 60_000, jitter: 0.2 };
/** The safety net under the event stream of the runtime. */
const relistMs = 5 * 60_000;
/** Processes of a pod nobody knows any more have this long to end. */
const orphanGraceSeconds = 30;

export interface PodManagerDeps {
  readonly client: Client;
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly observer: PodObserver;
  readonly runner: PodRunner;
  readonly reporter: PodReporter;
  readonly terminator: PodTerminator;
  readonly probes: ProbeManager;
  readonly volumes: VolumeManager;
  readonly cgroups: PodCgroups;
  readonly objects: ObjectWatcher;
  readonly checkpoints: PodCheckpoints;
  readonly podLogsRoot: string;
}

/** One serialized worker per pod of this node, woken by the API, the runtime, probes and time. */
export class PodManager {
  readonly #deps: PodManagerDeps;
  readonly #states = new Map<string, PodState>();
  readonly #queue: WorkQueue;
  #endEvents: (() => void) | undefined;
  #cancelRelist: (() => void) | undefined;
  #known: ReadonlySet<string> | undefined;
  readonly #endWaiters = new Map<() => void, string>();

  constructor(deps: PodManagerDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue({
      work: (uid) => this.#sync(uid),
      concurrency,
      backoff: retry,
      clock: deps.clock,
      onError: (uid, error, retryMs) =>
        deps.log.warn('a pod could not be brought to its state', { pod: this.#text(uid), retryMs, error }),
    });
  }

  /** Pods, newest state; for the HTTP server and statistics. */
  states(): readonly PodState[] {
    return [...this.#states.values()];
  }

  find(namespace: string, name: string): PodState | undefined {
    return this.states().find((s) => s.pod.metadata.namespace === namespace && s.pod.metadata.name === name && !s.gone);
  }

  /** Begins to work. Containers that run already are adopted. */
  async start(): Promise<void> {
    this.#endEvents = this.#deps.runtime.events({
      onEvent: (event) => this.#runtimeEvent(event),
      onGap: () => void this.#relist().catch((error: unknown) => this.#deps.log.warn('listing containers failed', { error })),
    });
    this.#queue.start();
    this.#armRelist();
  }

  /** Pods keep running. */
  async stop(): Promise<void> {
    this.#endEvents?.();
    this.#cancelRelist?.();
    this.#deps.probes.stop();
    for (const state of this.#states.values()) state.interrupt();
    // Terminations may take as long as the pods' grace periods: the next agent goes on with them.
    void this.#queue.stop();
  }

  /** A pod of this node as the API (or the checkpoint) has it. */
  put(pod: Pod, fromCheckpoint = false): void {
    const { uid } = pod.metadata;
    let state = this.#states.get(uid);
    if (!state) {
      state = new PodState(pod, fromCheckpoint);
      this.#states.set(uid, state);
    }
    const before = state.graceSeconds;
    const wasTerminating = state.terminating;
    state.pod = pod;
    if (!fromCheckpoint) state.fromCheckpoint = false;
    if (state.terminating) {
      if (!wasTerminating) state.interrupt();
      if (state.graceSeconds < before || !wasTerminating) state.shortenGrace?.(state.graceSeconds);
    }
    this.#queue.add(uid);
  }

  /** The API no longer has the pod: what is left of it goes. */
  remove(uid: string): void {
    const state = this.#states.get(uid);
    if (!state) return;
    state.gone = true;
    state.interrupt();
    state.shortenGrace?.(0);
    this.#queue.add(uid);
  }

  /** Something a pod refers to has changed: what failed for want of it is tried again at once. */
  retry(uid: string): void {
    this.#states.get(uid)?.retryAt.clear();
    this.wake(uid);
  }

  wake(uid: string): void {
    if (this.#states.has(uid)) this.#queue.add(uid);
  }

  /**
   * The server has told all pods of this node: those of the checkpoint it does not have, and sandboxes nobody asks for, are removed.
   */
  async synced(uids: ReadonlySet<string>): Promise<void> {
    this.#known = uids;
    for (const state of this.#states.values()) if (state.fromCheckpoint && !uids.has(state.uid)) this.remove(state.uid);
    await this.#removeOrphans();
  }

  /** Calls back once the worker has seen that the container no longer runs. Returns the function that ends the wait. */
  onContainerEnd(containerId: string, callback: () => void): () => void {
    this.#endWaiters.set(callback, containerId);
    return () => this.#endWaiters.delete(callback);
  }

  #tellEnds(state: PodState): void {
    if (this.#endWaiters.size === 0) return;
    const ended = new Set(state.observed.containers.filter((c) => c.state === 'exited').map((c) => c.id));
    for (const [callback, id] of this.#endWaiters) if (ended.has(id) || this.#deps.observer.ownerOf(id) === undefined) callback();
  }

  #runtimeEvent(event: RuntimeEvent): void {
    const uid = this.#deps.observer.ownerOf(event.id);
    if (uid) this.wake(uid);
  }

  async #sync(uid: string): Promise<void> {
    const state = this.#states.get(uid);
    if (!state) return;
    try {
      if (state.terminating || state.ended) await this.#end(state);
      else await this.#run(state);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      this.#queue.add(uid);
    } finally {
      if (this.#states.has(uid)) this.#wakeAt(uid, state.reportAtMs);
      this.#tellEnds(state);
    }
  }

  async #run(state: PodState): Promise<void> {
    const { observer, runner, objects } = this.#deps;
    objects.use(state.pod);
    if (state.observed.sandboxes.length === 0) {
      // The first look at this pod: what runs already was started by an earlier agent.
      const { containers } = await observer.observe(state);
      if (!state.reported) for (const container of containers) if (container.state === 'running') state.adopted.add(container.id);
    }
    if (await this.#pastDeadline(state)) return this.#end(state);
    const phase = state.pod.status?.phase;
    if (phase === 'Succeeded' || phase === 'Failed') return this.#end(state);
    const wakeAtMs = Math.min(await runner.run(state), deadlineMs(state));
    await this.#checkpoint(state);
    if (state.terminating || state.ended) this.#queue.add(state.uid);
    else this.#wakeAt(state.uid, wakeAtMs);
  }

  #wakeAt(uid: string, atMs: number): void {
    if (Number.isFinite(atMs)) this.#queue.addAfter(uid, Math.max(0, atMs - this.#deps.clock.now()));
  }

  async #pastDeadline(state: PodState): Promise<boolean> {
    if (this.#deps.clock.now() < deadlineMs(state)) return false;
    state.failure = { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' };
    return true;
  }

  /** Stops the pod, reports its end, frees what it held, and completes its deletion. */
  async #end(state: PodState): Promise<void> {
    const { observer, terminator, reporter, probes, volumes, cgroups } = this.#deps;
    probes.terminating(state.uid);
    await observer.observe(state);
    const running = state.observed.containers.some((c) => c.state === 'running') || state.observed.sandboxes.some((s) => s.ready);
    if (running)
      await terminator.stopPod(state, state.gone ? Math.min(state.graceSeconds, orphanGraceSeconds) : state.graceSeconds);
    await observer.observe(state);
    probes.retain(state.uid, new Set());
    state.ended = true;
    await reporter.report(state);
    const leaves = state.gone || state.pod.metadata.deletionTimestamp !== undefined;
    if (leaves) await this.#removeFromRuntime(state);
    await volumes.tearDown(state.uid);
    cgroups.remove(state.uid);
    this.#deps.checkpoints.remove(state.uid);
    if (!leaves) return;
    await rm(podLogDirectory(this.#deps.podLogsRoot, state.pod), { recursive: true, force: true });
    if (!state.gone) await this.#completeDeletion(state);
    this.#forget(state);
  }

  async #removeFromRuntime(state: PodState): Promise<void> {
    for (const container of state.observed.containers) await this.#deps.runtime.removeContainer(container.id);
    for (const sandbox of state.observed.sandboxes) await this.#deps.runtime.removeSandbox(sandbox.id);
  }

  async #completeDeletion(state: PodState): Promise<void> {
    const { namespace = '', name } = state.pod.metadata;
    if (state.fromCheckpoint) return;
    try {
      await this.#deps.client.delete(PodKind, { namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid: state.uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound', 'Conflict')) throw error;
    }
  }

  #forget(state: PodState): void {
    this.#deps.observer.forget(state);
    this.#deps.objects.drop(state.uid);
    this.#deps.runner.forget(state.uid);
    this.#states.delete(state.uid);
  }

  async #checkpoint(state: PodState): Promise<void> {
    if (state.fromCheckpoint || state.ended) return;
    const { configMaps, secrets } = podReferences(state.pod);
    const namespace = state.pod.metadata.namespace ?? '';
    try {
      const found = await Promise.all([
        ...[...configMaps].map((name) => this.#deps.objects.configMap(namespace, name)),
        ...[...secrets].map((name) => this.#deps.objects.secret(namespace, name)),
      ]);
      const objects = found.filter((o) => o !== undefined);
      this.#deps.checkpoints.save({ ...state.pod, status: state.reported ?? state.pod.status }, objects);
    } catch (error) {
      // What was remembered before is better than half of it.
      this.#deps.log.debug('a pod was not remembered', { pod: this.#text(state.uid), error });
    }
  }

  /** Whatever no pod of the API stands behind. */
  async #removeOrphans(): Promise<void> {
    const { runtime, volumes, cgroups, log, checkpoints } = this.#deps;
    const isOrphan = (uid: string): boolean => !this.#states.has(uid) && !this.#known?.has(uid);
    for (const sandbox of await runtime.listSandboxes()) {
      if (!isOrphan(sandbox.podUid)) continue;
      log.info('removing a pod that no longer exists', { namespace: sandbox.namespace, pod: sandbox.name });
      for (const container of await runtime.listContainers({ sandboxId: sandbox.id })) {
        if (container.state === 'running') await runtime.stopContainer(container.id, orphanGraceSeconds);
        await runtime.removeContainer(container.id);
      }
      await runtime.stopSandbox(sandbox.id);
      await runtime.removeSandbox(sandbox.id);
    }
    for (const uid of new Set([...cgroups.list(), ...checkpoints.uids()])) {
      if (!isOrphan(uid)) continue;
      await volumes.tearDown(uid);
      cgroups.remove(uid);
      checkpoints.remove(uid);
    }
  }

  #armRelist(): void {
    this.#cancelRelist = this.#deps.clock.after(relistMs, () => {
      this.#relist()
        .catch((error: unknown) => this.#deps.log.warn('listing containers failed', { error }))
        .finally(() => this.#armRelist());
    });
  }

  /** Wakes the pods whose containers are not as they were last seen. */
  async #relist(): Promise<void> {
    const found = new Map((await this.#deps.runtime.listContainers()).map((c) => [c.id, c.state]));
    for (const state of this.#states.values()) {
      const differs = state.observed.containers.some((c) => found.get(c.id) !== c.state);
      if (differs || state.observed.sandboxes.length === 0) this.wake(state.uid);
    }
    if (this.#known) await this.#removeOrphans();
  }

  #text(uid: string): string {
    const pod = this.#states.get(uid)?.pod;
    return pod ? `${pod.metadata.namespace}/${pod.metadata.name}` : uid;
  }
}

/** When `activeDeadlineSeconds` is over; Infinity without it. */
function deadlineMs({ pod, reported }: PodState): number {
  const { activeDeadlineSeconds } = pod.spec;
  const startTime = reported?.startTime ?? pod.status?.startTime;
  if (activeDeadlineSeconds === undefined || !startTime) return Number.POSITIVE_INFINITY;
  return Date.parse(startTime) + activeDeadlineSeconds * 1000;
}
