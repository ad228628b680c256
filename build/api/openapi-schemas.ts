import { elementGoType, wireTypeOf } from '../../src/api/codec/wire-table.ts';
import { schemaOf } from '../../src/api/schema/schema.ts';
import type { FieldSchema, TypeSchema, ValueType } from '../../src/api/schema/type-schema.ts';
import { enumValues } from './enum-facts.ts';
import type { Model } from './models.ts';
import { typeName } from './roots.ts';

/** A JSON schema as OpenAPI writes it. */
export type OpenApiSchema = { readonly [keyword: string]: unknown };

export interface GroupVersionKind {
  readonly group: string;
  readonly kind: string;
  readonly version: string;
}

const metaPackage = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const apiextensionsPackage = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** The name of a generated type in OpenAPI: `Pod` → `io.k8s.api.core.v1.Pod`. */
export function definitionName(type: string): string {
  const wire = wireTypeOf(type);
  if (!wire) throw new Error(`the wire facts do not know ${type}`);
  const name = wire.goName.slice(wire.goName.indexOf('.') + 1);
  const [group, version] = wire.goPackage.split('/');
  if (group === 'meta') return `${metaPackage}.${name}`;
  if (group === 'apiextensions') return `${apiextensionsPackage}.${name}`;
  if (group === 'apiregistration') return `io.k8s.kube-aggregator.pkg.apis.apiregistration.v1.${name}`;
  return `io.k8s.api.${group}.${version}.${name}`;
}

const rawExtension = 'io.k8s.apimachinery.pkg.runtime.RawExtension';

/** Types that are scalars or free-form in JSON, and have a name in OpenAPI. */
const namedScalars: Readonly<Record<string, OpenApiSchema>> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': {
    description: 'A fixed-point number such as 100m, 1.5Gi or 2e3.',
    oneOf: [{ type: 'string' }, { type: 'number' }],
  },
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': {
    description: 'An int32 or a string.',
    format: 'int-or-string',
    oneOf: [{ type: 'integer' }, { type: 'string' }],
  },
  [rawExtension]: { description: 'Any JSON object.', type: 'object' },
  [`${metaPackage}.Time`]: { description: 'A time in RFC 3339 form.', format: 'date-time', type: 'string' },
  [`${metaPackage}.MicroTime`]: {
    description: 'A time in RFC 3339 form with microseconds.',
    format: 'date-time',
    type: 'string',
  },
  [`${metaPackage}.Duration`]: { description: 'A duration such as 1h30m.', type: 'string' },
  [`${metaPackage}.FieldsV1`]: { description: 'A set of fields as server-side apply keeps it.', type: 'object' },
  [`${metaPackage}.Patch`]: { description: 'The body of a PATCH request.', type: 'object' },
  [`${apiextensionsPackage}.CustomResourceSubresourceStatus`]: {
    description: 'Turns the /status sub-resource of a custom resource on.',
    type: 'object',
  },
  [`${apiextensionsPackage}.JSON`]: { description: 'Any JSON value.' },
  [`${apiextensionsPackage}.JSONSchemaPropsOrArray`]: { description: 'A schema or a list of schemas.' },
  [`${apiextensionsPackage}.JSONSchemaPropsOrBool`]: { description: 'A schema or a boolean.' },
  [`${apiextensionsPackage}.JSONSchemaPropsOrStringArray`]: { description: 'A schema or a list of strings.' },
};

const namedTypes: Partial<Record<ValueType, string>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  time: `${metaPackage}.Time`,
  microTime: `${metaPackage}.MicroTime`,
  duration: `${metaPackage}.Duration`,
};

const plainTypes: Partial<Record<ValueType, OpenApiSchema>> = {
  string: { type: 'string' },
  boolean: { type: 'boolean' },
  int32: { format: 'int32', type: 'integer' },
  int64: { format: 'int64', type: 'integer' },
  number: { format: 'double', type: 'number' },
  bytes: { format: 'byte', type: 'string' },
};

/** Fields most kinds have. */
const commonFields: Readonly<Record<string, string>> = {
  metadata: "The object's name, namespace, labels, annotations and what else all objects have.",
  spec: 'What is wanted.',
  status: 'What was last observed. The system writes it; it may lag behind.',
};

