import { readFileSync } from 'node:fs';
import { hostname, totalmem } from 'node:os';
import { join } from 'node:path';
import type { NodeOptions } from '../agent/node.ts';
import type { Taint } from '../api/generated/types.ts';
import { defaultAddress } from '../lib/host-address.ts';
import { bundledPrograms } from './bundled-programs.ts';
import type { Settings } from './config.ts';
import type { Environment } from './environment.ts';
import { UsageError } from './usage-error.ts';

/** Below this much memory all pods of a node share one shim unless the person decides otherwise. */
const sharedShimBelowBytes = 1 << 30;

/**
 * What the settings of a command say about the node on this machine; `nodeIps` empty = the address towards the server, whatever it is at the time. Throws UsageError with what to change. */
export function nodeOptions(
  settings: Settings,
  environment: Environment,
  membership: Pick<NodeOptions, 'server' | 'token' | 'nodeIps'>,
): NodeOptions {
  const dataDir = String(settings['data-dir']);
  const backend = String(settings['flannel-backend']);
  if (backend !== 'vxlan' && backend !== 'host-gw')
    throw new UsageError(`--flannel-backend must be vxlan or host-gw, not ${JSON.stringify(backend)}`);
  const endpoint = settings['container-runtime-endpoint'] as string | undefined;
  const pauseImage = settings['pause-image'] as string | undefined;
  return {
    ...membership,
    nodeName: nodeName(settings),
    dataDir: join(dataDir, 'agent'),
    runDir: String(settings['run-dir']),
    podLogsDir: String(settings['pod-logs-dir']),
    programs: () => bundledPrograms('node', join(dataDir, 'programs')),
    ...(endpoint === undefined ? {} : { runtimeEndpoint: endpoint }),
    ...(pauseImage === undefined ? {} : { pauseImage }),
    sharedShim: (settings['shared-shim'] as boolean | undefined) ?? totalmem() < sharedShimBelowBytes,
    kubeletPort: Number(settings['kubelet-port']),
    nodeExternalIps: settings['node-external-ip'] === undefined ? [] : [String(settings['node-external-ip'])],
    nodeLabels: Object.fromEntries(list(settings, 'node-label').map(parseLabel)),
    nodeTaints: list(settings, 'node-taint').map(parseTaint),
    networkBackend: backend,
    resolvConf: String(settings['resolv-conf']),
    cgroupRoot: String(settings['cgroup-root']),
    proxyEnvironment: proxies(environment),
  };
}

/** The address of this machine for others. */
export function nodeIp(settings: Settings): string {
  const address = (settings['node-ip'] as string | undefined) ?? defaultAddress();
  if (!address) throw new UsageError('this machine has no network address yet: connect it, or set --node-ip');
  return address;
}

/** A node's name is a DNS name; host names with capitals or underscores are common and are changed, as kubelet does. */
export function nodeName(settings: Settings): string {
  const name = String(settings['node-name'] ?? hostname()).toLowerCase();
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(name) || name.length > 253) {
    throw new UsageError(
      `${JSON.stringify(name)} cannot be the name of a node: use lower-case letters, digits, "-" and ".", e.g. --node-name pi1`,
    );
  }
  return name;
}

/** The token of --token, or the first line of --token-file. */
export function joinToken(settings: Settings): string | undefined {
  if (settings['token'] !== undefined) return String(settings['token']).trim();
  if (settings['token-file'] === undefined) return undefined;
  try {
    return readFileSync(String(settings['token-file']), 'utf8').trim();
  } catch (cause) {
    throw new UsageError(`the token file cannot be read: ${(cause as Error).message}`);
  }
}

function list(settings: Settings, name: string): readonly string[] {
  return (settings[name] as readonly string[] | undefined) ?? [];
}

function parseLabel(text: string): [key: string, value: string] {
  const match = /^([^=\s]+)=([^=\s]*)$/.exec(text);
  if (!match) throw new UsageError(`--node-label must look like key=value, not ${JSON.stringify(text)}`);
  return [match[1]!, match[2]!];
}

function parseTaint(text: string): Taint {
  const match = /^([^=:\s]+)(?:=([^:\s]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text);
  if (!match) throw new UsageError(`--node-taint must look like key=value:NoSchedule, not ${JSON.stringify(text)}`);
  return { key: match[1]!, effect: match[3]!, ...(match[2] ? { value: match[2] } : {}) };
}

function proxies(environment: Environment): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'];
  return Object.fromEntries(names.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])));
}
