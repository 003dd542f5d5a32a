import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isRetriable, MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../../serde/serde.ts'
import type { RefusedRow, Sink, SinkBatch, SinkDefinition } from '../../sinks/sink.ts'
import {
  CONTRACT_SCHEMA,
  CONTRACT_SCHEMA_V2,
  type ContractContext,
  type ContractRow,
  contractBatch,
  contractContext,
  contractRow,
} from './sink-fixtures.ts'

/** One sink with an empty place of its own to write to. */
export interface SinkUnderTest {
  readonly definition: SinkDefinition<string, ContractRow>
  /**
   * What a reader who knows `schema` sees, in any order, one object per row with the fields of {@link ContractRow} at
   * least: after an upsert the live rows only, NaN as NaN, fields that a row was written without as their default.
   */
  rows(schema: AvroSchema): Promise<readonly object[]>
  /** Makes the system unreachable, without losing what it holds, and back. Both needed, unless `outage` is false. */
  breakIt?(): Promise<void>
  mendIt?(): Promise<void>
  cleanup(): Promise<void>
}

export interface SinkContractOptions {
  /** The mode of the definition under test: upsert sinks must converge, append sinks must know their batches. */
  readonly mode: SinkDefinition<never, never>['mode']
  /** Whether the system can be away. Default true. */
  readonly outage?: boolean
  /** A row the system (or the sink on its behalf) refuses. Default: one whose `amount` is no number. */
  readonly refused?: ContractRow
  /** Whether values of a new schema may come while the sink is open. Default true. */
  readonly evolvesWhileOpen?: boolean
  /** Whether a reader of the next schema sees the defaults in old rows. Default true. */
  readonly evolves?: boolean
  /** Rows of the big batch. Default 100,000. */
  readonly bigBatch?: number
}

