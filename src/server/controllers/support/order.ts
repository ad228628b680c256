import type { KubeObject } from '../../../api/meta.ts';

/** Oldest first; the name decides between those of one second. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return compareText(a.metadata.creationTimestamp, b.metadata.creationTimestamp) || compareText(a.metadata.name, b.metadata.name);
}

/** By code units, as upstream sorts: no locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
