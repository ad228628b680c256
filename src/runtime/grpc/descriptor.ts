/**
 * What the codec knows of an API, as the generator writes it. A field is `[number, name, type]`, then how often it may occur when
 * that is not simply once, then for maps the type of the key. A type is a protobuf scalar or the full name of a message or enum.
 */
export type FieldTuple = readonly [
  id: number,
  name: string,
  type: string,
  cardinality?: 'optional' | 'repeated' | 'map',
  keyType?: string,
];

export interface ApiDescriptor<Methods, Messages> {
  readonly messages: { readonly [name in keyof Messages]: readonly FieldTuple[] };
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** `package.Service/Method` → full names of the request and the response. */
  readonly methods: {
    readonly [path in keyof Methods]: readonly [request: keyof Messages & string, response: keyof Messages & string];
  };
}

/** A message as a caller may write it: what is left out is sent as protobuf's default, that is not at all. */
export type Input<T> = T extends string | number | boolean | Uint8Array | undefined
  ? T
  : T extends readonly (infer Item)[]
    ? readonly Input<Item>[]
    : { readonly [Key in keyof T]?: Input<T[Key]> | undefined };
