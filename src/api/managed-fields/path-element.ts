import { isJsonObject, type JsonObject, member } from '../patch/json-value.ts';
import type { FieldSchema, TypeSchema } from '../schema/type-schema.ts';

/** A list has an item that cannot be told from the others. */
export class UnkeyedItem extends Error {
  override readonly name = 'UnkeyedItem';
}

/** Key fields of built-in types whose default is not the zero value; schemas of other types say theirs. */
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
  if (!isJsonObject(item)) {
    throw new UnkeyedItem(`associative list with keys may not have ${item === null ? 'a null element' : 'non-map elements'}`);
  }
  const names = list.listMapKeys ?? [];
  if (names.length === 1) {
    const value = keyOf(list, item, names[0]!);
    if (value !== undefined) return `k:{${JSON.stringify(names[0])}:${JSON.stringify(value)}}`;
  }
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
  const field = type?.fields?.get(name);
  return field?.default ?? keyDefaults[type?.name ?? '']?.[name] ?? (field && zeroKey(field));
}

/** The published schemas give a field that is always written its zero value as default, and with that an item without the key has one. */
function zeroKey({ zero, schema }: FieldSchema): unknown {
  if (zero !== 'fill') return undefined;
  return schema.type === 'int32' ? 0 : '';
}

/** The order in which kinds of elements stand: fields, keys, values, indexes. */
const kindOrder = 'fkvi';

/** The order of upstream's sets: numbers count as numbers, not as text. */
export function compareElements(a: string, b: string): number {
  if (a[0] !== b[0]) return kindOrder.indexOf(a[0]!) - kindOrder.indexOf(b[0]!);
  if (a.startsWith('f:')) return a < b ? -1 : a > b ? 1 : 0;
  return compareOnlyTextKeys(a, b) ?? compareValues(JSON.parse(a.slice(2)), JSON.parse(b.slice(2)));
}

/** Most items have one key, whose value is plain text (`k:{"name":"x"}`): no need to parse that. Undefined for others. */
function compareOnlyTextKeys(a: string, b: string): number | undefined {
  const start = a.indexOf('":"') + 3;
  if (!a.startsWith('k:{"') || start < 3 || !b.startsWith(a.slice(0, start))) return undefined;
  const [textA, textB] = [a.slice(start, -2), b.slice(start, -2)];
  if (special.test(textA) || special.test(textB)) return undefined;
  return textA < textB ? -1 : textA > textB ? 1 : 0;
}

/** What is not plain text, or where the value ended before the end of the element. */
const special = /["\\]/;

function compareValues(a: unknown, b: unknown): number {
  if (!isJsonObject(a) || !isJsonObject(b)) return compareScalars(a, b);
  const [fieldsA, fieldsB] = [Object.entries(a), Object.entries(b)];
  for (const [i, [name, value]] of fieldsA.entries()) {
    const other = fieldsB[i];
    if (!other) return 1;
    const order = compareScalars(name, other[0]) || compareValues(value, other[1]);
    if (order !== 0) return order;
  }
  return fieldsA.length - fieldsB.length;
}

function compareScalars(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  const [textA, textB] = [String(a), String(b)];
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
  return textA < textB ? -1 : textA > textB ? 1 : 0;
}

/** False for elements that are not of a kind we know, or are malformed. */
export function isElement(text: string): boolean {
  if (text.startsWith('f:')) return true;
  try {
    const value: unknown = JSON.parse(text.slice(2));
    if (text.startsWith('k:')) return isJsonObject(value);
    return text.startsWith('i:') ? typeof value === 'number' : text.startsWith('v:');
  } catch {
    return false;
  }
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
