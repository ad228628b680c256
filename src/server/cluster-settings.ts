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

/** Publishes the settings of the cluster where nodes may read them. */
export async function ensureClusterSettings(settings: ClusterSettings, client: Client): Promise<void> {
  const { namespace, name } = clusterSettingsKey;
  const roleMetadata = { namespace, name: roleName };
  await Promise.all([
    ensure(client, ConfigMap, { metadata: { namespace, name }, data: encodeClusterSettings(settings) }),
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
