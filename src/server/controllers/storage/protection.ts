import type { Kind } from '../../../api/kind.ts';
import { PersistentVolume } from '../../../api/kinds/core/persistent-volume.ts';
import { attributesClassesOf, PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { VolumeAttributesClass } from '../../../api/kinds/storage/volume-attributes-class.ts';
import type { KubeObject } from '../../../api/meta.ts';
import { claimNames } from '../../../api/pod-claims.ts';
import type { Client } from '../../../client/client.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';
import { isTerminal } from '../support/pods.ts';

const claimFinalizer = 'kubernetes.io/pvc-protection';
const volumeFinalizer = 'kubernetes.io/pv-protection';
const classFinalizer = 'kubernetes.io/vac-protection';

/** Whether the object waits for this finalizer to be taken off. */
function isHeld<T extends KubeObject>(object: T | undefined, finalizer: string): object is T {
  return object?.metadata.deletionTimestamp !== undefined && object.metadata.finalizers?.includes(finalizer) === true;
}

async function letGo<T extends KubeObject>(client: Client, kind: Kind<T>, object: T, finalizer: string): Promise<void> {
  const finalizers = object.metadata.finalizers?.filter((f) => f !== finalizer) ?? [];
  await client.update(kind, { ...object, metadata: { ...object.metadata, finalizers } });
}

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
    if (!isHeld(claim, claimFinalizer)) return;
    const pods = informer(Pod).list(claim.metadata.namespace);
    const isUsed = pods.some((pod) => !isTerminal(pod) && pod.spec.nodeName && claimNames(pod).includes(claim.metadata.name));
    if (!isUsed) await letGo(client, PersistentVolumeClaim, claim, claimFinalizer);
  },
});

/** A volume that is being deleted goes when no claim is bound to it. */
export const volumeProtectionController = defineController({
  name: 'pv-protection',
  watches: [primary(PersistentVolume, { changed: (next) => next.metadata.deletionTimestamp !== undefined })],
  async reconcile(key, { client, informer }) {
    const volume = informer(PersistentVolume).get(key);
    if (!isHeld(volume, volumeFinalizer) || volume.status.phase === 'Bound') return;
    await letGo(client, PersistentVolume, volume, volumeFinalizer);
  },
});

/** A class of volume attributes that is being deleted goes when no claim and no volume names it. */
export const attributesClassProtectionController = defineController({
  name: 'volumeattributesclass-protection',
  watches: [
    primary(VolumeAttributesClass, { changed: (next) => next.metadata.deletionTimestamp !== undefined }),
    mapped(PersistentVolumeClaim, attributesClassesOf),
    mapped(PersistentVolume, classesOfVolume),
  ],
  async reconcile(name, { client, informer }) {
    const attributesClass = informer(VolumeAttributesClass).get(name);
    if (!isHeld(attributesClass, classFinalizer)) return;
    const isUsed =
      informer(PersistentVolumeClaim)
        .list()
        .some((claim) => attributesClassesOf(claim).includes(name)) ||
      informer(PersistentVolume)
        .list()
        .some((volume) => classesOfVolume(volume).includes(name));
    if (!isUsed) await letGo(client, VolumeAttributesClass, attributesClass, classFinalizer);
  },
});

function classesOfVolume({ spec }: PersistentVolume): string[] {
  return spec.volumeAttributesClassName ? [spec.volumeAttributesClassName] : [];
}
