import { PersistentVolume } from '../../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { claimNames } from '../../../api/pod-claims.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { isTerminal } from '../support/pods.ts';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';

/** A claim that is being deleted goes when no pod uses it any more. */
export const claimProtectionController = defineController({
  name: 'pvc-protection',
  watches: [
    primary(PersistentVolumeClaim, { changed: (next) => next.metadata.deletionTimestamp !== undefined }),
    mapped(Pod, (pod) => claimNames(pod).map((name) => `${pod.metadata.namespace}/${name}`), {
      changed: (next, previous) => isTerminal(next) !== isTerminal(previous),
    }),
  ],
  async reconcile(key, { client, informer }) {
    const claim = informer(PersistentVolumeClaim).get(key);
    if (claim?.metadata.deletionTimestamp === undefined || !claim.metadata.finalizers?.includes(claimFinalizer)) return;
    const pods = informer(Pod).list(claim.metadata.namespace);
    const isUsed = pods.some((pod) => !isTerminal(pod) && pod.spec.nodeName && claimNames(pod).includes(claim.metadata.name));
    if (isUsed) return;
    const finalizers = claim.metadata.finalizers.filter((f) => f !== claimFinalizer);
    await client.update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, finalizers } });
  },
});

/** A volume that is being deleted goes when no claim is bound to it. */
export const volumeProtectionController = defineController({
  name: 'pv-protection',
  watches: [primary(PersistentVolume, { changed: (next) => next.metadata.deletionTimestamp !== undefined })],
  async reconcile(key, { client, informer }) {
    const volume = informer(PersistentVolume).get(key);
    if (volume?.metadata.deletionTimestamp === undefined || !volume.metadata.finalizers?.includes(volumeFinalizer)) return;
    if (volume.status.phase === 'Bound') return;
    const finalizers = volume.metadata.finalizers.filter((f) => f !== volumeFinalizer);
    await client.update(PersistentVolume, { ...volume, metadata: { ...volume.metadata, finalizers } });
  },
});
