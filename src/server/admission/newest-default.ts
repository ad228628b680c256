import type { KubeObject } from '../../api/meta.ts';

/** The newest object whose annotation says it is the default; among equals the first by name. */
export function newestDefault<T extends KubeObject>(objects: readonly T[], annotations: readonly string[]): T | undefined {
  const age = (object: T): string => object.metadata.creationTimestamp;
  return objects
    .filter((object) => annotations.some((a) => object.metadata.annotations?.[a] === 'true'))
    .sort((a, b) => (age(a) === age(b) ? (a.metadata.name < b.metadata.name ? -1 : 1) : age(a) > age(b) ? -1 : 1))[0];
}
