import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pod } from '../../api/generated/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Runtime, Sandbox, SandboxConfig } from '../../runtime/runtime.ts';
import type { PodCgroups } from '../cgroup/pod-cgroups.ts';
import type { ProbeManager } from '../probes/probe-manager.ts';
import { StartError } from '../start-error.ts';
import { VolumeError, type VolumeManager } from '../volumes/volume-manager.ts';
import type { ContainerResizer } from './container-resizer.ts';
import type { ContainerEvent, ContainerStarter } from './container-starter.ts';
import { nextBackoff } from './crash-backoff.ts';
import { type ClusterDns, type DnsConfig, podDns } from './dns-config.ts';
import { podLogDirectory, podText } from './names.ts';
import { currentSandbox, latest } from './observed.ts';
import { type Plan, plan, type Step } from './plan.ts';
import type { PodObserver } from './pod-observer.ts';
import type { PodState } from './pod-state.ts';
import type { PodTerminator } from './pod-terminator.ts';
import { sandboxConfig } from './sandbox-config.ts';

/** A pod's plan is made again after each batch of steps; a pod that still has steps after this many waits for its next turn. */
const maxRounds = 20;
const sandboxRetryMs = { initial: 2_000, max: 60_000 };
/** A network that is not there yet usually comes soon. */
const networkRetryMs = 1_000;
const volumeRetryMs = 10_000;
/** Ended containers of one name that are kept, for `kubectl logs --previous` and lastState. */
const keptContainers = 2;

export interface RunnerDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly observer: PodObserver;
  readonly starter: ContainerStarter;
  readonly terminator: PodTerminator;
  readonly resizer: ContainerResizer;
  readonly probes: ProbeManager;
  readonly volumes: VolumeManager;
  readonly cgroups: PodCgroups;
  readonly event: ContainerEvent;
  readonly hostDns: () => Promise<DnsConfig>;
  readonly clusterDns: () => ClusterDns;
  /** Empty when a pod can be given a network. */
  readonly networkProblem: () => Promise<string>;
  readonly runtimeHandler: (pod: Pod) => Promise<string>;
  readonly podLogsRoot: string;
  readonly seccompRoot: string;
  /** The pod with its current status, after reporting it. */
  readonly report: (state: PodState) => Promise<Pod>;
}

/** Carries out the plan of a pod that is to run. */
export class PodRunner {
  readonly #deps: RunnerDeps;
  readonly #sandboxFailures = new Map<string, number>();

  constructor(deps: RunnerDeps) {
    this.#deps = deps;
  }

  /** Brings the pod as far as it goes now. Returns when to look again (Infinity when only an event can change anything). */
  async run(state: PodState): Promise<number> {
    const volumes = await this.#setUpVolumes(state);
    let wakeAtMs = volumes.lookAgainAtMs;
    for (let round = 0; round < maxRounds; round++) {
      await this.#deps.observer.observe(state);
      if (await this.#resize(state)) continue;
      this.#watchProbes(state);
      const current = this.#plan(state);
      this.#noteWaits(state, current);
      if (current.finished) {
        await this.#finish(state);
        return Number.POSITIVE_INFINITY;
      }
      const pod = await this.#deps.report(state);
      const now = this.#deps.clock.now();
      const due = current.steps.filter((step) => isDue(step, state, now) && (volumes.ready || step.do === 'kill'));
      wakeAtMs = nextWake(wakeAtMs, current, state, now);
      if (due.length === 0 || state.terminating) return wakeAtMs;
      for (const step of due) {
        await this.#apply(state, pod, step);
        if (state.terminating) return this.#deps.clock.now();
      }
    }
    return this.#deps.clock.now() + sandboxRetryMs.initial;
  }

  forget(podUid: string): void {
    this.#sandboxFailures.delete(podUid);
  }

  /** A container that cannot be resized now (its memory is in use) is tried again with the pod's next turn. */
  async #resize(state: PodState): Promise<boolean> {
    try {
      return await this.#deps.resizer.resize(state);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#deps.event(state.pod, undefined, 'Warning', 'ResizeError', `Pod resize error: ${text}`);
      return false;
    }
  }

