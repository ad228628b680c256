/** What a value may be. The scalars beyond JSON's own say how text is checked and brought into canonical form. */
export type ValueType =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'number'
  /** Base64 text. */
  | 'bytes'
  | 'quantity'
  /** RFC 3339, whole seconds. */
  | 'time'
  /** RFC 3339 with six decimals. */
  | 'microTime'
  /** Go's text form, `1h30m0s`. */
  | 'duration'
  | 'intOrString'
  | 'object'
  | 'map'
  | 'list'
  /** Free-form JSON. */
  | 'any';

export type ListType = 'atomic' | 'set' | 'map';
export type PatchStrategy = 'merge' | 'replace' | 'retainKeys';

/**
 * The schema of one value: of a built-in type (from the generated table) or of a CRD. Patches, server-side apply, decoding and OpenAPI read
 * nothing else. Objects are shared and immutable.
 */
export interface TypeSchema {
  readonly type: ValueType;
  /** The type's name for objects of the built-in table (`PodSpec`); undefined for objects of CRDs. */
  readonly name?: string;
  /** Only for `object`: fields by name, in canonical order. Other fields are unknown, and dropped unless `preserveUnknownFields`. */
  readonly fields?: ReadonlyMap<string, FieldSchema>;
  /** Only for `map` and `list`. */
  readonly items?: TypeSchema;
  /** Only for `list`. */
  readonly listType?: ListType;
  /** Only for lists of listType `map`: the fields that identify an item. */
  readonly listMapKeys?: readonly string[];
  /** `object` and `map`: owned and replaced as a whole. */
  readonly atomic?: boolean;
  readonly preserveUnknownFields?: boolean;
}

export interface FieldSchema {
  readonly schema: TypeSchema;
  readonly required: boolean;
  /**
   * What becomes of zero values (`""`, 0, false, empty list or map, absent): `keep` as sent (Go has a pointer), `omit` (Go's omitempty) or
   * `fill` in when absent (Go always writes the field). Times that Go writes as `null` are left out, but owned like other values.
   */
  readonly zero: 'keep' | 'omit' | 'fill' | 'null';
  /** Strategic merge patch; absent = lists are replaced, maps merged. */
  readonly patchStrategy?: readonly PatchStrategy[];
  readonly patchMergeKey?: string;
  /** The value an absent field stands for, where a list map needs it to tell items apart. */
  readonly default?: unknown;
}
