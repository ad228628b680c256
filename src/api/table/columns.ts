import type { Column } from '../kind.ts';
import type { KubeObject } from '../meta.ts';
import { age } from './duration.ts';

/** What kubectl prints where there is nothing. */
export const none = '<none>';
export const unset = '<unset>';
export const unknown = '<unknown>';

export const nameColumn: Column<KubeObject> = {
  name: 'Name',
  type: 'string',
  format: 'name',
  description: 'Name of the object, unique within its namespace.',
  cell: (object) => object.metadata.name,
};

export const ageColumn: Column<KubeObject> = {
  name: 'Age',
  type: 'string',
  description: 'How long ago the object was created.',
  cell: (object, nowMs) => age(object.metadata.creationTimestamp, nowMs),
};

/** Of kinds without columns of their own. */
export const createdColumn: Column<KubeObject> = {
  name: 'Created At',
  type: 'date',
  description: 'When the object was created.',
  cell: (object) => object.metadata.creationTimestamp ?? '',
};

/** The text, or `<none>`. */
export const orNone = (text: string | undefined | null): string => text || none;

/** `a,b`, or `<none>` for an empty list. */
const joined = (items: readonly string[] | undefined): string => (items?.length ? items.join(',') : none);

/** `a=b,c=d` with keys in order, or `<none>`. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  return joined(
    Object.keys(labels ?? {})
      .sort()
      .map((key) => `${key}=${labels?.[key]}`),
  );
}
