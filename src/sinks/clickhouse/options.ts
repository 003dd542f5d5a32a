import { MillraceError } from '../../errors.ts'

export interface ConnectionOptions {
  /** 'http://host:8123'. Default: the environment variable CLICKHOUSE_URL, read when the application starts. */
  readonly url?: string
  /** Default `default`, or what the url says. */
  readonly username?: string
  readonly password?: string
  /** Default: the user's own. */
  readonly database?: string
  /** For https with a certificate authority of your own, or with a client certificate. */
  readonly tls?:
    | { readonly ca_cert: Buffer }
    | { readonly ca_cert: Buffer; readonly cert: Buffer; readonly key: Buffer }
  /** How long one request may take, in ms, before it counts as not answered. Default 120,000. */
  readonly requestTimeoutMs?: number
}

/** Where the value of a row came from. */
export interface RowOrigin {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  /** Event time, ms. */
  readonly timestamp: number
}

export type Row = Readonly<Record<string, unknown>>

export interface ClickHouseOptions<K, V> extends ConnectionOptions {
  /** Name of the table: 'revenue' or 'database.revenue'. */
  readonly table: string
  /**
   * 'upsert' (default): one row per key, the newest version wins, null deletes. The table is a ReplacingMergeTree, to
   * be read with FINAL. 'append': every record is a row; null is skipped. The table is a MergeTree that knows the last
   * thousands of inserts, so that one which is repeated after a crash adds nothing.
   */
  readonly mode?: 'upsert' | 'append'
  /** Make the table when it is not there, from the Avro schemas, or else from the first rows. Default false. */
  readonly create?: boolean
  /**
   * Add columns for fields the table lacks, before the first row that has them; make columns wider where the schema
   * did. Never drops or narrows. Default: as `create`. Where it is off, such fields are left out, with one warning.
   */
  readonly evolve?: boolean
  /**
   * Columns of a row. Default: the fields of the value (`value` for a value that is no object). In addition every row
   * has the columns of its key, see `key`.
   */
  readonly columns?: (key: K, value: V, origin: RowOrigin) => Row
  /**
   * The columns that a key becomes, or the name of the one column of a plain key (default `key`). By default, keys
   * that are objects give a column per field, and windows add `window_start` and `window_end`. Append sinks without
   * this option write only keys of windows.
   */
  readonly key?: string | ((key: K) => Row)
  /** ClickHouse types by column, for a table that is made here: `{ orders: 'UInt64' }`. They go before all others. */
  readonly types?: Readonly<Record<string, string>>
  /** Columns of the sorting key of a table that is made here. Default: the key's columns; for append none. */
  readonly orderBy?: readonly string[]
  /** What stands after ENGINE in a table that is made here, such as `ReplicatedReplacingMergeTree(_version, _deleted)`. */
  readonly engine?: string
  /** Rows and bytes of one INSERT. Default 100,000 rows, 32 MiB. Do not change while a batch may be repeated. */
  readonly insert?: { readonly rows?: number; readonly bytes?: number }
}

/** The options with every default filled in. */
export interface ResolvedOptions {
  readonly mode: 'upsert' | 'append'
  readonly database: string | undefined
  readonly table: string
  readonly create: boolean
  readonly evolve: boolean
  readonly columns: ((key: unknown, value: unknown, origin: RowOrigin) => Row) | undefined
  readonly key: string | ((key: unknown) => Row) | undefined
  readonly types: Readonly<Record<string, string>>
  readonly orderBy: readonly string[] | undefined
  readonly engine: string | undefined
  readonly maxRows: number
  readonly maxBytes: number
}

/** ClickHouse would write an insert beyond this in several blocks, which are not known again as one. */
const MAX_BLOCK_ROWS = 1_048_449

/** Checks the options. Throws `INVALID_OPTION`. */
export function resolve<K, V>(options: ClickHouseOptions<K, V>): ResolvedOptions {
  const { mode = 'upsert', create = false, insert: { rows = 100_000, bytes = 32 * 2 ** 20 } = {} } = options
  const [, database = options.database, table] = /^(?:([^.]+)\.)?([^.]+)$/.exec(options.table ?? '') ?? []
  if (table === undefined) throw invalid(`table is ${JSON.stringify(options.table)}`, "a name, or 'database.name'")
  if (mode !== 'upsert' && mode !== 'append') throw invalid(`mode is ${JSON.stringify(mode)}`, "'upsert' or 'append'")
  if (!(Number.isInteger(rows) && rows > 0 && rows <= MAX_BLOCK_ROWS)) {
    throw invalid(`insert.rows is ${rows}`, `a whole number from 1 to ${MAX_BLOCK_ROWS}`)
  }
  if (!(bytes > 0)) throw invalid(`insert.bytes is ${bytes}`, 'a number above 0')
  return {
    mode,
    database,
    table,
    create,
    evolve: options.evolve ?? create,
    columns: options.columns as ResolvedOptions['columns'],
    key: options.key as ResolvedOptions['key'],
    types: options.types ?? {},
    orderBy: options.orderBy,
    engine: options.engine,
    maxRows: rows,
    maxBytes: bytes,
  }
}

function invalid(reason: string, expected: string): MillraceError {
  return new MillraceError('INVALID_OPTION', `clickhouse: ${reason}`, { hint: `it must be ${expected}` })
}
