import { MillraceError } from '../../errors.ts'
import { undecodable } from '../faults.ts'
import type { Codec, SchemaRegistry, SerdeContext } from '../serde.ts'
import type { Compiled } from './compiled.ts'
import type { Decoder } from './decoder.ts'
import { Fault } from './fault.ts'
import { type AvroType, typeName } from './types.ts'
import { headerFault, headerLength } from './wire.ts'
import { type UnknownIds, writerSchemas } from './writers.ts'

/** The reading half of the codec: by the writer's schema, whose id comes with every value. */
export function avroReader(
  context: SerdeContext,
  registry: SchemaRegistry,
  own: AvroType,
  compiled: Compiled,
  unknownIds: UnknownIds,
): Pick<Codec<unknown>, 'decode'> {
  const writers = writerSchemas(registry)
  const decoders = new Map<number, Decoder<unknown>>()
  let lastId = -1
  let last: Decoder<unknown> | undefined

  function decoderOf(id: number): Decoder<unknown> {
    let decoder = decoders.get(id)
    if (!decoder) decoders.set(id, (decoder = compiled.decoder(writerOf(id))))
    lastId = id
    last = decoder
    return decoder
  }

  function writerOf(id: number): AvroType {
    if (id < 0) throw undecodable(context, `unknown schema id ${id}`)
    try {
      return writers.get(id, unknownIds)
    } catch (error) {
      if (!(error instanceof MillraceError) || !isAboutSchema(error)) throw error
      const reason = error.code === 'UNKNOWN_SCHEMA' ? `unknown schema id ${id}` : `schema ${id}: ${error.message}`
      throw undecodable(context, reason, error)
    }
  }

  function failed(error: unknown, id: number): MillraceError {
    const from = `written with schema ${id}`
    if (!(error instanceof Fault)) return undecodable(context, `${from}, but not a value of it`, error)
    if (!error.incompatible) return undecodable(context, `${from}: ${error.message}`, error)
    const why = `${from}, which cannot be read as ${typeName(own)}: ${error.message}`
    return undecodable(context, why, new MillraceError('INCOMPATIBLE_SCHEMA', error.message))
  }

  return {
    decode(source, start, end) {
      if (end - start < headerLength || source.buffer[start] !== 0) {
        const { reason, hint } = headerFault(source.buffer, start, end)
        throw undecodable(context, reason, undefined, hint)
      }
      const id = source.view.getInt32(start + 1)
      const decoder = id === lastId && last ? last : decoderOf(id)
      try {
        return decoder(source, start + headerLength, end)
      } catch (error) {
        throw failed(error, id)
      }
    },
  }
}

function isAboutSchema({ code }: MillraceError): boolean {
  return code === 'UNKNOWN_SCHEMA' || code === 'INVALID_SCHEMA' || code === 'INCOMPATIBLE_SCHEMA'
}
