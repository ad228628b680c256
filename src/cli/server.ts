import { hostname } from 'node:os';
import { join } from 'node:path';
import { createNode } from '../agent/node.ts';
import { ipAt, parseIpRange } from '../api/ip-range.ts';
import { parseCidr } from '../api/validation/ip.ts';
import { systemClock } from '../lib/clock.ts';
import type { Component } from '../lib/component.ts';
import type { Logger } from '../lib/log.ts';
import { formatJoinToken } from '../pki/join-token.ts';
import { createServer, type Server, type ServerOptions } from '../server/server.ts';
import { readSettings, type Settings } from './config.ts';
import type { Environment } from './environment.ts';
import { optimizeHotCode, optimizeThoroughly } from './hot-code.ts';
import { joinToken, nodeIp, nodeName, nodeOptions } from './node-options.ts';
import { createProcessLogger, runUntilSignal } from './service.ts';
import { sqliteBinding } from './sqlite-binding.ts';
import { UsageError } from './usage-error.ts';

/** `skiff server`: control plane and, unless --disable-agent, the node agent of this machine. Runs until SIGTERM; pods keep running after that. */
export async function runServer(argv: readonly string[], environment: Environment): Promise<void> {
  const settings = readSettings('server', argv, environment);
  const options = serverOptions(settings);
  const log = createProcessLogger(settings['debug'] === true);
  const onFatal = (error: Error): void => {
    log.error('the disk failed; ending, so that nothing is promised that is not kept', { error });
    process.exit(1);
  };
  const server = createServer(options, { clock: systemClock, log, onFatal });
  const parts = settings['disable-agent'] === true ? [server] : [server, ownNode(settings, environment, server, log)];
  await runUntilSignal(inOrder(parts), log, optimizeThoroughly);
}

/** The built-in node joins like any other, over HTTPS on the loopback address. */
function ownNode(settings: Settings, environment: Environment, server: Server, log: Logger): Component {
  const url = `https://127.0.0.1:${settings['https-listen-port']}`;
  const token = (): string => formatJoinToken({ caHash: server.caHash, id: 'agent', secret: server.nodeToken });
  return createNode(nodeOptions(settings, environment, { server: url, token, nodeIps: [nodeIp(settings)] }), {
    clock: systemClock,
    log,
  });
}

function inOrder(parts: readonly Component[]): Component {
  return {
    name: 'skiff',
    async start() {
      for (const part of parts) await part.start();
      optimizeHotCode();
    },
    async stop() {
      for (const part of parts.toReversed()) await part.stop();
    },
  };
}

function serverOptions(settings: Settings): ServerOptions {
  const dataDir = String(settings['data-dir']);
  const token = joinToken(settings);
  const agentToken = settings['agent-token'] as string | undefined;
  const names = (settings['tls-san'] as readonly string[] | undefined) ?? [];
  const binding = sqliteBinding(join(dataDir, 'programs'));
  const isIp = (name: string): boolean => /^[\d.]+$/.test(name) || name.includes(':');
  return {
    dataDir: join(dataDir, 'server'),
    bindAddress: String(settings['bind-address']),
    port: Number(settings['https-listen-port']),
    advertiseAddress: (settings['advertise-address'] as string | undefined) ?? nodeIp(settings),
    tlsNames: {
      dns: [hostname(), nodeName(settings), ...names.filter((n) => !isIp(n))],
      ips: [nodeIp(settings), ...names.filter(isIp)],
    },
    clusterCidr: cidr(settings, 'cluster-cidr'),
    serviceCidr: cidr(settings, 'service-cidr'),
    clusterDns: (settings['cluster-dns'] as string | undefined) ?? tenthAddress(cidr(settings, 'service-cidr')),
    clusterDomain: String(settings['cluster-domain']),
    nodePorts: portRange(String(settings['service-node-port-range'])),
    ...(token === undefined ? {} : { serverToken: token }),
    ...(agentToken === undefined ? {} : { agentToken }),
    kubeconfig: { file: String(settings['write-kubeconfig']), mode: fileMode(String(settings['write-kubeconfig-mode'])) },
    ...(binding === undefined ? {} : { sqliteBinding: binding }),
  };
}

function cidr(settings: Settings, name: string): string {
  const text = String(settings[name]);
  const block = parseCidr(text);
  if (block?.family !== 'IPv4' || block.prefix > 30 || block.prefix < 8) {
    throw new UsageError(`--${name} must be an IPv4 range like 10.42.0.0/16, not ${JSON.stringify(text)}`);
  }
  return text;
}

/** `10.43.0.0/16` → 10.43.0.10, where cluster DNS is when nobody says otherwise. */
function tenthAddress(range: string): string {
  return ipAt(parseIpRange(range), 10n);
}

function portRange(text: string): { first: number; last: number } {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2])];
  if (!match || first < 1 || last > 65_535 || first > last)
    throw new UsageError(`--service-node-port-range must look like 30000-32767, not ${JSON.stringify(text)}`);
  return { first, last };
}

function fileMode(text: string): number {
  if (!/^0?[0-7]{3}$/.test(text))
    throw new UsageError(`--write-kubeconfig-mode must look like 0600, not ${JSON.stringify(text)}`);
  return Number.parseInt(text, 8);
}
