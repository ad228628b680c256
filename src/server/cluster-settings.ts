import { type ClusterSettings, clusterSettingsKey, encodeClusterSettings } from '../api/cluster-settings.ts';
import type { Kind } from '../api/kind.ts';
import { ConfigMap } from '../api/kinds/core/config-map.ts';
import { Role } from '../api/kinds/rbac/role.ts';
import { RoleBinding } from '../api/kinds/rbac/role-binding.ts';
import type { KubeObject, NewObject } from '../api/meta.ts';
import { isStatus } from '../api/status-error.ts';
import type { Client } from '../client/client.ts';
import { nodesGroup } from './auth/user-names.ts';

const roleName = 'skiff:cluster-settings';

/** PEM of the authorities behind what this server accepts as proof of who somebody is. */
interface Authorities {
  readonly clients: string;
  readonly frontProxies: string;
}

/** What servers behind this one need to believe it (kubernetes: pkg/controlplane/controller/clusterauthenticationtrust). */
function authenticationDocument({ clients, frontProxies }: Authorities): Record<string, string> {
  return {
    'client-ca-file': clients,
    'requestheader-client-ca-file': frontProxies,
    'requestheader-allowed-names': '["front-proxy-client"]',
    'requestheader-username-headers': '["X-Remote-User"]',
    'requestheader-uid-headers': '["X-Remote-Uid"]',
    'requestheader-group-headers': '["X-Remote-Group"]',
    'requestheader-extra-headers-prefix': '["X-Remote-Extra-"]',
  };
}

/** Publishes the settings of the cluster where nodes may read them, and its authorities where servers behind this one look for them. */
export async function ensureClusterSettings(settings: ClusterSettings, authorities: Authorities, client: Client): Promise<void> {
  const { namespace, name } = clusterSettingsKey;
  const roleMetadata = { namespace, name: roleName };
  await Promise.all([
    ensure(client, ConfigMap, { metadata: { namespace, name }, data: encodeClusterSettings(settings) }),
    ensure(client, ConfigMap, {
      metadata: { namespace: 'kube-system', name: 'extension-apiserver-authentication' },
      data: authenticationDocument(authorities),
    }),
    ensure(client, Role, {
      metadata: roleMetadata,
      rules: [{ apiGroups: [''], resources: ['configmaps'], resourceNames: [name], verbs: ['get'] }],
    }),
    ensure(client, RoleBinding, {
      metadata: roleMetadata,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: roleName },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: nodesGroup }],
    }),
  ]);
}

/** Creates the object, or gives an existing one these contents; the same contents again write nothing. */
async function ensure<T extends KubeObject>(client: Client, kind: Kind<T>, object: NewObject<T>): Promise<void> {
  try {
    await client.create(kind, object);
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error;
    const { metadata, ...contents } = object as unknown as NewObject<KubeObject>;
    const key = { name: metadata.name!, ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }) };
    await client.patch(kind, key, { type: 'merge', body: contents });
  }
}
