import { StatusError } from '../status-error.ts';
import { difference, type FieldSet, intersection, isEmpty, noFields, pathsOf } from './field-set.ts';
import type { Managed, Manager } from './managed.ts';
import { pathText } from './path-element.ts';
import type { VersionedChanges } from './versioned-changes.ts';

/** Fields that an apply would change and somebody else owns. */
export interface Conflict {
  readonly manager: Manager;
  readonly fields: FieldSet;
}

export function conflictsWith(managed: Managed, self: string, changes: VersionedChanges): Conflict[] {
  return [...managed]
    .filter(([identity]) => identity !== self)
    .map(([, { manager, fields }]) => ({
      manager,
      fields: intersection(fields, changes.in(manager.apiVersion)?.changed ?? noFields),
    }))
    .filter(({ fields }) => !isEmpty(fields))
    .sort((a, b) => (managerText(a.manager) < managerText(b.manager) ? -1 : 1));
}

/** The conflicts that are left when these fields may be taken over. */
export function exceptFor(conflicts: readonly Conflict[], allowed: FieldSet): Conflict[] {
  return conflicts
    .map(({ manager, fields }) => ({ manager, fields: difference(fields, allowed) }))
    .filter(({ fields }) => !isEmpty(fields));
}

/** 409 with a cause for each field; the texts are upstream's, kubectl prints them. */
export function applyConflict(conflicts: readonly Conflict[]): StatusError {
  const all = conflicts.flatMap(({ manager, fields }) =>
    pathsOf(fields).map((path) => ({ manager: managerText(manager), field: pathText(path) })),
  );
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message: messageOf(all),
    details: {
      causes: all.map(({ manager, field }) => ({ reason: 'FieldManagerConflict', message: `conflict with ${manager}`, field })),
    },
  });
}

function messageOf(all: readonly { manager: string; field: string }[]): string {
  const [only] = all;
  if (all.length === 1 && only) return `Apply failed with 1 conflict: conflict with ${only.manager}: ${only.field}`;
  const lines = Map.groupBy(all, ({ manager }) => manager)
    .entries()
    .flatMap(([manager, list]) => [`conflicts with ${manager}:`, ...list.map(({ field }) => `- ${field}`)]);
  return `Apply failed with ${all.length} conflicts: ${[...lines].join('\n')}`;
}

function managerText(manager: Manager): string {
  const name = JSON.stringify(manager.name);
  const named = manager.subresource ? `${name} with subresource ${JSON.stringify(manager.subresource)}` : name;
  return manager.operation === 'Update' ? `${named} using ${manager.apiVersion}` : named;
}
