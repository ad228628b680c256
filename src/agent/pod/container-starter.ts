import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Container, Pod, Secret, Service } from '../../api/generated/types.ts';
import type { EventType } from '../../client/event-recorder.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Runtime, Sandbox, SandboxConfig } from '../../runtime/runtime.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import { StartError } from '../start-error.ts';
import { containerMounts } from '../volumes/container-mounts.ts';
import type { Mounter } from '../volumes/mounter.ts';
import { containerConfig } from './container-config.ts';
import { containerEnv } from './env.ts';
import { etcHosts } from './etc-hosts.ts';
import type { Allocatable } from './field-ref.ts';
import { hookLimitMs, runHook } from './lifecycle-hooks.ts';
import { containerLogPath, podHostname, podLogDirectory } from './names.ts';
import { ContainerConfigError, type ReferencedObjects } from './objects.ts';
import { Interrupted, type PodState } from './pod-state.ts';

export type ContainerEvent = (
  pod: Pod,
  container: Container | undefined,
  type: EventType,
  reason: string,
  message: string,
) => void;

export interface StarterDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly puller: ImagePuller;
  readonly objects: ReferencedObjects;
  readonly mounter: Mounter;
  readonly event: ContainerEvent;
  readonly services: () => Promise<readonly Service[]>;
  readonly allocatable: () => Allocatable;
  readonly hostFile: () => Promise<string>;
  readonly settings: StarterSettings;
}

export interface StarterSettings {
  readonly podsRoot: string;
  readonly podLogsRoot: string;
  readonly seccompRoot: string;
  readonly clusterDomain: () => string;
  readonly memoryBytes: number;
  readonly cgroupVersion: 1 | 2;
}

/** Upstream looks at a pod that failed to start again about this often. */
const retryMs = 10_000;

/** Brings one container of a pod up: image, environment, mounts, create, start, postStart hook. */
export class ContainerStarter {
  readonly #deps: StarterDeps;

  constructor(deps: StarterDeps) {
    this.#deps = deps;
  }

  /**
   * `pod` carries the current status (its address is part of the environment). Rejects with a StartError, or with Interrupted when the
   * pod has to go down meanwhile. Resolves with the container's id.
   */
  async start(
    state: PodState,
    pod: Pod,
    what: { spec: Container; attempt: number; sandbox: Sandbox; sandboxConfig: SandboxConfig },
  ): Promise<string> {
    const { spec } = what;
    const event = (type: EventType, reason: string, message: string): void => this.#deps.event(pod, spec, type, reason, message);
    let id: string;
    try {
      id = await this.#create(state, pod, what);
    } catch (error) {
      throw this.#explained(error, event);
    }
    event('Normal', 'Created', 'Container created');
    try {
      await this.#deps.runtime.startContainer(id);
    } catch (error) {
      event('Warning', 'Failed', `Error: ${text(error)}`);
      throw new StartError('RunContainerError', text(error), this.#deps.clock.now());
    }
    event('Normal', 'Started', 'Container started');
    await this.#postStart(state, pod, { spec, id, host: what.sandbox.ips[0] ?? '127.0.0.1' });
    return id;
  }

  async #create(
    state: PodState,
    pod: Pod,
    {
      spec,
      attempt,
      sandbox,
      sandboxConfig,
    }: { spec: Container; attempt: number; sandbox: Sandbox; sandboxConfig: SandboxConfig },
  ): Promise<string> {
    const { runtime, puller, objects, settings } = this.#deps;
    const image = await state.unlessTerminating(
      puller.ensure(spec, {
        podUid: state.uid,
        secrets: () => this.#pullSecrets(pod),
        event: (type, reason, message) => this.#deps.event(pod, spec, type, reason, message),
      }),
    );
    const services = await this.#deps.services();
    const env = await containerEnv(pod, spec, { objects, services, allocatable: this.#deps.allocatable() });
    const podDirectory = join(settings.podsRoot, state.uid);
    const mounts = await containerMounts(spec, {
      volumes: state.volumes,
      env,
      podDirectory,
      mounter: this.#deps.mounter,
      hostsFile: await this.#writeHosts(pod, sandbox, podDirectory),
      attempt,
    });
    await mkdir(dirname(join(podLogDirectory(settings.podLogsRoot, pod), containerLogPath(spec.name, attempt))), {
      recursive: true,
      mode: 0o755,
    });
    const config = containerConfig(pod, spec, {
      attempt,
      imageRef: image.id,
      imageUser: image.user,
      env,
      mounts,
      devices: [],
      seccompRoot: settings.seccompRoot,
      node: settings,
    });
    return runtime.createContainer(sandbox.id, config, sandboxConfig);
  }

  /** The secrets that exist; a missing one is upstream's business of the pull itself. */
  async #pullSecrets(pod: Pod): Promise<Secret[]> {
    const found: Secret[] = [];
    for (const { name } of pod.spec.imagePullSecrets ?? []) {
      const secret = name
        ? await this.#deps.objects.secret(pod.metadata.namespace ?? '', name).catch(() => undefined)
        : undefined;
      if (secret) found.push(secret);
    }
    return found;
  }

  async #writeHosts(pod: Pod, sandbox: Sandbox, podDirectory: string): Promise<string> {
    const path = join(podDirectory, 'etc-hosts');
    const aliases = pod.spec.hostAliases ?? [];
    const content = etcHosts({
      ips: sandbox.ips,
      ...podHostname(pod, this.#deps.settings.clusterDomain()),
      aliases,
      ...(pod.spec.hostNetwork ? { hostFile: await this.#deps.hostFile() } : {}),
    });
    await mkdir(podDirectory, { recursive: true, mode: 0o750 });
    await writeFile(path, content, { mode: 0o644 });
    return path;
  }

  async #postStart(state: PodState, pod: Pod, { spec, id, host }: { spec: Container; id: string; host: string }): Promise<void> {
    const hook = spec.lifecycle?.postStart;
    if (!hook) return;
    try {
      await state.unlessTerminating(
        runHook(this.#deps, hook, { container: spec, containerId: id, host, timeoutMs: hookLimitMs }),
      );
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      this.#deps.event(pod, spec, 'Warning', 'FailedPostStartHook', 'PostStartHook failed');
      this.#deps.event(pod, spec, 'Normal', 'Killing', 'FailedPostStartHook');
      await this.#deps.runtime.stopContainer(id, state.graceSeconds);
      throw new StartError('PostStartHookError', text(error), this.#deps.clock.now());
    }
  }

  #explained(error: unknown, event: (type: EventType, reason: string, message: string) => void): Error {
    if (error instanceof Interrupted) return error;
    if (error instanceof StartError) {
      event('Warning', 'Failed', `Error: ${error.reason}`);
      return error;
    }
    event('Warning', 'Failed', `Error: ${text(error)}`);
    const reason = error instanceof ContainerConfigError ? error.reason : 'CreateContainerError';
    return new StartError(reason, text(error), this.#deps.clock.now() + retryMs);
  }
}

const text = (error: unknown): string => (error instanceof Error ? error.message : String(error));
