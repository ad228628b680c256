import type { FieldError } from '../../src/api/field-error.ts';
import type { Kind, WriteContext } from '../../src/api/kind.ts';
import { apiVersionOf, type KubeObject } from '../../src/api/meta.ts';
import { columnsOf } from '../../src/api/table/table.ts';

/** A write at a fixed time, with fixed chance. */
export const writeContext: WriteContext = {
  nowMs: Date.parse('2026-11-21T01:00:00Z'),
  random: (length) => 'x'.repeat(length),
  uid: () => '00000000-0000-0000-0000-000000000000',
};

/** What a client sends: some fields of an object. */
export type Fields = Record<string, unknown> & { metadata?: Record<string, unknown> };

/** An object of a kind as the server has it before validation: defaults applied, prepared as for a create. */
export function newObject<T extends KubeObject>(kind: Kind<T>, fields: Fields): T {
  const metadata = {
    name: 'a',
    uid: 'u-1',
    creationTimestamp: '2026-11-21T00:00:00Z',
    ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
    ...fields.metadata,
  };
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), ...structuredClone(fields), metadata } as unknown as T;
  kind.applyDefaults(object);
  kind.prepareForCreate(object, writeContext);
  return object;
}

/** An update of an object through the main resource: `change` edits a copy. Answers the new object and what is wrong with the update. */
export function updated<T extends KubeObject>(
  kind: Kind<T>,
  previous: T,
  change: (object: T) => void,
): { next: T; errors: string[] } {
  const next = structuredClone(previous);
  change(next);
  kind.applyDefaults(next);
  kind.prepareForUpdate(next, previous, writeContext);
  return { next, errors: texts([...kind.validate(next), ...kind.validateUpdate(next, previous)]) };
}

/** What is wrong with a new object, as `field: message`. */
export function problems<T extends KubeObject>(kind: Kind<T>, fields: Fields): string[] {
  const object = newObject(kind, fields);
  return texts([...kind.validate(object), ...(kind.validateCreate?.(object) ?? [])]);
}

/** `field: message` of each. */
export const texts = (errors: readonly FieldError[]): string[] => errors.map((e) => `${e.field}: ${e.message}`);

/** The cells of an object by the names of their columns. */
export function cells<T extends KubeObject>(kind: Kind<T>, object: T, nowMs = writeContext.nowMs): Record<string, unknown> {
  return Object.fromEntries(columnsOf(kind).map((column) => [column.name, column.cell(object, nowMs)]));
}
