import type { Container, Probe } from '../../api/generated/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { type Runtime, RuntimeTimeout } from '../../runtime/runtime.ts';
import { type ActionResult, grpcCheck, httpGet, tcpConnect } from './network-actions.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

const defaults = { periodSeconds: 10, timeoutSeconds: 1, successThreshold: 1, failureThreshold: 3, initialDelaySeconds: 0 };
/** Tries of a probe that could not be carried out at all, before that counts as a failure. */
const maxTries = 3;

export interface ProberOptions {
  readonly kind: ProbeKind;
  readonly probe: Probe;
  readonly container: Container;
  readonly containerId: string;
  readonly startedAtMs: number;
  /** The pod's address, asked for at each try. */
  readonly host: () => string;
  /** False while the startup probe has not succeeded. */
  readonly enabled: () => boolean;
  readonly initially: boolean;
  readonly onResult: (ok: boolean) => void;
  readonly onFailure: (output: string) => void;
}

/** Runs one probe of one container at its period and tells when its verdict changes. */
export class Prober {
  readonly options: ProberOptions;
  readonly #deps: { runtime: Runtime; clock: Clock };
  readonly #probe: Probe & typeof defaults;
  #verdict: boolean;
  #streak = 0;
  #streakOk: boolean | undefined;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(deps: { runtime: Runtime; clock: Clock }, options: ProberOptions) {
    this.#deps = deps;
    this.options = options;
    this.#probe = { ...defaults, ...withoutUndefined(options.probe) };
    this.#verdict = options.initially;
  }

  /** `delayMs` spreads the probes of an agent that starts with many containers. */
  start(delayMs: number): void {
    const initialAt = this.options.startedAtMs + this.#probe.initialDelaySeconds * 1000;
    this.#arm(Math.max(delayMs, initialAt - this.#deps.clock.now(), 0));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  /** Tries now, e.g. when the startup probe has succeeded. */
  hurry(): void {
    if (this.#stopped || !this.#cancel) return;
    this.#cancel();
    this.#arm(0);
  }

  #arm(delayMs: number): void {
    if (!this.#stopped) this.#cancel = this.#deps.clock.after(delayMs, () => void this.#tick());
  }

  async #tick(): Promise<void> {
    this.#cancel = undefined;
    const startedAt = this.#deps.clock.monotonicMs();
    if (this.options.enabled()) await this.#once();
    const tookMs = this.#deps.clock.monotonicMs() - startedAt;
    this.#arm(Math.max(this.#probe.periodSeconds * 1000 - tookMs, 0));
  }

  async #once(): Promise<void> {
    const { ok, output } = await this.#attempt();
    if (this.#stopped) return;
    if (!ok) this.options.onFailure(output);
    if (this.#streakOk === ok) this.#streak++;
    else {
      this.#streakOk = ok;
      this.#streak = 1;
    }
    const threshold = ok ? this.#probe.successThreshold : this.#probe.failureThreshold;
    if (this.#streak < threshold) return;
    const changed = this.#verdict !== ok || (!ok && this.options.kind !== 'readiness');
    this.#verdict = ok;
    if (changed) this.options.onResult(ok);
    // The container will be replaced; until then nothing is asked of it.
    if (this.options.kind === 'startup' || (!ok && this.options.kind === 'liveness')) this.stop();
  }

  async #attempt(): Promise<ActionResult> {
    let last: ActionResult = { ok: false, output: '' };
    for (let i = 0; i < maxTries; i++) {
      try {
        return await this.#act();
      } catch (error) {
        last = { ok: false, output: error instanceof Error ? error.message : String(error) };
      }
    }
    return last;
  }

  async #act(): Promise<ActionResult> {
    const { container, containerId, host } = this.options;
    const timeoutMs = this.#probe.timeoutSeconds * 1000;
    const target = { host: host(), container, timeoutMs };
    if (this.#probe.httpGet) return httpGet(this.#probe.httpGet, target);
    if (this.#probe.tcpSocket) return tcpConnect(this.#probe.tcpSocket, target);
    if (this.#probe.grpc) return grpcCheck(this.#probe.grpc, target);
    return execProbe(this.#deps.runtime, containerId, { command: this.#probe.exec?.command ?? [], timeoutMs });
  }
}

async function execProbe(
  runtime: Runtime,
  containerId: string,
  { command, timeoutMs }: { command: readonly string[]; timeoutMs: number },
): Promise<ActionResult> {
  try {
    const { exitCode, output } = await runtime.execSync(containerId, command, timeoutMs);
    return { ok: exitCode === 0, output };
  } catch (error) {
    if (error instanceof RuntimeTimeout)
      return { ok: false, output: `command timed out: "${command.join(' ')}" timed out after ${timeoutMs / 1000}s` };
    throw error;
  }
}

function withoutUndefined(probe: Probe): Probe {
  return Object.fromEntries(
    Object.entries(probe).filter(([, value]) => value !== undefined && value !== null && value !== 0),
  ) as Probe;
}
