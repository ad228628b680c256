import type { Pod } from './kinds/core/pod.ts';

/** Names of the claims a pod mounts, generic ephemeral volumes' claims too (they are named after pod and volume). */
export function claimNames(pod: Pod): string[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => {
    if (volume.persistentVolumeClaim) return [volume.persistentVolumeClaim.claimName];
    return volume.ephemeral ? [`${pod.metadata.name}-${volume.name}`] : [];
  });
}
