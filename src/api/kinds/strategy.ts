import { clearStatus, keepStatus } from '../define-kind.ts';
import type { WriteContext } from '../kind.ts';
import type { KubeObject } from '../meta.ts';
import { semanticEqual } from '../validation/equal.ts';

/** Fields whose change does not make a new generation. */
const notContent = new Set(['apiVersion', 'kind', 'metadata', 'status']);

type Loose = KubeObject & Readonly<Record<string, unknown>>;

/** Whether anything but metadata and status differs. */
export function contentChanged(next: KubeObject, previous: KubeObject): boolean {
  const a = next as Loose;
  const b = previous as Loose;
  for (const field in a) if (!notContent.has(field) && !semanticEqual(a[field], b[field])) return true;
  for (const field in b) if (!(field in a) && !notContent.has(field) && !semanticEqual(undefined, b[field])) return true;
  return false;
}

/** The generation of an updated object: the old one, or one more when `changed`. */
export function setGeneration(next: KubeObject, previous: KubeObject, changed: boolean): void {
  const generation = previous.metadata.generation;
  if (changed) next.metadata.generation = (generation ?? 0) + 1;
  else if (generation !== undefined) next.metadata.generation = generation;
  else delete next.metadata.generation;
}

/** Hooks of kinds with a status whose generation counts the changes of the spec. */
export const countedWithStatus = {
  prepareForCreate(object: KubeObject, _context: WriteContext): void {
    clearStatus(object);
    object.metadata.generation = 1;
  },
  prepareForUpdate(next: KubeObject, previous: KubeObject): void {
    keepStatus(next, previous);
    setGeneration(next, previous, contentChanged(next, previous));
  },
};

/** Hooks of kinds without a status whose generation counts the changes of everything but the metadata. */
export const counted = {
  prepareForCreate(object: KubeObject): void {
    object.metadata.generation = 1;
  },
  prepareForUpdate(next: KubeObject, previous: KubeObject): void {
    setGeneration(next, previous, contentChanged(next, previous));
  },
};
