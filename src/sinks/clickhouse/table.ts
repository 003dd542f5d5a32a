import { MillraceError } from '../../errors.ts'
import type { Connection } from './connection.ts'
import type { ResolvedOptions } from './options.ts'
import { quoteName } from './sql.ts'
import { type ColumnSpec, keyType } from './types/column-spec.ts'
import { parseTypeName, type TypeName, unquote } from './types/type-name.ts'

/** A table as it is in the server. */
export interface Table {
  /** Columns that can be written. */
  readonly columns: ReadonlyMap<string, TypeName>
  /** Columns that the server computes. */
  readonly computed: ReadonlySet<string>
  /** Expressions of the sorting key. */
  readonly sortingKey: readonly string[]
  readonly engine: string
  /** The engine with its arguments, its sorting key and its settings. */
  readonly engineText: string
}

type Place = Pick<ResolvedOptions, 'database' | 'table'>

/** The table's name as SQL. */
export function tableName({ database, table }: Place): string {
  return database === undefined ? quoteName(table) : `${quoteName(database)}.${quoteName(table)}`
}

/** Reads how the table is; undefined when it is not there. */
export async function describeTable(connection: Connection, { database, table }: Place): Promise<Table | undefined> {
  const where =
    database === undefined
      ? 'database = currentDatabase() AND %name = {table:String}'
      : 'database = {database:String} AND %name = {table:String}'
  const parameters = { table, ...(database !== undefined && { database }) }
  const [found] = await connection.rows<{ engine: string; engine_full: string; sorting_key: string }>(
    `SELECT engine, engine_full, sorting_key FROM system.tables WHERE ${where.replace('%name', 'name')}`,
    parameters,
  )
  if (!found) return undefined
  const columns = await connection.rows<{ name: string; type: string; default_kind: string }>(
    `SELECT name, type, default_kind FROM system.columns WHERE ${where.replace('%name', 'table')} ORDER BY position`,
    parameters,
  )
  const isComputed = ({ default_kind }: { default_kind: string }) => /MATERIALIZED|ALIAS/.test(default_kind)
  return {
    columns: new Map(columns.filter((c) => !isComputed(c)).map(({ name, type }) => [name, parseTypeName(type)])),
    computed: new Set(columns.filter(isComputed).map(({ name }) => name)),
    sortingKey: found.sorting_key
      .replace(/^\((.*)\)$/s, '$1')
      .split(', ')
      .filter((expression) => expression !== '')
      .map(unquote),
    engine: found.engine,
    engineText: found.engine_full,
  }
}

/** Inserts whose tokens a table that is made here remembers. Each is a file name and a hash in memory. */
export const DEDUPLICATION_WINDOW = 10_000

const VERSION_COLUMN = '_version'
const DELETED_COLUMN = '_deleted'

/** The statement that makes the table. */
export function createTableSql(options: ResolvedOptions, keys: readonly ColumnSpec[], values: readonly ColumnSpec[]) {
  const { mode, types } = options
  const orderBy = options.orderBy ?? (mode === 'upsert' ? keys.map(({ name }) => name) : [])
  const sorted = new Set(orderBy)
  const columns = new Map([...values, ...keys].map((spec) => [spec.name, spec]))
  const ordered = [...new Set([...keys, ...values].map(({ name }) => name))].map((name) => columns.get(name)!)
  const definitions = ordered.map((spec) => {
    const { name, type, ...rest } = types[spec.name] === undefined ? spec : { ...spec, type: types[spec.name]! }
    return columnSql({ ...rest, name, type: sorted.has(name) ? keyType(type) : type })
  })
  if (mode === 'upsert') {
    definitions.push(`${quoteName(VERSION_COLUMN)} UInt64`, `${quoteName(DELETED_COLUMN)} UInt8`)
  }
  const engine =
    options.engine ?? (mode === 'upsert' ? `ReplacingMergeTree(${VERSION_COLUMN}, ${DELETED_COLUMN})` : 'MergeTree')
  const window = mode === 'append' && !/\bSETTINGS\b/i.test(engine)
  return [
    `CREATE TABLE IF NOT EXISTS ${tableName(options)} (\n  ${definitions.join(',\n  ')}\n)`,
    `ENGINE = ${engine}`,
    // An engine given with its own clauses has its own order too.
    ...(/\bORDER\s+BY\b/i.test(engine) ? [] : [`ORDER BY (${orderBy.map(quoteName).join(', ')})`]),
    ...(window ? [`SETTINGS non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`] : []),
  ].join('\n')
}

/** A column as in CREATE TABLE and ADD COLUMN. */
export function columnSql({ name, type, defaultSql }: ColumnSpec): string {
  return `${quoteName(name)} ${type}${defaultSql === undefined ? '' : ` DEFAULT ${defaultSql}`}`
}

/** The columns of a ReplacingMergeTree that say which row wins, and that its key is gone. */
export function replacingColumns({ engine, engineText }: Table): { version?: string; deleted?: string } | undefined {
  if (!engine.endsWith('ReplacingMergeTree')) return undefined
  const text = /^\w+\(([^)]*)\)/.exec(engineText)?.[1] ?? ''
  const [version, deleted] = text
    .split(',')
    .map((argument) => argument.trim())
    .filter((argument) => argument !== '' && !argument.startsWith("'"))
  return { ...(version !== undefined && { version }), ...(deleted !== undefined && { deleted }) }
}

/** Whether the table knows an insert again by its token; undefined for an engine of which that is not known. */
export function deduplicates({ engine, engineText }: Table): boolean | undefined {
  if (!engine.endsWith('MergeTree')) return undefined
  if (/^(Replicated|Shared)/.test(engine)) return !/\breplicated_deduplication_window = 0\b/.test(engineText)
  return Number(/non_replicated_deduplication_window = (\d+)/.exec(engineText)?.[1] ?? 0) > 0
}

/** The error for a table that is not there. */
export function missingTable(options: ResolvedOptions, ddl: string | undefined): MillraceError {
  const name = tableName(options)
  const hint = ddl === undefined ? 'make it, or give the option create: true' : `create: true, or run this:\n${ddl}`
  return new MillraceError('MISSING_TABLE', `ClickHouse has no table ${name}`, { hint })
}
