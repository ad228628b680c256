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
const field = 0x66;

/** Elements in the order of upstream's sets: numbers count as numbers, not as text. The list itself when it is in order. */
export function sortedElements(elements: readonly string[]): readonly string[] {
  for (let i = 1; i < elements.length; i++) {
    const order = compareAsText(elements[i - 1]!, elements[i]!);
    if (order === undefined || order > 0) return sorted(elements);
  }
  return elements;
}

function sorted(elements: readonly string[]): readonly string[] {
  if (elements.every((element) => element.startsWith('f:'))) return elements.toSorted();
  // Reading an element costs more than comparing it: each is read once.
  const values = new Map<string, unknown>();
  const readValue = (element: string): unknown => {
    if (!values.has(element)) values.set(element, JSON.parse(element.slice(2)));
    return values.get(element);
  };
  return elements.toSorted((a, b) => compareAsText(a, b) ?? compareValues(readValue(a), readValue(b)));
}

/** What text tells of the order; undefined when values have to be compared. */
function compareAsText(a: string, b: string): number | undefined {
  const [kindA, kindB] = [a.charCodeAt(0), b.charCodeAt(0)];
  if (kindA !== kindB) return kindOrder.indexOf(a[0]!) - kindOrder.indexOf(b[0]!);
  return kindA === field ? compareText(a, b) : compareQuoted(a, b);
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Most items have one key, whose value is plain text (`k:{"name":"x"}`), or are text (`v:"x"`): no need to parse that. Undefined for others. */
function compareQuoted(a: string, b: string): number | undefined {
  const start = a.startsWith('v:"') ? 3 : a.startsWith('k:{"') ? a.indexOf('":"') + 3 : 0;
  if (start < 3 || !b.startsWith(a.slice(0, start))) return undefined;
  const end = start === 3 ? -1 : -2;
  const [textA, textB] = [a.slice(start, end), b.slice(start, end)];
  return special.test(textA) || special.test(textB) ? undefined : compareText(textA, textB);
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