/** Which way references are written: `#/components/schemas/…` (v3) or `#/definitions/…` (v2). */
export interface SchemaDialect {
  readonly referencePrefix: string;
  /** v3 allows nothing beside `$ref` and wraps it in allOf. */
  readonly wrapReferences: boolean;
  /** v2 knows no `oneOf`: what is a number or a text is a text there. */
  readonly hasAlternatives: boolean;
}

export const v3Dialect: SchemaDialect = { referencePrefix: '#/components/schemas/', wrapReferences: true, hasAlternatives: true };
export const v2Dialect: SchemaDialect = { referencePrefix: '#/definitions/', wrapReferences: false, hasAlternatives: false };

/** What Go calls the type of a field, and the package of the struct: `v1.RestartPolicy` in `core/v1`. */
interface GoType {
  readonly type: string;
  readonly package: string;
}

/** Builds the schemas of types and of everything they refer to. */
export class SchemaBuilder {
  readonly #models: ReadonlyMap<string, Model>;
  readonly #dialect: SchemaDialect;
  readonly #kinds: ReadonlyMap<string, readonly GroupVersionKind[]>;
  readonly #schemas = new Map<string, OpenApiSchema>();
  /** Definitions somebody refers to without lending their text, and those whose text fields lend. */
  readonly #ownText = new Set<string>();
  readonly #lentText = new Set<string>();

  /** `models` by type name; `kinds` by type name: which kinds the type is. */
  constructor(
    models: ReadonlyMap<string, Model>,
    options: { dialect: SchemaDialect; kinds: ReadonlyMap<string, readonly GroupVersionKind[]> },
  ) {
    this.#models = models;
    this.#dialect = options.dialect;
    this.#kinds = options.kinds;
  }