  #plan(state: PodState): Plan {
    const { probes, clock } = this.#deps;
    const status = (name: string): { containerID?: string; restartCount: number } | undefined =>
      [...(state.reported?.containerStatuses ?? []), ...(state.reported?.initContainerStatuses ?? [])].find(
        (s) => s.name === name,
      );
    return plan({
      pod: state.pod,
      observed: state.observed,
      nowMs: clock.now(),
      backoff: (name) => state.backoff.get(name),
      restartCount: (name) => (status(name)?.containerID ? status(name)!.restartCount : undefined),
      health: { started: (id) => probes.started(id), failed: (id) => probes.failed(id) },
    });
  }

  #noteWaits(state: PodState, { waits }: Plan): void {
    for (const [name, reason] of state.waiting) {
      const running = latest(state.observed, name)?.state === 'running';
      if (running || (reason.reason === 'CrashLoopBackOff' && !waits.some((w) => w.name === name))) state.waiting.delete(name);
    }
    for (const wait of waits) {
      const isNew = state.waiting.get(wait.name)?.reason !== 'CrashLoopBackOff';
      state.waiting.set(wait.name, { reason: 'CrashLoopBackOff', message: wait.message });
      if (isNew) {
        const spec =
          state.pod.spec.containers.find((c) => c.name === wait.name) ??
          state.pod.spec.initContainers?.find((c) => c.name === wait.name);
        const text = `Back-off restarting failed container ${wait.name} in pod ${podText(state.pod)}`;
        this.#deps.event(state.pod, spec, 'Warning', 'BackOff', text);
      }
    }
  }

  #watchProbes(state: PodState): void {
    const running = state.observed.containers.filter((c) => c.state === 'running');
    this.#deps.probes.retain(state.uid, new Set(running.map((c) => c.id)));
    const sandbox = currentSandbox(state.observed);
    if (!sandbox || state.terminating) return;
    const host = sandbox.ips[0] ?? '127.0.0.1';
    for (const container of running) {
      const spec =
        state.pod.spec.containers.find((c) => c.name === container.name) ??
        state.pod.spec.initContainers?.find((c) => c.name === container.name);
      if (!spec) continue;
      const before = state.pod.status?.containerStatuses?.find((s) => s.name === container.name);
      const wasReady = state.adopted.has(container.id) && before?.ready === true;
      this.#deps.probes.watch({ pod: state.pod, spec, container, host, wasReady });
    }
  }

  async #apply(state: PodState, pod: Pod, step: Step): Promise<void> {
    switch (step.do) {
      case 'stopSandbox':
        return this.#deps.runtime.stopSandbox(step.sandboxId);
      case 'createSandbox':
        return this.#createSandbox(state, step);
      case 'kill': {
        const spec = state.pod.spec.containers.find((c) => c.name === step.container.name);
        const probe = step.probe === 'liveness' ? spec?.livenessProbe : spec?.startupProbe;
        const graceSeconds = (step.probe ? probe?.terminationGracePeriodSeconds : undefined) ?? state.graceSeconds;
        return this.#deps.terminator.stopContainer(state, step.container, { graceSeconds, message: step.message });
      }
      case 'start':
        return this.#start(state, pod, step);
    }
  }

  async #createSandbox(state: PodState, { attempt, replaces }: { attempt: number; replaces: boolean }): Promise<void> {
    const { runtime, event, clock, cgroups } = this.#deps;
    const { pod } = state;
    const problem = pod.spec.hostNetwork ? '' : await this.#deps.networkProblem();
    if (problem !== '') {
      if (!state.retryAt.has('')) event(pod, undefined, 'Warning', 'NetworkNotReady', `network is not ready: ${problem}`);
      state.retryAt.set('', clock.now() + networkRetryMs);
      return;
    }
    if (replaces) event(pod, undefined, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.');
    try {
      cgroups.ensure(pod);
      await mkdir(podLogDirectory(this.#deps.podLogsRoot, pod), { recursive: true, mode: 0o755 });
      await runtime.runSandbox(await this.#sandboxConfig(pod, attempt));
      this.#sandboxFailures.delete(state.uid);
      state.retryAt.delete('');
    } catch (error) {
      const failures = this.#sandboxFailures.get(state.uid) ?? 0;
      this.#sandboxFailures.set(state.uid, failures + 1);
      state.retryAt.set('', clock.now() + Math.min(sandboxRetryMs.initial * 2 ** failures, sandboxRetryMs.max));
      const text = error instanceof Error ? error.message : String(error);
      event(pod, undefined, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${text}`);
    }
  }

  async #sandboxConfig(pod: Pod, attempt: number): Promise<SandboxConfig> {
    const { hostDns, clusterDns, cgroups, runtimeHandler, podLogsRoot, seccompRoot } = this.#deps;
    return sandboxConfig(pod, attempt, {
      dns: podDns(pod, await hostDns(), clusterDns()),
      clusterDomain: clusterDns().domain,
      podLogsRoot,
      cgroupParent: cgroups.pathOf(pod),
      runtimeHandler: await runtimeHandler(pod),
      seccompRoot,
    });
  }

  async #start(state: PodState, pod: Pod, step: Extract<Step, { do: 'start' }>): Promise<void> {
    const sandbox = currentSandbox(state.observed) as Sandbox;
    const { spec, attempt } = step;
    const ended = latest(state.observed, spec.name, sandbox.id);
    const now = this.#deps.clock.now();
    if (ended?.state === 'exited')
      state.backoff.set(spec.name, nextBackoff(state.backoff.get(spec.name), ended.finishedAtMs || now, now));
    await this.#prune(state, spec.name);
    try {
      const config = await this.#sandboxConfig(state.pod, sandbox.attempt);
      await this.#deps.starter.start(state, pod, { spec, attempt, sandbox, sandboxConfig: config });
      state.waiting.delete(spec.name);
      state.retryAt.delete(spec.name);
    } catch (error) {
      if (!(error instanceof StartError)) throw error;
      state.waiting.set(spec.name, { reason: error.reason, message: error.message });
      state.retryAt.set(spec.name, error.retryAtMs);
    }
  }

  /** Before one more container of a name is made, those nobody asks for any more go, with their logs. */
  async #prune(state: PodState, name: string): Promise<void> {
    const old = state.observed.containers.filter((c) => c.name === name && c.state !== 'running').slice(keptContainers - 1);
    for (const container of old) {
      await this.#deps.runtime.removeContainer(container.id);
      const directory = podLogDirectory(this.#deps.podLogsRoot, state.pod);
      for (const suffix of ['', '.1', '.2', '.3', '.4', '.5'])
        await rm(join(directory, container.name, `${container.attempt}.log${suffix}`), { force: true });
    }
  }

  /** What cannot be mounted is told and tried again; until then nothing of the pod is started. */
  async #setUpVolumes(state: PodState): Promise<{ ready: boolean; lookAgainAtMs: number }> {
    try {
      const { volumes, refreshAtMs } = await this.#deps.volumes.setUp(state.pod, { offline: state.fromCheckpoint });
      state.volumes = volumes;
      return { ready: true, lookAgainAtMs: refreshAtMs };
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      this.#deps.event(state.pod, undefined, 'Warning', 'FailedMount', error.message);
      return { ready: state.volumes.size > 0, lookAgainAtMs: this.#deps.clock.now() + volumeRetryMs };
    }
  }

  /** The pod has run to its end: sidecars and the sandbox go, the containers stay for their logs. */
  async #finish(state: PodState): Promise<void> {
    await this.#deps.terminator.stopPod(state, state.graceSeconds);
    await this.#deps.observer.observe(state);
    this.#deps.probes.retain(state.uid, new Set());
    state.ended = true;
    await this.#deps.report(state);
  }
}

const isDue = (step: Step, state: PodState, nowMs: number): boolean => (state.retryAt.get(stepKey(step)) ?? 0) <= nowMs;

const stepKey = (step: Step): string => (step.do === 'start' ? step.spec.name : step.do === 'createSandbox' ? '' : '\n');

function nextWake(soonestMs: number, current: Plan, state: PodState, nowMs: number): number {
  let at = soonestMs;
  for (const wait of current.waits) at = Math.min(at, wait.untilMs);
  for (const step of current.steps) {
    const retryAt = state.retryAt.get(stepKey(step));
    if (retryAt !== undefined && retryAt > nowMs) at = Math.min(at, retryAt);
  }
  return at;
}
