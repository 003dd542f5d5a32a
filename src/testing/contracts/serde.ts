import { beforeAll, describe, expect, it } from 'vitest'
import { MillraceError } from '../../errors.ts'
import { type ByteSource, ByteWriter } from '../../serde/bytes.ts'
import type { Codec, Serde, SerdeContext } from '../../serde/serde.ts'

export interface SerdeContractOptions<T> {
  /** Values that must come back equal. At least one; edge cases of the format belong here. */
  readonly values: readonly T[]
  /** Bytes that are not a value of the format. */
  readonly undecodable?: readonly Uint8Array[]
  /** Values that have no bytes in the format. */
  readonly unencodable?: readonly unknown[]
  /** Default: topic 'contract', part 'value', no registry. */
  readonly context?: Partial<SerdeContext>
}

/**
 * What every serde must keep; run it on your own too. `null` is no concern of a serde: the runtime never passes it one,
 * and never asks it to decode the absence of bytes.
 *
 * @example
 * ```ts
 * serdeContract('string', string(), { values: ['', 'a', 'käse'], unencodable: [1] })
 * ```
 */
export function serdeContract<T>(name: string, serde: Serde<T>, options: SerdeContractOptions<T>): void {
  const { values, undecodable = [], unencodable = [] } = options
  const context: SerdeContext = { topic: 'contract', part: 'value', ...options.context }

  describe(`serde contract: ${name}`, () => {
    let codec: Codec<T>
    beforeAll(async () => {
      codec = serde.open(context)
      await codec.prepare?.()
    })
    const encoded = (value: T): Uint8Array => {
      const out = new ByteWriter()
      codec.encode(value, out)
      return new Uint8Array(out.bytes())
    }

    it('has a name', () => expect(serde.format).not.toBe(''))

    it('gives back what was written', () => {
      for (const value of values) {
        const bytes = encoded(value)
        expect(codec.decode(sourceAround(bytes, 0, 0), 0, bytes.length)).toEqual(value)
      }
    })

    it('writes the same bytes for the same value', () => {
      for (const value of values) expect(encoded(value)).toEqual(encoded(value))
    })

    it('decodes in the middle of a larger buffer whose text begins elsewhere', () => {
      for (const value of values) {
        const bytes = encoded(value)
        expect(codec.decode(sourceAround(bytes, 13, 7), 20, 20 + bytes.length)).toEqual(value)
      }
    })

    it('keeps nothing of the buffer that it decoded from', () => {
      for (const value of values) {
        const bytes = encoded(value)
        const source = sourceAround(bytes, 3, 0)
        const decoded = codec.decode(source, 3, 3 + bytes.length)
        source.buffer.fill(0xee)
        expect(decoded).toEqual(value)
      }
    })

    it('appends to what the writer holds, growing it where it must', () => {
      const out = new ByteWriter(1)
      out.uint8(7)
      const expected = [7]
      for (const value of [...values, ...values]) {
        codec.encode(value, out)
        expected.push(...encoded(value))
      }
      expect([...out.bytes()]).toEqual(expected)
    })

    if (undecodable.length)
      it('refuses bytes that are no value, and says where', () => {
        for (const bytes of undecodable) {
          const source = sourceAround(bytes, 5, 2)
          const error = thrownBy(() => codec.decode(source, 7, 7 + bytes.length), Buffer.from(bytes).toString('hex'))
          expect(error.code).toBe('UNDECODABLE_RECORD')
          expect(error.context.topic).toBe(context.topic)
          expect(error.retriable).toBe(false)
        }
      })

    if (unencodable.length)
      it('refuses values that have no bytes, and leaves the writer as it was', () => {
        for (const value of unencodable) {
          const out = new ByteWriter(4)
          out.uint8(9)
          const error = thrownBy(() => codec.encode(value as T, out), String(value))
          expect(error.code).toBe('UNENCODABLE_RECORD')
          expect(error.context.topic).toBe(context.topic)
          expect([...out.bytes()]).toEqual([9])
        }
      })
  })
}

/** The bytes with `before` and `between` others before them; the text of the source begins after the first of these. */
function sourceAround(bytes: Uint8Array, before: number, between: number): ByteSource {
  const at = before + between
  const buffer = Buffer.alloc(at + bytes.length + 11, 0xa5)
  buffer.set(bytes, at)
  return {
    buffer,
    view: new DataView(buffer.buffer, buffer.byteOffset, buffer.length),
    text: buffer.latin1Slice(before, buffer.length),
    base: before,
  }
}

function thrownBy(action: () => unknown, what: string): MillraceError {
  try {
    action()
  } catch (error) {
    expect(error, what).toBeInstanceOf(MillraceError)
    return error as MillraceError
  }
  throw new Error(`accepted: ${what}`)
}
