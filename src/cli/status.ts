import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Node } from '../api/kinds/core/node.ts';
import { createHttpsClient, type HttpsClient } from '../client/https-client.ts';
import { systemClock } from '../lib/clock.ts';
import { errorChain, silentLogger } from '../lib/log.ts';
import { openKubeconfig } from './admin-client.ts';
import { readSettings, type Settings } from './config.ts';
import type { Environment } from './environment.ts';
import { nodeName } from './node-options.ts';
import { UsageError } from './usage-error.ts';

const usage = 'skiff status [--wait SECONDS] [server|agent] [flags of that command]';
const retryMs = 500;

interface Report {
  readonly well: boolean;
  readonly lines: readonly string[];
}

/**
 * `skiff status`: what runs on this machine and whether it is well; exit code 1 when not. With `--wait` it asks again until it is well or the
 * time is over. It takes the flags of the command that runs, so that a script can pass them on.
 */
export async function runStatus(argv: readonly string[], environment: Environment): Promise<void> {
  const { waitSeconds, command, flags } = parse(argv);
  const deadline = systemClock.monotonicMs() + waitSeconds * 1000;
  for (;;) {
    const report = await look(command, flags, environment);
    if (report.well || systemClock.monotonicMs() >= deadline) {
      for (const line of report.lines) console.log(line);
      process.exit(report.well ? 0 : 1);
    }
    await delay(retryMs);
  }
}

function parse(argv: readonly string[]): {
  waitSeconds: number;
  command: 'server' | 'agent' | undefined;
  flags: readonly string[];
} {
  const rest = [...argv];
  let waitSeconds = 0;
  if (rest[0] === '--wait') {
    if (!/^\d+$/.test(rest[1] ?? '')) throw new UsageError(`--wait needs a number of seconds; usage: ${usage}`);
    waitSeconds = Number(rest[1]);
    rest.splice(0, 2);
  }
  const command = rest[0] === 'server' || rest[0] === 'agent' ? rest.shift() : undefined;
  return { waitSeconds, command: command as 'server' | 'agent' | undefined, flags: rest };
}

async function look(
  command: 'server' | 'agent' | undefined,
  flags: readonly string[],
  environment: Environment,
): Promise<Report> {
  const chosen =
    command ?? (existsSync(String(readSettings('server', [], environment)['write-kubeconfig'])) ? 'server' : 'agent');
  const settings = readSettings(chosen, flags, environment);
  try {
    const client = chosen === 'server' ? openKubeconfig(String(settings['write-kubeconfig'])) : openAgentClient(settings);
    try {
      return await report(client, chosen, settings);
    } finally {
      client.close();
    }
  } catch (error) {
    return {
      well: false,
      lines: [`${chosen}: not running or not reachable (${error instanceof Error ? errorChain(error) : error})`],
    };
  }
}

/** The node's own certificate lets it see its own node. */
function openAgentClient(settings: Settings): HttpsClient {
  const folder = join(String(settings['data-dir']), 'agent/tls');
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  if (!existsSync(join(folder, 'client-node.crt'))) throw new UsageError('this machine has not joined a cluster yet');
  return createHttpsClient({
    server: String(settings['server']),
    ca: read('server-ca.crt'),
    credentials: { certificate: read('client-node.crt'), key: read('client-node.key') },
    clock: systemClock,
    log: silentLogger,
  });
}

async function report(client: HttpsClient, command: 'server' | 'agent', settings: Settings): Promise<Report> {
  const lines: string[] = [];
  if (command === 'server') {
    const { items } = await client.list(Node);
    lines.push(`server: running, ${items.length} node${items.length === 1 ? '' : 's'}`);
    if (settings['disable-agent'] === true) return { well: true, lines };
  }
  const name = nodeName(settings);
  const node = await client.get(Node, { name });
  const ready = node.status.conditions?.find((c) => c.type === 'Ready');
  const well = ready?.status === 'True';
  lines.push(`node ${name}: ${well ? 'Ready' : `not Ready (${ready?.message ?? 'it has not reported yet'})`}`);
  return { well, lines };
}
