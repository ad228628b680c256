import { Node } from '../../api/kinds/core/node.ts';
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import type { Pod } from '../../api/kinds/core/pod.ts';
import { claimNames } from '../../api/pod-claims.ts';
import type { Client } from '../../client/client.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Clock } from '../../lib/clock.ts';
import { volumeFor } from './plugins/volume-binding.ts';

/** Tells a provisioner for which node a volume is wanted. */
const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node';
/** How long provisioning may take before the pod is scheduled anew. */
const provisioningPatienceMs = 10 * 60_000;

/**
 * Claims that wait for their first consumer are told the node; resolves when all of the pod's claims are bound. Rejects when that takes
 * too long or the scheduler stops.
 */
export async function bindClaims(options: {
  client: Client;
  informers: InformerFactory;
  clock: Clock;
  pod: Pod;
  nodeName: string;
  aborts: Set<() => void>;
}): Promise<void> {
  const { client, informers, pod, nodeName } = options;
  const namespace = pod.metadata.namespace ?? '';
  const claims = informers.get(PersistentVolumeClaim);
  const unbound = claimNames(pod).filter((name) => !claims.get(`${namespace}/${name}`)?.spec.volumeName);
  if (unbound.length === 0) return;
  for (const name of unbound) {
    const claim = claims.get(`${namespace}/${name}`);
    if (claim) await reserve(claim, options);
    const body = { metadata: { annotations: { [selectedNodeAnnotation]: nodeName } } };
    await client.patch(PersistentVolumeClaim, { namespace, name }, { type: 'merge', body });
  }
  await allBound(options, unbound);
}

/** A volume that exists where the pod goes is kept for the claim; the binder does the rest. */
async function reserve(
  claim: PersistentVolumeClaim,
  { client, informers, nodeName }: { client: Client; informers: InformerFactory; nodeName: string },
): Promise<void> {
  const labels = informers.get(Node).get(nodeName)?.metadata.labels ?? {};
  const volume = volumeFor(claim, informers.get(PersistentVolume).list(), { name: nodeName, labels });
  if (!volume || volume.spec.claimRef) return;
  const { namespace = '', name, uid } = claim.metadata;
  const claimRef = { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid };
  await client.update(PersistentVolume, { ...volume, spec: { ...volume.spec, claimRef } });
}

function allBound(
  { informers, clock, pod, aborts }: { informers: InformerFactory; clock: Clock; pod: Pod; aborts: Set<() => void> },
  names: readonly string[],
): Promise<void> {
  const claims = informers.get(PersistentVolumeClaim);
  const namespace = pod.metadata.namespace ?? '';
  const missing = (): string | undefined =>
    names.find((name) => {
      const claim = claims.get(`${namespace}/${name}`);
      return !claim?.spec.volumeName || claim.status.phase !== 'Bound';
    });
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      cancelTimer();
      stopListening();
      aborts.delete(abort);
      if (error) reject(error);
      else resolve();
    };
    const abort = (): void => settle(new Error('the scheduler is stopping'));
    const stopListening = claims.onProgress(() => {
      if (missing() === undefined) settle();
    });
    const cancelTimer = clock.after(provisioningPatienceMs, () =>
      settle(new Error(`no volume was provided for the claim ${missing()} within ${provisioningPatienceMs / 60_000} minutes`)),
    );
    aborts.add(abort);
    if (missing() === undefined) settle();
  });
}
