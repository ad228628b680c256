import { parse } from 'yaml';
import type { Credentials } from './credentials.ts';

/** What a kubeconfig says about one context. */
export interface KubeconfigContext {
  readonly server: string;
  /** PEM. */
  readonly ca?: string;
  readonly credentials: Credentials;
  readonly namespace: string;
  readonly serverName?: string;
}

interface Named<T> {
  readonly name: string;
  readonly context?: T;
  readonly cluster?: T;
  readonly user?: T;
}
type Fields = Readonly<Record<string, unknown>>;
interface Document {
  readonly 'current-context'?: string;
  readonly contexts?: readonly Named<Fields>[];
  readonly clusters?: readonly Named<Fields>[];
  readonly users?: readonly Named<Fields>[];
}

/**
 * Reads a kubeconfig. `readFile` resolves the files it refers to, by path as written. Throws an error for a person when something is missing
 * or is of a form that only kubectl can run (exec plugins).
 */
export function readKubeconfig(
  text: string,
  options: { context?: string; readFile: (path: string) => string },
): KubeconfigContext {
  const document = (parse(text) ?? {}) as Document;
  const contextName = options.context ?? document['current-context'];
  if (!contextName) throw new Error('the kubeconfig names no current-context: choose one with --context');
  const context = find(document.contexts, contextName, 'context').context ?? {};
  const cluster = find(document.clusters, String(context['cluster']), 'cluster').cluster ?? {};
  const user = context['user'] ? (find(document.users, String(context['user']), 'user').user ?? {}) : {};
  const server = cluster['server'];
  if (typeof server !== 'string') throw new Error(`the cluster of the context ${contextName} has no server in the kubeconfig`);
  const ca = textOf(cluster, 'certificate-authority', options.readFile);
  const serverName = cluster['tls-server-name'];
  return {
    server,
    ...(ca ? { ca } : {}),
    credentials: credentialsFrom(user, options.readFile),
    namespace: String(context['namespace'] ?? 'default'),
    ...(typeof serverName === 'string' ? { serverName } : {}),
  };
}

function find(entries: readonly Named<Fields>[] | undefined, name: string, what: string): Named<Fields> {
  const entry = entries?.find((e) => e.name === name);
  if (!entry) throw new Error(`the kubeconfig has no ${what} named ${name}`);
  return entry;
}

function credentialsFrom(user: Fields, readFile: (path: string) => string): Credentials {
  if (user['exec']) throw new Error('the kubeconfig asks for a credential plugin (exec), which only kubectl can run');
  const certificate = textOf(user, 'client-certificate', readFile);
  const key = textOf(user, 'client-key', readFile);
  const tokenFile = user['tokenFile'];
  const token = typeof tokenFile === 'string' ? readFile(tokenFile).trim() : user['token'];
  return { ...(certificate && key ? { certificate, key } : {}), ...(typeof token === 'string' && token ? { token } : {}) };
}

/** `<field>-data` in base64 wins over the file named by `<field>`. */
function textOf(fields: Fields, field: string, readFile: (path: string) => string): string | undefined {
  const data = fields[`${field}-data`];
  if (typeof data === 'string') return Buffer.from(data, 'base64').toString('utf8');
  const path = fields[field];
  return typeof path === 'string' ? readFile(path) : undefined;
}
