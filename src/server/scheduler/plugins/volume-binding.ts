import type { PersistentVolume } from '../../../api/kinds/core/persistent-volume.ts';
import type { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { matchesNodeSelector, type SelectableNode } from '../../../api/node-selector.ts';
import { claimNames } from '../../../api/pod-claims.ts';
import { storageClassOf } from '../../../api/storage-class-name.ts';
import { findVolume } from '../../../api/volume-match.ts';
import type { FilterPlugin, NodeFilter, Rejection, Snapshot } from '../framework.ts';

const regionAndZone = ['topology.kubernetes.io/zone', 'topology.kubernetes.io/region'];

const noProvisioner = 'kubernetes.io/no-provisioner';

/** The volume an unbound claim would get on a node. */
export function volumeFor(
  claim: PersistentVolumeClaim,
  volumes: readonly PersistentVolume[],
  node: SelectableNode,
): PersistentVolume | undefined {
  return findVolume(
    claim,
    volumes.filter((volume) => reaches(node, volume)),
  );
}

/** Bound volumes tie a pod to the nodes that can reach them; unbound claims must be of a class that waits for the first consumer. */
export const volumeBinding: FilterPlugin = {
  name: 'VolumeBinding',
  wokenBy: ['Volume', 'NodeAdd', 'NodeUpdate'],
  prepare(pod, snapshot) {
    const names = claimNames(pod);
    if (names.length === 0) return undefined;
    const filters: NodeFilter[] = [];
    for (const name of names) {
      const claim = snapshot.claims.get(`${pod.metadata.namespace}/${name}`);
      const verdict = judgeClaim(name, claim, snapshot);
      if (typeof verdict === 'function') filters.push(verdict);
      else if (verdict) return verdict;
    }
    return (node) => firstRejection(filters, node);
  },
};

function firstRejection(filters: readonly NodeFilter[], node: Parameters<NodeFilter>[0]): Rejection | undefined {
  for (const filter of filters) {
    const rejection = filter(node);
    if (rejection) return rejection;
  }
  return undefined;
}

function judgeClaim(
  name: string,
  claim: PersistentVolumeClaim | undefined,
  snapshot: Snapshot,
): NodeFilter | Rejection | undefined {
  if (!claim) return never(`persistentvolumeclaim "${name}" not found`);
  if (claim.status.phase === 'Lost')
    return never(`persistentvolumeclaim "${name}" bound to non-existent persistentvolume "${claim.spec.volumeName}"`);
  if (claim.metadata.deletionTimestamp !== undefined) return never(`persistentvolumeclaim "${name}" is being deleted`);
  const { volumeName } = claim.spec;
  if (!volumeName) {
    const storageClass = snapshot.storageClasses.get(storageClassOf(claim));
    if (storageClass?.volumeBindingMode !== 'WaitForFirstConsumer')
      return never('pod has unbound immediate PersistentVolumeClaims');
    // Without a provisioner one of the volumes that exist must be reachable; with one, a volume will be made where the pod goes.
    if (storageClass.provisioner !== noProvisioner) return undefined;
    const volumes = snapshot.volumes.list();
    return (node) =>
      volumeFor(claim, volumes, node) ? undefined : { reasons: ["node(s) didn't find available persistent volumes to bind"] };
  }
  const volume = snapshot.volumes.get(volumeName);
  if (!volume) return never('node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)');
  return (node) =>
    reaches(node, volume)
      ? undefined
      : { reasons: ["node(s) didn't match PersistentVolume's node affinity"], unresolvable: true };
}

function reaches(node: SelectableNode, volume: PersistentVolume): boolean {
  if (!matchesNodeSelector(volume.spec.nodeAffinity?.required, node)) return false;
  return regionAndZone.every((label) => {
    const zones = volume.metadata.labels?.[label];
    return zones === undefined || node.labels[label] === undefined || zones.split('__').includes(node.labels[label]);
  });
}

function never(reason: string): Rejection {
  return { reasons: [reason], unresolvable: true };
}
