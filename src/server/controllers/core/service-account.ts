import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import { isStatus } from '../../../api/status-error.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';

const defaultName = 'default';

/** Gives every namespace a ServiceAccount `default`, and again when someone deletes it. */
export const serviceAccountController = defineController({
  name: 'service-account',
  watches: [
    primary(Namespace),
    mapped(ServiceAccount, ({ metadata }) => (metadata.name === defaultName ? [metadata.namespace ?? ''] : []), {
      changed: () => false,
    }),
  ],
  async reconcile(namespace, { client, informer }) {
    const owner = informer(Namespace).get(namespace);
    if (!owner || owner.metadata.deletionTimestamp !== undefined) return;
    if (informer(ServiceAccount).get(`${namespace}/${defaultName}`)) return;
    try {
      await client.create(ServiceAccount, { metadata: { namespace, name: defaultName } });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  },
});
