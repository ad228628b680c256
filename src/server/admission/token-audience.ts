import type { Pod, Volume } from '../../api/generated/types.ts';
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import { CSIDriver } from '../../api/kinds/storage/csi-driver.ts';
import type { Reader } from '../registry/reader.ts';

/** Whether a pod mounts a token for this audience ('' = the API server), or a volume whose driver asks for one. */
export function podUsesAudience(pod: Pod, audience: string, reader: Reader): boolean {
  return (pod.spec?.volumes ?? []).some((volume) => {
    const tokens = (volume.projected?.sources ?? []).map((source) => source.serviceAccountToken).filter((t) => t !== undefined);
    if (tokens.some((token) => (token.audience ?? '') === audience)) return true;
    const driver = driverOf(pod, volume, reader);
    const requests = driver === undefined ? [] : (reader.get(CSIDriver, { name: driver })?.spec.tokenRequests ?? []);
    return requests.some((request) => request.audience === audience);
  });
}

function driverOf(pod: Pod, volume: Volume, reader: Reader): string | undefined {
  if (volume.csi) return volume.csi.driver;
  const claim = volume.ephemeral ? `${pod.metadata.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName;
  if (claim === undefined) return undefined;
  const name = reader.get(PersistentVolumeClaim, { namespace: pod.metadata.namespace ?? '', name: claim })?.spec?.volumeName;
  return name ? reader.get(PersistentVolume, { name })?.spec?.csi?.driver : undefined;
}
