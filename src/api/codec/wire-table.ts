import { wireFacts } from '../generated/protobuf.ts';

/** How one field travels in protobuf, and what Go calls it. */
export interface WireField {
  readonly json: string;
  /** Field numbers from the outer message inwards; more than one when the field belongs to inlined messages. */
  readonly numbers: readonly number[];
  /** `[]v1.Container`, `*int32`. */
  readonly goType: string;
  /** Go structs the field is embedded through. */
  readonly embedded: readonly string[];
}

export interface WireType {
  /** How Go's messages call it: `v1.PodSpec`. */
  readonly goName: string;
  /** The last two parts of the Go package's path: `core/v1`. */
  readonly goPackage: string;
  readonly fields: ReadonlyMap<string, WireField>;
}

/** The wire facts of a generated type; undefined when there is none of this name. Read from the table when first asked for. */
export function wireTypeOf(typeName: string): WireType | undefined {
  const known = wireTypes.get(typeName);
  if (known) return known;
  const start = `${typeName} `;
  const at = wireFacts.startsWith(start) ? 0 : wireFacts.indexOf(`\n${start}`) + 1;
  if (at === 0 && !wireFacts.startsWith(start)) return undefined;
  const end = wireFacts.indexOf('\n', at);
  const [, qualified = '', ...fields] = wireFacts.slice(at, end < 0 ? undefined : end).split(' ');
  const slash = qualified.indexOf('/');
  const goPackage = qualified.slice(0, qualified.indexOf('.'));
  const type = {
    goName: qualified.slice(slash + 1),
    goPackage,
    fields: new Map(fields.map(parseField).map((field) => [field.json, field])),
  };
  wireTypes.set(typeName, type);
  return type;
}

const wireTypes = new Map<string, WireType>();

function parseField(text: string): WireField {
  const [json = '', numbers = '', goType = '', , embedded = ''] = text.split(':');
  return {
    json,
    numbers: numbers.split('.').map(Number),
    goType: goType || 'string',
    embedded: embedded === '' ? [] : embedded.split('.'),
  };
}

/** Named collections: Go's name hides what they hold. */
const namedCollections: Readonly<Record<string, string>> = {
  'v1.ResourceList': 'resource.Quantity',
  'v1.ExtraValue': 'string',
  'v1.JSONSchemaDependencies': 'v1.JSONSchemaPropsOrStringArray',
  'v1.JSONSchemaDefinitions': 'v1.JSONSchemaProps',
};

/** The Go type of the items of a list or map. */
export function elementGoType(goType: string): string {
  return namedCollections[goType] ?? goType.replace(/^(?:\[\]|map\[[\w.]+\])/, '');
}
