import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { forbidden, invalid, invalidAsPrinted, notSupported, printed, required } from '../../validation/errors.ts';

type Schema = t.JSONSchemaProps;

const types = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const scalars = ['boolean', 'integer', 'number', 'string'];
/** Keywords that structural schemas cannot express. */
const unsupported = ['definitions', 'dependencies', 'patternProperties', 'additionalItems', '$ref', 'id'] as const;

/**
 * A schema must be structural: every value has a type, so that unknown fields can be pruned and defaults applied. kubernetes:
 * staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go.
 */
export function checkSchema(errors: FieldError[], field: string, schema: Schema): void {
  if (schema.nullable) errors.push(forbidden(`${field}.nullable`, 'nullable cannot be true at the root'));
  if (schema.type !== 'object') {
    if (schema.type) errors.push(invalid(`${field}.type`, schema.type, 'must be object at the root'));
    else errors.push(required(`${field}.type`, 'must not be empty at the root'));
  }
  checkStructure(errors, field, schema, true);
}

function checkStructure(errors: FieldError[], at: string, schema: Schema, isRoot: boolean): void {
  checkType(errors, at, schema, isRoot);
  for (const keyword of unsupported) {
    const value = schema[keyword];
    if (value === undefined || value === '') continue;
    errors.push(forbidden(`${at}.${keyword}`, `${keyword} is not supported`));
  }
  if (schema.uniqueItems) {
    errors.push(
      forbidden(`${at}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic'),
    );
  }
  checkExtensions(errors, at, schema);
  checkLists(errors, at, schema);
  checkChildren(errors, at, schema);
  schema['x-kubernetes-validations']?.forEach((rule, i) => {
    checkRule(errors, `${at}.x-kubernetes-validations[${i}]`, rule);
  });
}

function checkType(errors: FieldError[], at: string, schema: Schema, isRoot: boolean): void {
  const anything = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (schema.type) {
    if (!types.includes(schema.type)) errors.push(notSupported(`${at}.type`, schema.type, types));
    if (schema['x-kubernetes-int-or-string']) {
      errors.push(invalid(`${at}.type`, schema.type, 'must be empty if x-kubernetes-int-or-string is true'));
    }
  } else if (!isRoot && !anything) errors.push(required(`${at}.type`, 'must not be empty for specified object fields'));
}

function checkExtensions(errors: FieldError[], at: string, schema: Schema): void {
  const preserve = schema['x-kubernetes-preserve-unknown-fields'];
  if (preserve === false) {
    errors.push(invalid(`${at}.x-kubernetes-preserve-unknown-fields`, preserve, 'must be true or undefined'));
  }
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType !== undefined) {
    if (mapType !== 'atomic' && mapType !== 'granular') {
      errors.push(notSupported(`${at}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
    }
    if (schema.type !== 'object') {
      errors.push(invalid(`${at}.type`, schema.type ?? '', 'must be object if x-kubernetes-map-type is specified'));
    }
  }
  if (!schema['x-kubernetes-embedded-resource']) return;
  if (schema.type !== 'object') {
    errors.push(invalid(`${at}.type`, schema.type ?? '', 'must be object if x-kubernetes-embedded-resource is true'));
  }
  if (!preserve && !schema.properties) {
    errors.push(
      required(
        `${at}.properties`,
        'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields',
      ),
    );
  }
}

function checkLists(errors: FieldError[], at: string, schema: Schema): void {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  if (listType === undefined) {
    if (keys.length > 0) {
      errors.push(required(`${at}.x-kubernetes-list-type`, 'must be map if x-kubernetes-list-map-keys is non-empty'));
    }
    return;
  }
  if (!['atomic', 'set', 'map'].includes(listType)) {
    errors.push(notSupported(`${at}.x-kubernetes-list-type`, listType, ['atomic', 'set', 'map']));
  }
  if (schema.type !== 'array') {
    errors.push(invalid(`${at}.type`, schema.type ?? '', 'must be array if x-kubernetes-list-type is specified'));
  }
  if (listType === 'map') checkMapList(errors, at, schema, keys);
  else if (keys.length > 0) {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(invalid(`${at}.x-kubernetes-list-type`, listType, detail));
  }
}

function checkMapList(errors: FieldError[], at: string, schema: Schema, keys: readonly string[]): void {
  const field = `${at}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) errors.push(required(field, 'must not be empty if x-kubernetes-list-type is map'));
  const items = schema.items as Schema | undefined;
  if (!items) {
    errors.push(required(`${at}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    return;
  }
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${at}.items.type`, items.type ?? '', detail));
  }
  if (new Set(keys).size < keys.length) errors.push(invalid(field, keys, 'must not contain duplicate entries'));
  let all: string | undefined;
  const requiredKeys = new Set(items.required);
  for (const key of keys) {
    const property = items.properties?.[key];
    if (!property) errors.push(invalidAsPrinted(field, (all ??= printed(keys)), 'entries must all be names of item properties'));
    else if (!scalars.includes(property.type ?? '')) {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${at}.items.properties[${key}].type`, property.type ?? '', detail));
    } else if (property.default === undefined && !requiredKeys.has(key)) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(required(`${at}.items.properties[${key}].default`, detail));
    }
  }
}

function checkChildren(errors: FieldError[], at: string, schema: Schema): void {
  const { properties, additionalProperties, items } = schema;
  if (properties && additionalProperties !== undefined) {
    errors.push(forbidden(`${at}.additionalProperties`, 'additionalProperties and properties are mutual exclusive'));
  }
  for (const [name, property] of Object.entries(properties ?? {})) {
    checkStructure(errors, `${at}.properties[${name}]`, property, false);
  }
  if (additionalProperties === false) {
    errors.push(forbidden(`${at}.additionalProperties`, 'additionalProperties cannot be set to false'));
  } else if (isSchema(additionalProperties)) {
    checkStructure(errors, `${at}.additionalProperties`, additionalProperties, false);
  }
  if (Array.isArray(items)) errors.push(forbidden(`${at}.items`, 'items must be a schema object and not an array'));
  else if (isSchema(items)) checkStructure(errors, `${at}.items`, items, false);
  else if (schema.type === 'array' && !schema['x-kubernetes-preserve-unknown-fields']) {
    errors.push(required(`${at}.items`, 'must be specified'));
  }
}

const isSchema = (value: unknown): value is Schema => typeof value === 'object' && value !== null && !Array.isArray(value);

function checkRule(errors: FieldError[], at: string, rule: t.ValidationRule): void {
  if (!rule.rule?.trim()) errors.push(required(`${at}.rule`, 'rule is not specified'));
  const { message } = rule;
  if (message === undefined) {
    if (rule.rule?.includes('\n')) {
      errors.push(required(`${at}.message`, 'message must be specified if rule contains line breaks'));
    }
  } else if (message.trim() === '') errors.push(invalid(`${at}.message`, message, 'must be non-empty if specified'));
  else if (message.includes('\n')) errors.push(invalid(`${at}.message`, message, 'must not contain line breaks'));
}
