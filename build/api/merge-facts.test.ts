import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type GoModel, goModels } from './go-packages.ts';
import { goSource } from './go-source.ts';
import type { GoField } from './go-types.ts';
import { atomicMaps, atomicStructs, granularFields, mapLists, patchStrategies, setLists } from './merge-facts.ts';
import { readModels } from './models.ts';
import { roots, typeName } from './roots.ts';

const source = goSource();
const skip = 'unavailable' in source ? `the Go packages cannot be had: ${source.unavailable}` : false;

/** The aggregation API's declarations are not among the packages: there is nothing to compare with. */
const withoutMarkers = 'APIService';

describe('merge facts', { skip }, () => {
  it('are those of the Go declarations', () => {
    const root = 'root' in source ? source.root : '';
    const models = readModels(roots.map(([, , model]) => model));
    assert.deepEqual(handWritten(), declared(goModels(root, models)));
  });
});

/** Every fact as a line. */
function handWritten(): string[] {
  const rows = (what: string, table: Readonly<Record<string, Readonly<Record<string, string>>>>): string[] =>
    Object.entries(table).flatMap(([type, fields]) =>
      Object.entries(fields).map(([field, value]) => `${type}.${field} ${what} ${value}`),
    );
  return [
    ...rows('map', mapLists),
    ...rows('patch', patchStrategies),
    ...setLists.map((path) => `${path} set`),
    ...atomicMaps.map((path) => `${path} atomic`),
    ...atomicStructs.map((type) => `${type} atomic`),
    ...granularFields.map((path) => `${path} granular`),
  ]
    .filter((fact) => !fact.startsWith(withoutMarkers))
    .sort();
}

function declared(go: ReadonlyMap<string, GoModel>): string[] {
  const found: string[] = [];
  for (const [model, { struct, siblings }] of go) {
    const type = typeName(model);
    if (type.startsWith(withoutMarkers)) continue;
    if (struct.markers.get('structType') === 'atomic') found.push(`${type} atomic`);
    const fields = (of: readonly GoField[]): GoField[] =>
      of.flatMap((field) => (field.inline ? fields(siblings.get(field.type.replace(/^.*\./, ''))?.fields ?? []) : [field]));
    for (const field of fields(struct.fields)) found.push(...factsOf(`${type}.${field.json}`, field));
  }
  return found.sort();
}

function factsOf(path: string, { markers, patchStrategy, patchMergeKey }: GoField): string[] {
  const facts: string[] = [];
  if (markers.get('listType') === 'map') facts.push(`${path} map ${markers.get('listMapKey')}`);
  if (markers.get('listType') === 'set') facts.push(`${path} set`);
  if (markers.get('mapType') === 'atomic') facts.push(`${path} atomic`);
  if (markers.get('structType') === 'granular') facts.push(`${path} granular`);
  if (patchStrategy.length > 0) facts.push(`${path} patch ${patchStrategy.join(',')}${patchMergeKey ? `:${patchMergeKey}` : ''}`);
  return facts;
}
