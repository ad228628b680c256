import type * as t from '../../api/generated/types.ts';
import type { Kind } from '../../api/kind.ts';
import { FlowSchema } from '../../api/kinds/flowcontrol/flow-schema.ts';
import { PriorityLevelConfiguration } from '../../api/kinds/flowcontrol/priority-level-configuration.ts';
import { standardLevels, standardSchemas } from '../../api/kinds/flowcontrol/standard.ts';
import type { KubeObject } from '../../api/meta.ts';
import type { Reader } from '../registry/reader.ts';

/** A flow schema or priority level. */
export interface Entry<Spec> {
  readonly name: string;
  /** Empty while a standard one is on its way back. */
  readonly uid: string;
  readonly spec: Spec;
}

/** The priority levels, by name; standard ones that are missing are as if they were there. */
export function readLevels(reader: Reader): Map<string, Entry<t.PriorityLevelConfigurationSpec>> {
  return entries(reader, PriorityLevelConfiguration, standardLevels);
}

/** The flow schemas in the order they are tried. */
export function readSchemas(reader: Reader): Entry<t.FlowSchemaSpec>[] {
  const precedence = ({ spec }: Entry<t.FlowSchemaSpec>): number => spec.matchingPrecedence ?? 0;
  const schemas = [...entries(reader, FlowSchema, standardSchemas).values()];
  return schemas.sort((a, b) => precedence(a) - precedence(b) || (a.name < b.name ? -1 : 1));
}

function entries<T extends KubeObject & { spec?: Spec }, Spec>(
  reader: Reader,
  kind: Kind<T>,
  standard: ReadonlyMap<string, Spec>,
): Map<string, Entry<Spec>> {
  const found = new Map(Array.from(standard, ([name, spec]) => [name, { name, uid: '', spec }]));
  for (const { metadata, spec } of reader.list(kind)) {
    if (spec) found.set(metadata.name, { name: metadata.name, uid: metadata.uid, spec });
  }
  return found;
}