  /**
   * Every schema asked for so far and their references, by name. `kubectl explain` prints the text of a field and that of its type: a text that
   * all fields of a type have lent stands only there.
   */
  schemas(): Record<string, OpenApiSchema> {
    const all = [...this.#schemas].map(([name, schema]): [string, OpenApiSchema] => {
      if (!this.#lentText.has(name) || this.#ownText.has(name)) return [name, schema];
      const { description: _, ...rest } = schema;
      return [name, rest];
    });
    return Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to a generated type. */
  type(type: string): OpenApiSchema {
    this.#ownText.add(definitionName(type));
    return this.#typeReference(type);
  }

  #typeReference(type: string): OpenApiSchema {
    return this.define(definitionName(type), () => this.#object(type));
  }

  /** A reference to one of the named scalars. */
  scalar(name: string): OpenApiSchema {
    const schema = namedScalars[name];
    if (!schema) throw new Error(`no scalar is named ${name}`);
    const { oneOf, ...rest } = schema;
    this.#schemas.set(name, oneOf && !this.#dialect.hasAlternatives ? { ...rest, type: 'string' } : schema);
    return this.#reference(name);
  }

  /** The model of a type that is not among the generated ones. */
  model(type: string): Model {
    const model = this.#models.get(type);
    if (!model) throw new Error(`no model is named ${type}`);
    return model;
  }

  /** A reference to a schema that `make` writes, when it is asked for first. */
  define(name: string, make: () => OpenApiSchema): OpenApiSchema {
    if (!this.#schemas.has(name)) {
      // A type may contain itself: the name has to be taken before the fields are looked at.
      this.#schemas.set(name, {});
      this.#schemas.set(name, make());
    }
    return this.#reference(name);
  }

  patch(): OpenApiSchema {
    return this.scalar(`${metaPackage}.Patch`);
  }

  watchEvent(): OpenApiSchema {
    return this.define(`${metaPackage}.WatchEvent`, () => ({
      description: 'A change of an object.',
      properties: {
        object: this.#described(this.scalar(rawExtension), { description: 'The object after the change, or a Status.' }),
        type: { description: 'ADDED, MODIFIED, DELETED, BOOKMARK or ERROR.', type: 'string' },
      },
      required: ['type', 'object'],
      type: 'object',
    }));
  }

  /** A reference to the list of a kind. */
  list(type: string, kind: GroupVersionKind): OpenApiSchema {
    const name = `${definitionName(type)}List`;
    const items = this.type(type);
    this.#schemas.set(name, {
      description: `A list of ${kind.kind} objects.`,
      properties: {
        apiVersion: { description: 'The version of this representation.', type: 'string' },
        items: { description: 'The objects.', items, type: 'array' },
        kind: { description: 'The kind of the list.', type: 'string' },
        metadata: this.#described(this.type('ListMeta'), { description: "The list's metadata." }),
      },
      required: ['items'],
      type: 'object',
      'x-kubernetes-group-version-kind': [{ ...kind, kind: `${kind.kind}List` }],
    });
    return this.#reference(name);
  }

  #reference(name: string): OpenApiSchema {
    return { $ref: `${this.#dialect.referencePrefix}${name}` };
  }

  #object(type: string): OpenApiSchema {
    const model = this.#models.get(type);
    const schema = schemaOf(type);
    const descriptions = new Map(model?.fields.map((field) => [field.name, field.description]));
    const properties: Record<string, OpenApiSchema> = {};
    const required: string[] = [];
    for (const [name, field] of [...schema.fields!].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const wire = wireTypeOf(type);
      const go = { type: wire?.fields.get(name)?.goType ?? 'string', package: wire?.goPackage ?? '' };
      const description = descriptions.get(name) || commonFields[name];
      properties[name] = this.#property(
        field,
        description === undefined ? { go, ...this.#lent(field.schema) } : { go, description },
      );
      if (field.required) required.push(name);
    }
    const kinds = this.#kinds.get(type);
    return {
      ...(model?.description ? { description: model.description } : {}),
      properties,
      ...(required.length > 0 ? { required } : {}),
      type: 'object',
      ...(kinds ? { 'x-kubernetes-group-version-kind': kinds } : {}),
      ...(schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
    };
  }

  /** The npm models lost the texts of fields that refer to a type; what the type is says the same. */
  #lent(schema: TypeSchema): { description: string; reference?: OpenApiSchema } {
    if (schema.type !== 'object') return { description: '' };
    this.#lentText.add(definitionName(schema.name!));
    return { description: this.#models.get(schema.name!)?.description ?? '', reference: this.#typeReference(schema.name!) };
  }

  #property(field: FieldSchema, context: { go: GoType; description: string; reference?: OpenApiSchema }): OpenApiSchema {
    const { schema } = field;
    const go = { ...context.go, type: context.go.type.replace(/^\*/, '') };
    const value = context.reference ?? this.#value(schema, go);
    const facts = {
      ...(context.description ? { description: context.description } : {}),
      ...(schema.listMapKeys ? { 'x-kubernetes-list-map-keys': schema.listMapKeys } : {}),
      ...(schema.type === 'list' ? { 'x-kubernetes-list-type': schema.listType } : {}),
      ...(schema.type === 'map' && schema.atomic ? { 'x-kubernetes-map-type': 'atomic' } : {}),
      ...(field.patchMergeKey === undefined ? {} : { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
      ...(field.patchStrategy ? { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') } : {}),
    };
    return this.#described(value, facts);
  }

  #described(value: OpenApiSchema, facts: OpenApiSchema): OpenApiSchema {
    if (Object.keys(facts).length === 0) return value;
    if ('$ref' in value && this.#dialect.wrapReferences) return { allOf: [value], ...facts };
    return { ...value, ...facts };
  }

  #value(schema: TypeSchema, go: GoType): OpenApiSchema {
    const named = namedTypes[schema.type];
    if (named) return this.scalar(named);
    const plain = plainTypes[schema.type];
    if (plain) return { ...plain, ...enumOf(schema, go) };
    if (schema.type === 'object') return this.type(schema.name!);
    if (schema.type === 'any') return this.#any(go.type);
    const items = this.#value(schema.items!, { ...go, type: elementGoType(go.type) });
    return schema.type === 'list' ? { items, type: 'array' } : { additionalProperties: items, type: 'object' };
  }

  #any(goType: string): OpenApiSchema {
    const name = goType.slice(goType.indexOf('.') + 1);
    const found = Object.keys(namedScalars).find((known) => known.endsWith(`.${name}`));
    if (!found) throw new Error(`no schema is known for ${goType}`);
    return this.scalar(found);
  }
}

function enumOf({ type }: TypeSchema, go: GoType): OpenApiSchema {
  const values = type === 'string' ? enumValues(go.type, go.package) : undefined;
  return values ? { enum: values } : {};
}

/** Models by the names of the generated types. */
export function modelsByType(models: ReadonlyMap<string, Model>): Map<string, Model> {
  return new Map([...models.values()].map((model) => [typeName(model.name), model]));
}
