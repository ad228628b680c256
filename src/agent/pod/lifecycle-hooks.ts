import type { Container, LifecycleHandler } from '../../api/generated/types.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { httpGet, tcpConnect } from '../probes/network-actions.ts';

/** A postStart hook has no time limit of its own; this one keeps a hook that hangs from holding its pod for ever. */
export const hookLimitMs = 24 * 60 * 60 * 1000;

export interface HookContext {
  readonly container: Container;
  readonly containerId: string;
  readonly host: string;
  readonly timeoutMs: number;
}

/** Runs a lifecycle hook to its end. Rejects when it fails; the message is for the event. */
export async function runHook(
  deps: { runtime: Runtime; clock: Clock },
  handler: LifecycleHandler,
  context: HookContext,
): Promise<void> {
  const { container, containerId, host, timeoutMs } = context;
  if (handler.exec) {
    const { exitCode, output } = await deps.runtime.execSync(containerId, handler.exec.command ?? [], timeoutMs);
    if (exitCode !== 0) throw new Error(`command '${(handler.exec.command ?? []).join(' ')}' exited with ${exitCode}: ${output}`);
  } else if (handler.sleep) {
    await new Promise<void>((resolve) => deps.clock.after(Math.min(handler.sleep!.seconds * 1000, timeoutMs), resolve));
  } else if (handler.httpGet) {
    const { ok, output } = await httpGet(handler.httpGet, { host, container, timeoutMs });
    if (!ok) throw new Error(output);
  } else if (handler.tcpSocket) {
    const { ok, output } = await tcpConnect(handler.tcpSocket, { host, container, timeoutMs });
    if (!ok) throw new Error(output);
  }
}
