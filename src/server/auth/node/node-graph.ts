import { PersistentVolume } from '../../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ResourceSlice } from '../../../api/kinds/resource/resource-slice.ts';
import { VolumeAttachment } from '../../../api/kinds/storage/volume-attachment.ts';
import type { Reader } from '../../registry/reader.ts';
import { type PodReferences, podReferences } from './pod-references.ts';

export type RelatedResource =
  | 'pods'
  | 'secrets'
  | 'configmaps'
  | 'persistentvolumeclaims'
  | 'persistentvolumes'
  | 'serviceaccounts'
  | 'resourceclaims'
  | 'volumeattachments'
  | 'resourceslices';

interface PodEntry {
  readonly name: string;
  readonly namespace: string;
  readonly references: PodReferences;
}

/** Which objects the pods of a node lead to. Holds the names pods refer to, not the pods. */
export class NodeGraph {
  readonly #reader: Reader;
  /** Node → pod uid → what the pod uses. Undefined until the first question. */
  #pods: Map<string, Map<string, PodEntry>> | undefined;

  constructor(reader: Reader) {
    this.#reader = reader;
    reader.onChange(Pod, (next, previous) => {
      if (!this.#pods) return;
      if (previous) this.#remove(previous);
      if (next) this.#add(next);
    });
  }

  /** True when a pod on the node uses the object, directly or through a volume claim. */
  isRelated(node: string, resource: RelatedResource, key: { namespace?: string | undefined; name: string }): boolean {
    const { name } = key;
    if (resource === 'volumeattachments') return this.#reader.get(VolumeAttachment, { name })?.spec.nodeName === node;
    if (resource === 'resourceslices') return this.#reader.get(ResourceSlice, { name })?.spec.nodeName === node;
    const pods = this.#podsOf(node);
    if (resource === 'persistentvolumes') return this.#usesVolume(pods, name);
    for (const pod of pods) if (pod.namespace === key.namespace && refersTo(pod, resource, name)) return true;
    return resource === 'secrets' && this.#isVolumeSecret(pods, key.namespace ?? '', name);
  }

  #podsOf(node: string): PodEntry[] {
    if (!this.#pods) {
      this.#pods = new Map();
      for (const pod of this.#reader.list(Pod)) this.#add(pod);
    }
    return [...(this.#pods.get(node)?.values() ?? [])];
  }

  #add(pod: Pod): void {
    const node = pod.spec?.nodeName;
    if (!node || !this.#pods) return;
    const pods = this.#pods.get(node) ?? new Map<string, PodEntry>();
    this.#pods.set(node, pods);
    const { uid, name, namespace = '' } = pod.metadata;
    pods.set(uid, { name, namespace, references: podReferences(pod) });
  }

  #remove(pod: Pod): void {
    const node = pod.spec?.nodeName ?? '';
    const pods = this.#pods?.get(node);
    pods?.delete(pod.metadata.uid);
    if (pods?.size === 0) this.#pods?.delete(node);
  }

  /** The volumes bound to the claims of the pods. */
  #volumesOf(pods: readonly PodEntry[]): Set<string> {
    const volumes = new Set<string>();
    for (const { namespace, references } of pods)
      for (const name of references.claims) {
        const volume = this.#reader.get(PersistentVolumeClaim, { namespace, name })?.spec?.volumeName;
        if (volume) volumes.add(volume);
      }
    return volumes;
  }

  #usesVolume(pods: readonly PodEntry[], name: string): boolean {
    return this.#volumesOf(pods).has(name);
  }

  /** Secrets a persistent volume names for mounting. */
  #isVolumeSecret(pods: readonly PodEntry[], namespace: string, name: string): boolean {
    for (const volume of this.#volumesOf(pods)) {
      const csi = this.#reader.get(PersistentVolume, { name: volume })?.spec?.csi;
      const refs = [csi?.nodePublishSecretRef, csi?.nodeStageSecretRef, csi?.nodeExpandSecretRef];
      if (refs.some((ref) => ref?.name === name && ref.namespace === namespace)) return true;
    }
    return false;
  }
}

function refersTo(pod: PodEntry, resource: RelatedResource, name: string): boolean {
  const { references } = pod;
  switch (resource) {
    case 'pods':
      return pod.name === name;
    case 'secrets':
      return references.secrets.has(name);
    case 'configmaps':
      return references.configMaps.has(name);
    case 'persistentvolumeclaims':
      return references.claims.has(name);
    case 'resourceclaims':
      return references.resourceClaims.has(name);
    case 'serviceaccounts':
      return references.serviceAccount === name;
    default:
      return false;
  }
}
