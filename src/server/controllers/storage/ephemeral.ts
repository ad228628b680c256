import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { isStatus } from '../../../api/status-error.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { controllerReference } from '../../../reconcile/owners.ts';
import { ownedBy, primary } from '../../../reconcile/watches.ts';
import { isTerminal } from '../support/pods.ts';

/** Makes the claims of generic ephemeral volumes; each belongs to its pod and goes with it. */
export const ephemeralVolumeController = defineController({
  name: 'ephemeral-volume',
  watches: [primary(Pod, { changed: () => false }), ownedBy(PersistentVolumeClaim, Pod, { changed: () => false })],
  async reconcile(key, { client, informer }) {
    const pod = informer(Pod).get(key);
    if (!pod || pod.metadata.deletionTimestamp !== undefined || isTerminal(pod)) return;
    const { namespace = '', name } = pod.metadata;
    for (const volume of pod.spec.volumes ?? []) {
      const template = volume.ephemeral?.volumeClaimTemplate;
      const claimName = `${name}-${volume.name}`;
      if (!template || informer(PersistentVolumeClaim).get(`${namespace}/${claimName}`)) continue;
      const { labels, annotations } = template.metadata ?? {};
      const ownerReferences = [controllerReference(Pod, pod)];
      const metadata = {
        namespace,
        name: claimName,
        ownerReferences,
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      };
      try {
        await client.create(PersistentVolumeClaim, { metadata, spec: structuredClone(template.spec) });
      } catch (error) {
        if (!isStatus(error, 'AlreadyExists')) throw error;
      }
    }
  },
});
