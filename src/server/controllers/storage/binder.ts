import { PersistentVolume } from '../../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { StorageClass } from '../../../api/kinds/storage/storage-class.ts';
import { apiVersionOf, keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { storageClassOf } from '../../../api/storage-class-name.ts';
import { timestamp } from '../../../api/timestamp.ts';
import { findVolume, isFor } from '../../../api/volume-match.ts';
import { defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { mapped, primary } from '../../../reconcile/watches.ts';

const bindCompleted = 'pv.kubernetes.io/bind-completed';
const boundByController = 'pv.kubernetes.io/bound-by-controller';
const selectedNode = 'volume.kubernetes.io/selected-node';
const provisionerAnnotations = ['volume.kubernetes.io/storage-provisioner', 'volume.beta.kubernetes.io/storage-provisioner'];
const noProvisioner = 'kubernetes.io/no-provisioner';

/**
 * Binds claims to volumes and keeps the phases of both (upstream: pkg/controller/volume/persistentvolume). Keys with a slash are claims, the
 * others volumes. Volumes are made and unmade by provisioners, which are told what to do by annotations.
 */
export const volumeBinder = defineController({
  name: 'persistentvolume-binder',
  account: 'persistent-volume-binder',
  watches: [
    primary(PersistentVolumeClaim),
    primary(PersistentVolume),
    mapped(PersistentVolumeClaim, (claim) => (claim.spec.volumeName ? [claim.spec.volumeName] : [])),
    mapped(PersistentVolume, (volume, informer) => {
      const ref = volume.spec.claimRef;
      if (ref) return [`${ref.namespace}/${ref.name}`];
      return informer(PersistentVolumeClaim)
        .list()
        .filter((claim) => !claim.spec.volumeName || claim.spec.volumeName === volume.metadata.name)
        .map(keyOf);
    }),
    mapped(StorageClass, (storageClass, informer) =>
      informer(PersistentVolumeClaim)
        .list()
        .filter((c) => !c.spec.volumeName && storageClassOf(c) === storageClass.metadata.name)
        .map(keyOf),
    ),
  ],
  // One at a time: two claims must not get one volume.
  concurrency: 1,
  async reconcile(key, context) {
    const { informer } = context;
    if (key.includes('/')) {
      const claim = informer(PersistentVolumeClaim).get(key);
      if (claim) await followClaim(claim, context);
      return;
    }
    const volume = informer(PersistentVolume).get(key);
    if (volume) await followVolume(volume, context);
  },
});

async function followClaim(claim: PersistentVolumeClaim, context: ReconcileContext): Promise<void> {
  const volumes = context.informer(PersistentVolume);
  if (claim.spec.volumeName) {
    const volume = volumes.get(claim.spec.volumeName);
    if (volume && (!volume.spec.claimRef || isFor(volume, claim))) await bind(claim, volume, context);
    else if (claim.metadata.annotations?.[bindCompleted]) await lose(claim, context);
    else await writeClaimPhase(claim, 'Pending', context);
    return;
  }
  const storageClass = context.informer(StorageClass).get(storageClassOf(claim));
  const reserved = volumes.list().find((volume) => isFor(volume, claim));
  const waits = storageClass?.volumeBindingMode === 'WaitForFirstConsumer' && !claim.metadata.annotations?.[selectedNode];
  if (waits && !reserved) {
    context.events.event(claim, 'Normal', 'WaitForFirstConsumer', 'waiting for first consumer to be created before binding');
    await writeClaimPhase(claim, 'Pending', context);
    return;
  }
  const volume = findVolume(claim, volumes.list());
  if (volume) await bind(claim, volume, context);
  else await askForVolume(claim, storageClass, context);
}

async function askForVolume(
  claim: PersistentVolumeClaim,
  storageClass: StorageClass | undefined,
  context: ReconcileContext,
): Promise<void> {
  const { client, events } = context;
  const provisioner = storageClass?.provisioner;
  let current = claim;
  if (!provisioner || provisioner === noProvisioner) {
    const why = storageClassOf(claim) ? '' : ' and no storage class is set';
    events.event(claim, 'Normal', 'FailedBinding', `no persistent volumes available for this claim${why}`);
  } else {
    const annotations = {
      ...claim.metadata.annotations,
      ...Object.fromEntries(provisionerAnnotations.map((name) => [name, provisioner])),
    };
    if (!equalJson(annotations, claim.metadata.annotations)) {
      current = await client.update(PersistentVolumeClaim, { ...claim, metadata: { ...claim.metadata, annotations } });
    }
    const message = `Waiting for a volume to be created either by the external provisioner '${provisioner}' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.`;
    events.event(claim, 'Normal', 'ExternalProvisioning', message);
  }
  await writeClaimPhase(current, 'Pending', context);
}

/** Volume first: once its claimRef is written nobody else can have it; every step may be repeated. */
async function bind(claim: PersistentVolumeClaim, volume: PersistentVolume, context: ReconcileContext): Promise<void> {
  const { client } = context;
  const { namespace = '', name, uid, resourceVersion } = claim.metadata;
  let bound = volume;
  if (volume.spec.claimRef?.uid !== uid) {
    const claimRef = {
      kind: 'PersistentVolumeClaim',
      apiVersion: apiVersionOf(PersistentVolumeClaim),
      namespace,
      name,
      uid,
      resourceVersion,
    };
    const annotations = volume.spec.claimRef
      ? volume.metadata.annotations
      : { ...volume.metadata.annotations, [boundByController]: 'yes' };
    const metadata = { ...volume.metadata, ...(annotations ? { annotations } : {}) };
    bound = await client.update(PersistentVolume, { ...volume, metadata, spec: { ...volume.spec, claimRef } });
  }
  await writeVolumePhase(bound, 'Bound', context);
  let current = claim;
  if (!claim.spec.volumeName || !claim.metadata.annotations?.[bindCompleted]) {
    const annotations = {
      ...claim.metadata.annotations,
      [bindCompleted]: 'yes',
      ...(claim.spec.volumeName ? {} : { [boundByController]: 'yes' }),
    };
    const metadata = { ...claim.metadata, annotations };
    current = await client.update(PersistentVolumeClaim, {
      ...claim,
      metadata,
      spec: { ...claim.spec, volumeName: volume.metadata.name },
    });
  }
  const { accessModes, capacity, volumeAttributesClassName } = bound.spec;
  const status = {
    ...current.status,
    phase: 'Bound',
    ...(accessModes ? { accessModes } : {}),
    ...(current.status.phase === 'Bound' && current.status.capacity ? {} : capacity ? { capacity } : {}),
    // Later it changes when the volume's driver has changed the volume.
    ...(current.status.phase === 'Pending' && volumeAttributesClassName
      ? { currentVolumeAttributesClassName: volumeAttributesClassName }
      : {}),
  };
  if (!equalJson(status, current.status))
    await client.update(PersistentVolumeClaim, { ...current, status }, { subresource: 'status' });
}

async function lose(claim: PersistentVolumeClaim, context: ReconcileContext): Promise<void> {
  if (claim.status.phase === 'Lost') return;
  const message = 'Bound claim has lost its PersistentVolume. Data on the volume is lost!';
  context.events.event(claim, 'Warning', 'ClaimLost', message);
  await writeClaimPhase(claim, 'Lost', context);
}

async function followVolume(volume: PersistentVolume, context: ReconcileContext): Promise<void> {
  const ref = volume.spec.claimRef;
  if (!ref) {
    await writeVolumePhase(volume, 'Available', context);
    return;
  }
  const claim = context.informer(PersistentVolumeClaim).get(`${ref.namespace}/${ref.name}`);
  if (claim && isFor(volume, claim)) {
    if (claim.spec.volumeName === volume.metadata.name) await writeVolumePhase(volume, 'Bound', context);
    else if (!volume.status.phase) await writeVolumePhase(volume, 'Available', context);
    return;
  }
  // Reserved for a claim that has not come yet, or left behind by one that is gone.
  await writeVolumePhase(volume, ref.uid ? 'Released' : 'Available', context);
}

async function writeVolumePhase(volume: PersistentVolume, phase: string, { client, clock }: ReconcileContext): Promise<void> {
  if (volume.status.phase === phase) return;
  const status = { ...volume.status, phase, lastPhaseTransitionTime: timestamp(clock.now()) };
  await client.update(PersistentVolume, { ...volume, status }, { subresource: 'status' });
}

/** Of a claim that has no volume, or none any more: what the volume had does not count. */
async function writeClaimPhase(claim: PersistentVolumeClaim, phase: string, { client }: ReconcileContext): Promise<void> {
  const { accessModes: _modes, capacity: _capacity, ...rest } = claim.status;
  const status = { ...rest, phase };
  if (equalJson(status, claim.status)) return;
  await client.update(PersistentVolumeClaim, { ...claim, status }, { subresource: 'status' });
}
