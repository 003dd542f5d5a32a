import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { BatchWriter } from '../../src/log/batch/batch-writer.ts'
import { readBatch } from '../../src/log/batch/read-batch.ts'
import { restoreStore } from '../../src/runtime/task/restore.ts'
import { readString } from '../../src/serde/bytes.ts'
import type { Serde } from '../../src/serde/serde.ts'
import { string } from '../../src/serde/string.ts'
import { keyValueStore } from '../../src/state/key-value-store.ts'
import { type StateStore, serdeValue } from '../../src/state/store.ts'
import type { StoreSpec } from '../../src/topology/store-spec.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const BATCHES = 60
const BATCH_BYTES = 500_000
const large = 'x'.repeat(BATCH_BYTES)
const small = (i: number) => `a text that stays, number ${i}`

/** A batch of which all but one record is overwritten by the next one. */
function batch(i: number) {
  const writer = new BatchWriter()
  writer.append(i, Buffer.from(small(i)), Buffer.from(small(i)))
  writer.append(i, Buffer.from('changes'), Buffer.from(large))
  const bytes = Buffer.from(writer.finish())
  return readBatch(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length)
}

/** A record with a text in it, as Avro's are read: a piece of the text of the batch. */
const named: Serde<{ readonly name: string }> = {
  format: 'named',
  open: () => ({
    encode: ({ name }, out) => string().open({ topic: '', part: 'value' }).encode(name, out),
    decode: (source, start, end) => ({ name: readString(source, start, end) }),
  }),
}

const open = <S extends StateStore>(spec: StoreSpec<S>): S =>
  spec.create({ open: (serde, part) => serde.open({ topic: 'changelog', part }) })

/** What it costs to have restored all that, in bytes. */
function heapTaken(store: StateStore): number {
  collectGarbage()
  const before = process.memoryUsage().heapUsed
  for (let i = 0; i < BATCHES; i++) restoreStore(store, batch(i), 0)
  collectGarbage()
  return process.memoryUsage().heapUsed - before
}

it.each([
  ['texts', string(), string()],
  ['records', string(), named],
  ['keys', named, string()],
] as [string, Serde<unknown>, Serde<unknown>][])(
  '%s that are restored hold on to nothing of their batches',
  (_, key, value) => {
    const store = open(keyValueStore<unknown, unknown>({ name: 'store', key, value: serdeValue(value) }))
    expect(heapTaken(store)).toBeLessThan((BATCHES * BATCH_BYTES) / 5)
    expect(store.size).toBe(BATCHES + 1)
    expect(store.find(key === named ? { name: small(7) } : small(7))?.value).toEqual(
      value === named ? { name: small(7) } : small(7),
    )
  },
)
