import { MillraceError } from '../../errors.ts'
import { unencodable } from '../faults.ts'
import type { Codec, SchemaRegistry, SerdeContext } from '../serde.ts'
import type { Compiled } from './compiled.ts'
import type { Encoder } from './encoder.ts'
import { explain } from './explain.ts'
import { andThen, type Maybe } from './maybe.ts'
import type { Published } from './publish.ts'
import { writerSchemas } from './writers.ts'

/** The writing half of the codec: with the schema that was published, and its id. */
export function avroWriter(
  context: SerdeContext,
  registry: SchemaRegistry,
  publishSchema: () => Maybe<Published>,
  compiled: Compiled,
): Pick<Codec<unknown>, 'encode' | 'prepare'> {
  let ready: (Published & { readonly encoder: Encoder<unknown> }) | undefined

  function prepare(): Maybe<void> {
    if (ready) return
    return andThen(publishSchema(), (found) => {
      writerSchemas(registry).learn(found.id, found.type)
      ready = { ...found, encoder: compiled.encoder(found.type) }
    })
  }

  /** A registry that answers at once needs no `prepare`. */
  function prepareNow(): NonNullable<typeof ready> {
    const pending = prepare()
    if (ready) return ready
    pending?.catch(() => {})
    throw new MillraceError('INTERNAL', 'prepare() must be awaited before encode', { topic: context.topic })
  }

  return {
    prepare,
    encode(value, out) {
      const { id, type, encoder } = ready ?? prepareNow()
      const start = out.position
      out.uint8(0)
      out.int32(id)
      try {
        encoder(value, out)
      } catch (error) {
        out.position = start
        throw unencodable(context, explain(type, value) ?? 'the value cannot be written', error)
      }
    },
  }
}
