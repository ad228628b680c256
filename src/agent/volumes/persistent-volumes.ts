import type { Pod, Volume } from '../../api/generated/types.ts';
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import type { Client } from '../../client/client.ts';
import { prepareHostPath } from './host-path.ts';

/** The claim a volume stands for: named, or made for the pod from a template. */
export function claimName(pod: Pod, volume: Volume): string | undefined {
  if (volume.persistentVolumeClaim) return volume.persistentVolumeClaim.claimName;
  return volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : undefined;
}

/**
 * The directory of this node behind a claim. Volumes of type `local` and `hostPath` are supported; others reject with a text for the user.
 */
export async function claimPath(client: Client, namespace: string, name: string): Promise<{ path: string; readOnly: boolean }> {
  const claim = await client.get(PersistentVolumeClaim, { namespace, name });
  if (!claim.spec.volumeName || claim.status?.phase !== 'Bound') throw new Error(`PersistentVolumeClaim is not bound: "${name}"`);
  const volume = await client.get(PersistentVolume, { name: claim.spec.volumeName });
  const { hostPath, local, accessModes } = volume.spec;
  const readOnly = accessModes?.length === 1 && accessModes[0] === 'ReadOnlyMany';
  if (hostPath) return { path: await prepareHostPath(hostPath), readOnly };
  if (local) return { path: await prepareHostPath({ path: local.path, type: 'Directory' }), readOnly };
  throw new Error(`the persistent volume ${volume.metadata.name} is neither local nor hostPath; this node can use no other type`);
}
