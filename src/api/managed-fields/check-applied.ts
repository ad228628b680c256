import { goSyntax, goText, isJsonObject, type JsonObject } from '../patch/json-value.ts';
import type { TypeSchema } from '../schema/type-schema.ts';
import { itemElement, pathText, UnkeyedItem } from './path-element.ts';
import { fieldSchema, isAssociativeList } from './shape.ts';

/**
 * What does not fit the schema in an applied object as it was sent; undefined when all does. The words are those of
 * sigs.k8s.io/structured-merge-diff (typed/validate.go): unlike other requests an apply has no field validation to choose, unknown fields are
 * always refused.
 */
export function checkApplied(applied: JsonObject, schema: TypeSchema): string | undefined {
  const problems: string[] = [];
  for (const name in applied) {
    // Schemas of custom resources need not name what every object has.
    if (identity.has(name) && !schema.fields?.has(name)) continue;
    if (!checkField(applied, name, { schema, path: '', problems })) break;
  }
  if (problems.length <= 1) return problems[0];
  return ['errors:', ...problems.map((problem) => `  ${problem}`)].join('\n');
}

const identity: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

interface Place {
  readonly schema: TypeSchema;
  readonly path: string;
  readonly problems: string[];
}

/** False when nobody declared the field: of those of one map only the first is named. */
function checkField(map: JsonObject, name: string, { schema, path, problems }: Place): boolean {
  const fieldPath = `${path}.${name}`;
  if (schema.type === 'object' && !schema.fields?.has(name)) {
    if (schema.preserveUnknownFields) return true;
    problems.push(`${fieldPath}: field not declared in schema`);
    return false;
  }
  check(map[name], { schema: fieldSchema(schema, name), path: fieldPath, problems });
  return true;
}

function check(value: unknown, place: Place): void {
  const { schema, path, problems } = place;
  if (value === null || schema.type === 'any') return;
  const report = (what: string): void => {
    problems.push(`${path}: ${what}`);
  };
  if (schema.type === 'object' || schema.type === 'map') {
    if (!isJsonObject(value)) report(`expected map, got &{${goText(value)}}`);
    else for (const name in value) if (!checkField(value, name, place)) break;
  } else if (schema.type === 'list') {
    if (!Array.isArray(value)) report(`expected list, got &{${goText(value)}}`);
    else checkItems(value, place, report);
  } else checkScalar(value, schema, report);
}

function checkItems(list: readonly unknown[], { schema, path, problems }: Place, report: (what: string) => void): void {
  const seen = new Set<string>();
  for (const [i, item] of list.entries()) {
    let element = `i:${i}`;
    if (isAssociativeList(schema)) {
      try {
        element = itemElement(schema, item);
      } catch (error) {
        if (!(error instanceof UnkeyedItem)) throw error;
        report(`element ${i}: ${error.message}`);
        return;
      }
      if (seen.has(element)) report(`duplicate entries for key ${pathText([element])}`);
      seen.add(element);
    }
    check(item, { schema: schema.items!, path: path + pathText([element]), problems });
  }
}

/** Scalars whose text form is judged later: any scalar will do. */
const untyped: ReadonlySet<string> = new Set(['quantity', 'intOrString', 'time', 'microTime']);
const numeric: ReadonlySet<string> = new Set(['int32', 'int64', 'number']);

function checkScalar(value: unknown, schema: TypeSchema, report: (what: string) => void): void {
  const type = typeof value;
  if (untyped.has(schema.type)) {
    if (type === 'object') report(`expected any scalar, got &{${goText(value)}}`);
  } else if (numeric.has(schema.type)) {
    if (type !== 'number') report(`expected numeric (int or float), got ${goTypeOf(value)}`);
  } else if (schema.type === 'boolean') {
    if (type !== 'boolean') report(`expected boolean, got &{${goText(value)}}`);
  } else if (type !== 'string') report(`expected string, got &value.valueUnstructured{Value:${goSyntax(value)}}`);
}

function goTypeOf(value: unknown): string {
  if (Array.isArray(value)) return '[]interface {}';
  if (typeof value === 'boolean') return 'bool';
  return typeof value === 'string' ? 'string' : 'map[string]interface {}';
}
