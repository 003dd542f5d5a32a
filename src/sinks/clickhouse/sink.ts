import type { RefusedRow, Sink, SinkBatch, SinkContext } from '../sink.ts'
import { type Connection, connect } from './connection.ts'
import { isTableFailure, toMillraceError } from './failures.ts'
import { inferKeySpec, keyColumns } from './keys.ts'
import type { BlockColumn } from './native-block.ts'
import type { ConnectionOptions, ResolvedOptions, Row } from './options.ts'
import { type BatchRows, batchRows, columnNames } from './rows.ts'
import { quoteName } from './sql.ts'
import { replacingColumns, type Table, tableName } from './table.ts'
import { keepTable, type Needs, type TableKeeper } from './table-keeper.ts'
import type { ColumnSpec } from './types/column-spec.ts'
import { encoderFor, takesNull } from './types/encoder-for.ts'
import { inferType } from './types/infer.ts'
import { refusedRow, retried, writeRows } from './writer.ts'

/** Opens the sink: connects, and makes sure that the table can take the rows. */
export async function openSink(
  name: string,
  options: ResolvedOptions,
  connecting: ConnectionOptions,
  context: SinkContext,
): Promise<Sink<unknown, unknown>> {
  const connection = await connect(connecting)
  const where = { url: connection.url, node: context.node ?? name }
  const keyOf = keyColumns(options)
  let keeper: TableKeeper
  try {
    keeper = await retried(() => keepTable(connection, options, context), context.onRetry)
  } catch (error) {
    await connection.close()
    throw toMillraceError(error, where)
  }
  context.onSchema?.((schema) => keeper.announce(schema))

  async function write(batch: SinkBatch<unknown, unknown>): Promise<readonly RefusedRow[]> {
    const rows = batchRows(batch, options, keyOf)
    if (rows.indexes.length > 0) {
      await writeBatch({ connection, keeper, options, context, identity: context.node ?? name }, batch, rows)
    }
    return [...rows.refused].map(([index, error]) => ({ index, error })).sort((a, b) => a.index - b.index)
  }

  return {
    async write(batch) {
      try {
        return await write(batch).catch((error) => {
          if (!isTableFailure(error)) throw error
          // Somebody has changed the table: what was written of the batch is known again.
          keeper.forget()
          return write(batch)
        })
      } catch (error) {
        const { topic, partition, firstOffset } = batch.range
        throw toMillraceError(error, { ...where, topic, partition, offset: firstOffset })
      }
    },
    close: () => connection.close(),
  }
}

interface Parts {
  readonly connection: Connection
  readonly keeper: TableKeeper
  readonly options: ResolvedOptions
  readonly context: SinkContext
  readonly identity: string
}

async function writeBatch(parts: Parts, batch: SinkBatch<unknown, unknown>, rows: BatchRows): Promise<void> {
  const { connection, keeper, options, context, identity } = parts
  const keys = columnNames(rows.keys, rows.indexes)
  const values = columnNames(rows.values, rows.indexes)
  const needs: Needs = { keys, values, infer: (name, isKey) => infer(name, isKey ? rows.keys : rows.values, isKey) }
  const table = await retried(() => keeper.ready(needs), context.onRetry)

  const columns = new Map<string, BlockColumn>()
  const add = (column: string, required: boolean, read: (i: number) => unknown) => {
    const built = blockColumn(column, table, keeper.spec(column), required, read)
    if (built) columns.set(column, built)
  }
  for (const column of values) add(column, false, (i) => (rows.values[i] === null ? null : rows.values[i]![column]))
  for (const column of keys) add(column, options.mode === 'upsert', (i) => rows.keys[i]![column])
  let indexes = rows.indexes
  if (options.mode === 'upsert') {
    const { version, deleted } = replacingColumns(table)!
    add(version!, true, (i) => batch.offsets[i])
    if (deleted !== undefined) add(deleted, true, (i) => (rows.values[i] === null ? 1 : 0))
    if (deleted === undefined || !table.sortingKey.every((column) => keys.has(column))) {
      indexes = withoutTombstones(rows, batch, identity)
    }
  }
  const { topic, partition, firstOffset, lastOffset } = batch.range
  const range = `${context.application}/${identity}/${topic}/${partition}/${firstOffset}-${lastOffset}`
  const names = [...columns.keys()].map(quoteName).join(', ')
  const refused = await writeRows(connection, {
    sql: `INSERT INTO ${tableName(options)} (${names}) FORMAT Native`,
    columns: [...columns.values()],
    rows: indexes,
    // An upsert converges by its versions; it needs no memory of inserts.
    tokenOf: (first, last) => (options.mode === 'append' ? `${range}#${first}-${last}` : ''),
    maxRows: options.maxRows,
    maxBytes: options.maxBytes,
    onRetry: context.onRetry,
  })
  for (const [index, reason] of refused) rows.refused.set(index, refusedRow(reason, origin(batch, index, identity)))
}

function blockColumn(
  name: string,
  { columns }: Table,
  spec: ColumnSpec | undefined,
  required: boolean,
  read: (i: number) => unknown,
): BlockColumn | undefined {
  const type = columns.get(name)
  if (!type) return undefined
  const encoder = encoderFor(type, spec?.unit)
  const nullTaken = takesNull(type)
  // Elsewhere the server puts the column's default where there is no value.
  const absent = nullTaken || encoder.nulls !== 'always' ? spec?.absent : undefined
  return { name, encoder, read, nullTaken, required: required && !nullTaken, ...(absent !== undefined && { absent }) }
}

function withoutTombstones(rows: BatchRows, batch: SinkBatch<unknown, unknown>, node: string): number[] {
  return rows.indexes.filter((index) => {
    if (rows.values[index] !== null) return true
    const reason = new Error('it deletes its key, and the table has no column for that, or is not sorted by the key')
    rows.refused.set(index, refusedRow(reason, origin(batch, index, node)))
    return false
  })
}

function infer(name: string, rows: readonly (Row | null)[], isKey: boolean): ColumnSpec | undefined {
  for (const row of rows) {
    const value = row?.[name]
    const type = inferType(value)
    if (type !== undefined) return isKey ? inferKeySpec(name, value) : { name, type }
  }
  return undefined
}

function origin({ range, offsets, keys }: SinkBatch<unknown, unknown>, index: number, node: string) {
  return { node, topic: range.topic, partition: range.partition, offset: offsets[index]!, key: keys[index] }
}
