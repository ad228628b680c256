import { ConfigMap } from '../../../api/kinds/core/config-map.ts';
import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { isStatus } from '../../../api/status-error.ts';
import { type ControllerDefinition, defineController } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';

const configMapName = 'kube-root-ca.crt';
const description = {
  'kubernetes.io/description':
    'Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.',
};

/** Puts the cluster's authority (PEM) into every namespace, where pods' service account volumes find it. */
export function rootCaPublisher(rootCa: string): ControllerDefinition {
  return defineController({
    name: 'root-ca-cert-publisher',
    account: 'root-ca-cert-publisher',
    watches: [
      primary(Namespace),
      mapped(ConfigMap, ({ metadata }) => [metadata.namespace ?? ''], {
        scope: { fieldSelector: `metadata.name=${configMapName}` },
      }),
    ],
    async reconcile(namespace, { client, informer }) {
      const owner = informer(Namespace).get(namespace);
      if (!owner || owner.metadata.deletionTimestamp !== undefined) return;
      const existing = informer(ConfigMap).get(`${namespace}/${configMapName}`);
      const data = { 'ca.crt': rootCa };
      if (!existing) {
        try {
          await client.create(ConfigMap, { metadata: { namespace, name: configMapName, annotations: description }, data });
        } catch (error) {
          if (!isStatus(error, 'AlreadyExists')) throw error;
        }
      } else if (!equalJson(existing.data, data)) {
        const metadata = { ...existing.metadata, annotations: { ...existing.metadata.annotations, ...description } };
        await client.update(ConfigMap, { ...existing, metadata, data });
      }
    },
  });
}
