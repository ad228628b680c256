import type { Pod } from '../../api/generated/types.ts';

export interface DnsConfig {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly string[];
}

export interface ClusterDns {
  readonly servers: readonly string[];
  readonly domain: string;
}

const maxNameservers = 3;
const maxSearches = 32;

/** Reads the lines of a resolv.conf. */
export function parseResolvConf(text: string): DnsConfig {
  const servers: string[] = [];
  let searches: string[] = [];
  let options: string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...values] = line
      .replace(/[#;].*$/, '')
      .trim()
      .split(/\s+/);
    if (word === 'nameserver' && values[0]) servers.push(values[0]);
    else if (word === 'search') searches = values;
    else if (word === 'domain' && searches.length === 0) searches = values.slice(0, 1);
    else if (word === 'options') options = values;
  }
  return { servers, searches: searches.filter((s) => s !== '.'), options };
}

/**
 * What a pod's resolv.conf holds. Rule: kubernetes.io/docs/concepts/services-networking/dns-pod-service/#pod-s-dns-policy;
 * ClusterFirst of a pod on the host network means the host's own DNS.
 */
export function podDns(pod: Pod, host: DnsConfig, cluster: ClusterDns): DnsConfig {
  const base = basis(pod, host, cluster);
  const extra = pod.spec.dnsConfig;
  if (!extra) return base;
  const unique = (values: readonly string[]): string[] => [...new Set(values)];
  const options = new Map(base.options.map((o) => [o.split(':')[0]!, o]));
  for (const { name = '', value } of extra.options ?? []) options.set(name, value === undefined ? name : `${name}:${value}`);
  return {
    servers: unique([...base.servers, ...(extra.nameservers ?? [])]).slice(0, maxNameservers),
    searches: unique([...base.searches, ...(extra.searches ?? [])]).slice(0, maxSearches),
    options: [...options.values()],
  };
}

function basis(pod: Pod, host: DnsConfig, cluster: ClusterDns): DnsConfig {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (policy === 'None') return { servers: [], searches: [], options: [] };
  const isCluster = policy === 'ClusterFirstWithHostNet' || (policy === 'ClusterFirst' && !pod.spec.hostNetwork);
  if (!isCluster || cluster.servers.length === 0) return { ...host, servers: host.servers.slice(0, maxNameservers) };
  const { domain } = cluster;
  const own = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return {
    servers: cluster.servers.slice(0, maxNameservers),
    searches: [...new Set([...own, ...host.searches])].slice(0, maxSearches),
    options: ['ndots:5'],
  };
}
