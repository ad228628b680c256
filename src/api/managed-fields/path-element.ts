import { isJsonObject, type JsonObject, member } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';

/** A list has an item that cannot be told from the others. */
export class UnkeyedItem extends Error {
  override readonly name = 'UnkeyedItem';
}

/** Key fields that have a default in the built-in types; for other types the schema says. */
const keyDefaults: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  ContainerPort: { protocol: 'TCP' },
  ServicePort: { protocol: 'TCP' },
};

export function fieldElement(name: string): string {
  return `f:${name}`;
}

/** The path element of an item of a `set` or `map` list. Throws UnkeyedItem. */
export function itemElement(list: TypeSchema, item: unknown): string {
  if (list.listType !== 'map') {
    if (typeof item === 'object') throw new UnkeyedItem('associative list without keys has an element that is not a scalar');
    return `v:${JSON.stringify(item)}`;
  }
  if (!isJsonObject(item)) throw new UnkeyedItem('associative list with keys may not have non-map elements');
  const names = list.listMapKeys ?? [];
  const keys = names.map((name) => [name, keyOf(list, item, name)] as const).filter(([, value]) => value !== undefined);
  if (keys.length === 0) {
    throw new UnkeyedItem(
      `associative list with keys has an element that omits all key fields ${JSON.stringify(names)} ` +
        "(and doesn't have default values for any key fields)",
    );
  }
  return `k:${JSON.stringify(Object.fromEntries(keys.sort(([a], [b]) => (a < b ? -1 : 1))))}`;
}

function keyOf(list: TypeSchema, item: JsonObject, name: string): unknown {
  const value = member(item, name);
  if (value !== undefined) return value;
  const type = list.items;
  return type?.fields?.get(name)?.default ?? keyDefaults[type?.name ?? '']?.[name];
}

/** A path as messages show it: `.spec.containers[name="x"].image`, `.metadata.finalizers[="y"]`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('');
}

function elementText(element: string): string {
  const rest = element.slice(2);
  if (element.startsWith('f:')) return `.${rest}`;
  if (element.startsWith('v:')) return `[=${rest}]`;
  if (element.startsWith('i:')) return `[${rest}]`;
  const keys = Object.entries(JSON.parse(rest) as JsonObject);
  return `[${keys.map(([name, value]) => `${name}=${JSON.stringify(value)}`).join(',')}]`;
}
