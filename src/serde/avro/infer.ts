/**
 * The TypeScript type of the values of a schema that is written down `as const` (or straight into the call of `avro`).
 * What the types do not tell, such as schemas from a file, references by name, and unions whose branches look alike in
 * JavaScript, is `unknown`: declare those with `avro<T>(schema)`.
 */
export type AvroValue<S, Long = number> = string extends S
  ? unknown
  : S extends 'null'
    ? null
    : S extends 'boolean'
      ? boolean
      : S extends 'int' | 'float' | 'double'
        ? number
        : S extends 'long'
          ? Long
          : S extends 'string'
            ? string
            : S extends 'bytes'
              ? Uint8Array
              : S extends readonly unknown[]
                ? UnionValue<S, Long>
                : S extends { readonly type: infer T }
                  ? ComplexValue<S, T, Long>
                  : unknown

type ComplexValue<S, T, Long> = S extends { readonly logicalType: 'decimal' | 'uuid' }
  ? string
  : S extends { readonly logicalType: `${string}-nanos` }
    ? bigint
    : S extends { readonly type: 'record'; readonly fields: readonly (infer F)[] }
      ? RecordValue<F, Long>
      : S extends { readonly type: 'array'; readonly items: infer I }
        ? AvroValue<I, Long>[]
        : S extends { readonly type: 'map'; readonly values: infer V }
          ? { [key: string]: AvroValue<V, Long> }
          : S extends { readonly type: 'enum'; readonly symbols: readonly (infer E)[] }
            ? E
            : S extends { readonly type: 'fixed' }
              ? Uint8Array
              : AvroValue<T, Long>

type RecordValue<F, Long> = {
  [N in F as N extends { readonly name: infer K extends string } ? K : never]: N extends { readonly type: infer T }
    ? AvroValue<T, Long>
    : unknown
}

type UnionValue<B extends readonly unknown[], Long> = LookAlike<B> extends true ? unknown : AvroValue<B[number], Long>

type LookAlike<B extends readonly unknown[], Seen = never> = B extends readonly [infer First, ...infer Rest]
  ? ShapeOf<First> extends Seen
    ? true
    : LookAlike<Rest, Seen | ShapeOf<First>>
  : false

/** As `shapeOf` in types.ts. A reference by name may be anything named; it is taken for a record. */
type ShapeOf<S> = S extends 'null' | 'boolean' | 'string' | 'bytes'
  ? S
  : S extends 'int' | 'long' | 'float' | 'double'
    ? 'number'
    : S extends { readonly logicalType: 'decimal' | 'uuid' } | { readonly type: 'enum' }
      ? 'string'
      : S extends { readonly type: 'fixed' }
        ? 'bytes'
        : S extends { readonly type: 'array' }
          ? 'array'
          : S extends { readonly type: 'record' | 'map' }
            ? 'object'
            : S extends { readonly type: infer T extends string }
              ? ShapeOf<T>
              : 'object'
