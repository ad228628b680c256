import { execFile } from 'node:child_process';
import * as v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { systemClock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import { createLogger, type Logger } from '../lib/log.ts';
import { productVersion } from '../lib/version.ts';
import { createIdleCollector } from './idle-collector.ts';

/** One line per entry on standard error, where systemd and the log file expect it. */
export function createProcessLogger(debug: boolean): Logger {
  return createLogger({ level: debug ? 'debug' : 'info', write: (line) => process.stderr.write(line) });
}

/** A stop that takes longer is given up: whatever hangs must not keep a machine from shutting down. */
const stopTimeoutMs = 25_000;

/**
 * Starts a component, tells systemd when it is ready, and stops it at SIGTERM or SIGINT. Does not return before that. `onBusy` is called now and
 * then while the process has much to do.
 */
export async function runUntilSignal(component: Component, log: Logger, onBusy?: () => void): Promise<void> {
  const signalled = new Promise<string>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal));
  });
  process.on('unhandledRejection', (error) => log.error('a background task failed', { error }));
  log.info('starting', { version: productVersion, pid: process.pid });
  const startedAt = systemClock.monotonicMs();
  const collector = createIdleCollector({ clock: systemClock, collect: garbageCollector(), onBusy });
  const started = component.start().then(() => {
    log.info('started', { seconds: ((systemClock.monotonicMs() - startedAt) / 1000).toFixed(2) });
    notifySystemd(log);
    collector.start();
  });
  const signal = await Promise.race([signalled, started.then(() => signalled)]);
  log.info('stopping', { signal });
  systemClock.after(stopTimeoutMs, () => {
    log.warn('stopping takes too long, leaving');
    process.exit(1);
  });
  collector.stop();
  await component.stop();
  log.info('stopped; pods keep running');
  process.exit(0);
}

/** A full collection that also gives memory back to the system; what `--expose-gc` would offer, without the flag. */
function garbageCollector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as (options: object) => void;
  return () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** For units of Type=notify. Node.js cannot open the datagram socket itself, so systemd's own program says it. */
function notifySystemd(log: Logger): void {
  if (!process.env['NOTIFY_SOCKET']) return;
  execFile('systemd-notify', ['--ready', `--pid=${process.pid}`], (error) => {
    if (error) log.warn('systemd could not be told that Skiff is ready', { error });
  });
}