/** What every sink must keep, whatever it writes to; run it on your own adapter too. `make` is called once per test. */
export function sinkContract(
  name: string,
  make: () => Promise<SinkUnderTest>,
  { mode, outage = true, refused, evolvesWhileOpen = true, evolves = true, bigBatch = 100_000 }: SinkContractOptions,
): void {
  describe(`sink contract: ${name}`, () => {
    let subject: SinkUnderTest
    let context: ContractContext
    let sink: Sink<string, ContractRow>
    const opened: Sink<string, ContractRow>[] = []

    const open = async (schema: AvroSchema = CONTRACT_SCHEMA) => {
      context = contractContext(schema)
      sink = await subject.definition.open(context)
      opened.push(sink)
      return sink
    }
    const write = async (batch: SinkBatch<string, ContractRow>) => {
      expect(await sink.write(batch)).toEqual([])
    }
    const seen = async (schema: AvroSchema = CONTRACT_SCHEMA) =>
      (await subject.rows(schema)).map((row) => plain(row as ContractRow, schema)).sort(byText)
    const rowsOf = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => contractRow(from + i))
    const expected = (rows: readonly ContractRow[], schema: AvroSchema = CONTRACT_SCHEMA) =>
      rows.map((row) => plain(row, schema)).sort(byText)

    beforeEach(async () => {
      subject = await make()
      await open()
    })
    afterEach(async () => {
      for (const one of opened.splice(0)) await one.close()
      await subject.cleanup()
    })

    it('shows every row of every batch once', async () => {
      await write(contractBatch(rowsOf(0, 10), 0))
      await write(contractBatch(rowsOf(10, 25), 10))
      await write(contractBatch(rowsOf(25, 30), 0, 1))
      expect(await seen()).toEqual(expected(rowsOf(0, 30)))
    })

    it('writes an empty batch as nothing', async () => {
      await write(contractBatch([]))
      expect(await seen()).toEqual([])
    })

    it('changes nothing when a batch comes again', async () => {
      const first = contractBatch(rowsOf(0, 10), 0)
      const second = contractBatch(rowsOf(10, 20), 10)
      await write(first)
      await write(first)
      await write(second)
      await write(first)
      await write(second)
      expect(await seen()).toEqual(expected(rowsOf(0, 20)))
    })

    it('changes nothing when a batch comes again after a restart', async () => {
      const batch = contractBatch(rowsOf(0, 10), 0)
      await write(batch)
      await sink.close()
      await open()
      await write(batch)
      expect(await seen()).toEqual(expected(rowsOf(0, 10)))
    })

    it('tells equal rows of different offsets and partitions apart', async () => {
      const twins = [contractRow(1), contractRow(1)]
      await write(contractBatch(twins, 0))
      await write(contractBatch(twins, 2))
      await write(contractBatch(twins, 0, 1))
      expect(await seen()).toEqual(expected(mode === 'append' ? [...twins, ...twins, ...twins] : [contractRow(1)]))
    })

    it('keeps unicode, nulls, empty texts and every number', async () => {
      const rows = [
        ['zürich 日本語 😀 \u0000 \\ " \' \t\r\n', Number.NaN, null],
        ['infinity', Number.POSITIVE_INFINITY, ''],
        ['-infinity', Number.NEGATIVE_INFINITY, 'null'],
        ['tiny', Number.MIN_VALUE, 'NULL'],
        ['huge', Number.MAX_VALUE, '\\N'],
        ['exact', 0.1 + 0.2, 'x'.repeat(70_000)],
        ['integer', 2 ** 53 - 1, '{"json": [1]}'],
      ].map(([id, amount, note]) => ({ id, amount, note }) as ContractRow)
      await write(contractBatch(rows, 0))
      expect(await seen()).toEqual(expected(rows))
    })

    it('writes a big batch, and knows it when it comes again', { timeout: 60_000 }, async () => {
      const rows = rowsOf(0, bigBatch)
      const batch = contractBatch(rows, 1000)
      await write(batch)
      await write(batch)
      const found = await seen()
      expect(found.length).toBe(bigBatch)
      expect(found).toEqual(expected(rows))
    })

    it('writes batches of different partitions at the same time', async () => {
      const batches = [0, 1, 2, 3].map((p) => contractBatch(rowsOf(p * 100, p * 100 + 100), 0, p))
      const refusals = await Promise.all([...batches, ...batches.slice(0, 2)].map((batch) => sink.write(batch)))
      expect(refusals.flat()).toEqual([])
      expect(await seen()).toEqual(expected(rowsOf(0, 400)))
    })

    it('writes the others when a row is refused, and the same again', async () => {
      const bad = refused ?? ({ id: 'bad', amount: 'many' as never, note: null } satisfies ContractRow)
      const rows = rowsOf(0, 20)
      rows[7] = { ...bad, id: 'bad-7' }
      rows[13] = { ...bad, id: 'bad-13' }
      const good = rows.filter((_, i) => i !== 7 && i !== 13)
      const batch = contractBatch(rows, 50)
      const indexes = (refusals: readonly RefusedRow[]) => refusals.map((row) => row.index).sort((a, b) => a - b)
      const refusals = await sink.write(batch)
      expect(indexes(refusals)).toEqual([7, 13])
      for (const { error } of refusals) {
        expect(error).toBeInstanceOf(MillraceError)
        expect(error.retriable).toBe(false)
      }
      expect(await seen()).toEqual(expected(good))
      expect(indexes(await sink.write(batch))).toEqual([7, 13])
      expect(await seen()).toEqual(expected(good))
      await write(contractBatch(rowsOf(100, 110), 70))
      expect(await seen()).toEqual(expected([...good, ...rowsOf(100, 110)]))
    })

    itWhen(outage)(
      'says that the system is away in a way that can be retried, then writes the same batch',
      async () => {
        await write(contractBatch(rowsOf(0, 5), 0))
        await subject.breakIt!()
        const batch = contractBatch(rowsOf(5, 10), 5)
        const failure: unknown = await sink.write(batch).then(
          () => undefined,
          (error: unknown) => error,
        )
        await subject.mendIt!()
        expect(failure).toBeInstanceOf(MillraceError)
        expect((failure as MillraceError).code).toBe('UNAVAILABLE')
        expect(isRetriable(failure)).toBe(true)
        await write(batch)
        expect(await seen()).toEqual(expected(rowsOf(0, 10)))
      },
    )

    itWhen(evolves)('shows the default of a new field in old rows', async () => {
      await write(contractBatch(rowsOf(0, 5), 0))
      await sink.close()
      await open(CONTRACT_SCHEMA_V2)
      const next = [contractRow(5, { coupon: 'SPRING', score: 7 }), contractRow(6, { coupon: 'none', score: null })]
      await write(contractBatch(next, 5))
      expect(await seen(CONTRACT_SCHEMA_V2)).toEqual(expected([...rowsOf(0, 5), ...next], CONTRACT_SCHEMA_V2))
    })

    itWhen(evolves && evolvesWhileOpen)('takes a new schema while it is open', async () => {
      await write(contractBatch(rowsOf(0, 5), 0))
      context.announce(CONTRACT_SCHEMA_V2)
      const next = [contractRow(5), contractRow(6, { coupon: 'SUMMER', score: 1 }), contractRow(7)]
      const batch = contractBatch(next, 5)
      await write(batch)
      await write(batch)
      expect(await seen(CONTRACT_SCHEMA_V2)).toEqual(expected([...rowsOf(0, 5), ...next], CONTRACT_SCHEMA_V2))
    })

    itWhen(mode === 'upsert')('keeps the row of the highest version, in whatever order batches come', async () => {
      const older = contractBatch([contractRow(1, { amount: 1 }), contractRow(2, { amount: 1 })], 10)
      const newer = contractBatch([contractRow(1, { amount: 2 }), contractRow(3)], 20)
      const latest = [contractRow(1, { amount: 2 }), contractRow(2, { amount: 1 }), contractRow(3)]
      await write(older)
      await write(newer)
      expect(await seen()).toEqual(expected(latest))
      await write(older)
      expect(await seen()).toEqual(expected(latest))
      await write(contractBatch([contractRow(3, { amount: -1 })], 5))
      expect(await seen()).toEqual(expected(latest))
    })

    itWhen(mode === 'upsert')('keeps the last row of a key within a batch, also when versions are equal', async () => {
      const rows = [1, 2, 3, 4, 5].map((amount) => contractRow(1, { amount }))
      const batch = contractBatch(rows, 10)
      await write(batch)
      expect(await seen()).toEqual(expected([rows[4]!]))
      await write({ ...batch, offsets: [20, 20, 20, 20, 20], values: [...rows].reverse() })
      expect(await seen()).toEqual(expected([rows[0]!]))
    })

    itWhen(mode === 'upsert')('deletes the key of a tombstone, for good', async () => {
      const older = contractBatch(rowsOf(0, 4), 0)
      const tombstones = contractBatch([{ deleted: 'r1' }, { deleted: 'r2' }, { deleted: 'never there' }], 10)
      await write(older)
      await write(tombstones)
      expect(await seen()).toEqual(expected([contractRow(0), contractRow(3)]))
      await write(older)
      await write(tombstones)
      expect(await seen()).toEqual(expected([contractRow(0), contractRow(3)]))
      await write(contractBatch([contractRow(1, { amount: 9 })], 20))
      expect(await seen()).toEqual(expected([contractRow(0), contractRow(1, { amount: 9 }), contractRow(3)]))
    })

    itWhen(mode === 'append')('skips tombstones in a stream of rows', async () => {
      const batch = contractBatch([contractRow(0), { deleted: 'r0' }, contractRow(1)], 0)
      await write(batch)
      await write(batch)
      expect(await seen()).toEqual(expected(rowsOf(0, 2)))
    })

    it('describes itself without secrets, as data', () => {
      const { kind, name: identity, parameters } = subject.definition
      expect(subject.definition.mode).toBe(mode)
      expect(identity.startsWith(`${kind}:`)).toBe(true)
      expect(JSON.stringify(parameters)).not.toMatch(/password|secret/i)
    })
  })
}

/** The fields a reader of `schema` knows, defaults filled in, as one comparable text (NaN and -Infinity too). */
function plain(row: ContractRow, schema: AvroSchema): string {
  const { id, amount, note, coupon = 'none', score = null } = row
  const known = schema === CONTRACT_SCHEMA_V2 ? { id, amount, note, coupon, score } : { id, amount, note }
  return JSON.stringify(known, (_, value) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  )
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** `it`, or nothing at all: a test that does not apply is not a skipped one. */
function itWhen(applies: boolean): (title: string, test: () => Promise<void>) => void {
  return applies ? (title, test) => it(title, test) : () => {}
}
