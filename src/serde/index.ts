export { bytes } from './binary.ts'
export { boolean } from './boolean.ts'
export { json } from './json.ts'
export { nullable } from './nullable.ts'
export { double, float, integer, long, short } from './numbers.ts'
export type {
  AvroSchema,
  Codec,
  RecordPart,
  RegisteredSchema,
  RegisterMode,
  SchemaRegistry,
  Serde,
  SerdeContext,
} from './serde.ts'
export { PendingSchema } from './serde.ts'
export { string } from './string.ts'
export { uuid } from './uuid.ts'
export { sessionWindowed, type WindowedOptions, windowed } from './windowed.ts'
