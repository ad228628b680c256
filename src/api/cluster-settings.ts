/** What every node must know of the cluster, published by the server in a ConfigMap of kube-system that nodes may read. */
export interface ClusterSettings {
  /** Addresses of pods. */
  readonly clusterCidr: string;
  /** Addresses of services. */
  readonly serviceCidr: string;
  /** Where pods ask for names. */
  readonly clusterDns: string;
  readonly clusterDomain: string;
}

/** Where the settings are published. */
export const clusterSettingsKey = { namespace: 'kube-system', name: 'skiff-cluster' } as const;

/** The `data` of the ConfigMap. */
export function encodeClusterSettings(settings: ClusterSettings): Record<string, string> {
  return { ...settings };
}

/** The inverse; throws when something is missing, which names a server of another version. */
export function decodeClusterSettings(data: Readonly<Record<string, string | undefined>> | undefined): ClusterSettings {
  const value = (name: keyof ClusterSettings): string => {
    const text = data?.[name];
    if (!text)
      throw new Error(
        `the ConfigMap ${clusterSettingsKey.namespace}/${clusterSettingsKey.name} has no ${name}: is the server of the same version?`,
      );
    return text;
  };
  return {
    clusterCidr: value('clusterCidr'),
    serviceCidr: value('serviceCidr'),
    clusterDns: value('clusterDns'),
    clusterDomain: value('clusterDomain'),
  };
}
