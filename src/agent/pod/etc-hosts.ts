import type { HostAlias } from '../../api/generated/types.ts';

const header = '# Kubernetes-managed hosts file.';
const hostNetworkHeader = '# Kubernetes-managed hosts file (host network).';

/** The /etc/hosts of a pod's containers. `hostFile` is the node's own file, used on the host network. */
export function etcHosts(pod: {
  ips: readonly string[];
  hostname: string;
  domain?: string;
  aliases: readonly HostAlias[];
  hostFile?: string;
}): string {
  const own =
    pod.hostFile === undefined
      ? [
          header,
          '127.0.0.1\tlocalhost',
          '::1\tlocalhost ip6-localhost ip6-loopback',
          'fe00::0\tip6-localnet',
          'fe00::0\tip6-mcastprefix',
          'fe00::1\tip6-allnodes',
          'fe00::2\tip6-allrouters',
          ...pod.ips.map((ip) =>
            pod.domain ? `${ip}\t${pod.hostname}.${pod.domain}\t${pod.hostname}` : `${ip}\t${pod.hostname}`,
          ),
          '',
        ].join('\n')
      : `${hostNetworkHeader}\n${pod.hostFile}`;
  if (pod.aliases.length === 0) return own;
  const aliases = pod.aliases.map((a) => `${a.ip}\t${(a.hostnames ?? []).join('\t')}\n`).join('');
  return `${own}\n# Entries added by HostAliases.\n${aliases}`;
}
