import { createNode } from '../agent/node.ts';
import { systemClock } from '../lib/clock.ts';
import { readSettings } from './config.ts';
import type { Environment } from './environment.ts';
import { joinToken, nodeOptions } from './node-options.ts';
import { createProcessLogger, runUntilSignal } from './service.ts';
import { UsageError } from './usage-error.ts';

/** `skiff agent`: runs until SIGTERM; pods keep running after that. */
export async function runAgent(argv: readonly string[], environment: Environment): Promise<void> {
  const settings = readSettings('agent', argv, environment);
  const server = settings['server'] as string | undefined;
  if (!server) throw new UsageError('which server? --server https://<server>:6443 (on the server: skiff token print-join)');
  if (!/^https:\/\/[^/\s]+\/?$/.test(server))
    throw new UsageError(`--server must look like https://192.168.1.10:6443, not ${JSON.stringify(server)}`);
  const token = joinToken(settings);
  const given = settings['node-ip'];
  const options = nodeOptions(settings, environment, {
    server: server.replace(/\/$/, ''),
    token: () => token,
    nodeIps: given === undefined ? [] : [String(given)],
  });
  const log = createProcessLogger(settings['debug'] === true);
  await runUntilSignal(createNode(options, { clock: systemClock, log }), log);
}
