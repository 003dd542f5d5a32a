import { canonical } from './canonical.ts'
import { compileDecoder, type Decoder } from './decoder.ts'
import { compileEncoder, type Encoder } from './encoder.ts'
import { resolve } from './resolve.ts'
import type { AvroType } from './types.ts'

export interface Compiled {
  /** From data of the writer's schema to values of the serde's own. */
  decoder(writer: AvroType): Decoder<unknown>
  encoder(type: AvroType): Encoder<unknown>
}

/** One function for each writer's schema, however many topics and tasks the serde is used in. */
export function compileOnce(
  own: AvroType,
  bigint: boolean,
  readAs: (writer: AvroType) => AvroType = () => own,
): Compiled {
  const decoders = new Map<string, Decoder<unknown>>()
  const encoders = new Map<string, Encoder<unknown>>()
  return {
    decoder: (writer) => once(decoders, writer, () => compileDecoder(resolve(writer, readAs(writer), bigint), bigint)),
    encoder: (type) => once(encoders, type, () => compileEncoder(type, bigint)),
  }
}

function once<F>(made: Map<string, F>, type: AvroType, make: () => F): F {
  const key = canonical(type)
  let it = made.get(key)
  if (it === undefined) made.set(key, (it = make()))
  return it
}
