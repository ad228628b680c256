import type { KubeObject } from '../../api/meta.ts';

/** Only the metadata of an object, for clients that want no more. */
export function partialMetadata(object: KubeObject, metaVersion: string): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${metaVersion}`, metadata: object.metadata };
}
