import { MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../../serde/serde.ts'
import type { SinkContext } from '../sink.ts'
import type { Connection } from './connection.ts'
import { keySpecs } from './keys.ts'
import type { ResolvedOptions } from './options.ts'
import { quoteName } from './sql.ts'
import {
  columnSql,
  createTableSql,
  DEDUPLICATION_WINDOW,
  deduplicates,
  describeTable,
  missingTable,
  replacingColumns,
  type Table,
  tableName,
} from './table.ts'
import { recordColumns, valueColumn } from './types/avro-columns.ts'
import { type ColumnSpec, widened } from './types/column-spec.ts'

/** What the rows of a batch need of the table. */
export interface Needs {
  readonly keys: Iterable<string>
  readonly values: Iterable<string>
  /** The column for a name of which no schema says anything; undefined while all its values are null. */
  infer(name: string, isKey: boolean): ColumnSpec | undefined
}

/** Keeps the table fit for what is to be written: makes it, and adds columns before their first row. */
export interface TableKeeper {
  /** The table, with every column that the rows need and it can have. */
  ready(needs: Needs): Promise<Table>
  /** What schemas say about the column. */
  spec(name: string): ColumnSpec | undefined
  /** Values of this schema are about to come. */
  announce(schema: AvroSchema): void
  /** The table is not as it was: look again. */
  forget(): void
}

const NO_NEEDS: Needs = { keys: [], values: [], infer: () => undefined }

/** Looks at the table, and makes it where that is asked for and its columns are known. */
export async function keepTable(
  connection: Connection,
  options: ResolvedOptions,
  context: SinkContext,
): Promise<TableKeeper> {
  const keys = keySpecs(options, context.key)
  const specs = new Map<string, ColumnSpec>()
  const warned = new Set<string>()
  let table: Table | undefined
  let changed = true
  let queue: Promise<unknown> = Promise.resolve()

  function announce(schema: AvroSchema) {
    for (const spec of recordColumns(schema) ?? [valueColumn('value', schema)]) {
      const type = options.types[spec.name]
      specs.set(spec.name, type === undefined ? spec : { ...spec, type })
    }
    changed = true
  }
  if (context.value?.schema !== undefined) announce(context.value.schema)
  for (const spec of keys ?? []) specs.set(spec.name, spec)

  /** Columns to be expected before any row is seen: none where a function makes the rows. */
  const declared = () => (options.columns ? (keys ?? []) : [...specs.values()])

  function specOf(name: string, isKey: boolean, needs: Needs): ColumnSpec | undefined {
    const known = specs.get(name) ?? needs.infer(name, isKey)
    const type = options.types[name]
    return type === undefined ? known : { ...known, name, type }
  }

  async function create(needs: Needs): Promise<Table | undefined> {
    const keyNames = new Set(needs.keys)
    const keyColumns = keys ?? [...keyNames].flatMap((name) => specOf(name, true, needs) ?? [])
    const values = [...needs.values].filter((name) => !keyNames.has(name))
    const fromRows = values.flatMap((name) => specOf(name, false, needs) ?? [])
    const isKey = new Set(keyColumns.map(({ name }) => name))
    const known = [...declared(), ...fromRows].filter(({ name }) => !isKey.has(name))
    if (keyColumns.length + known.length === 0) return undefined
    if (options.mode === 'upsert' && keyColumns.length === 0 && !options.orderBy) return undefined
    await connection.command(createTableSql(options, keyColumns, known))
    return describeTable(connection, options)
  }

  async function evolve(current: Table, needs: Needs): Promise<Table> {
    const missing = new Map<string, ColumnSpec>()
    const add = (spec: ColumnSpec | undefined) => {
      if (spec && !current.columns.has(spec.name) && !current.computed.has(spec.name)) missing.set(spec.name, spec)
    }
    if (changed) for (const spec of declared()) add(spec)
    for (const name of needs.keys) if (!current.columns.has(name)) add(specOf(name, true, needs))
    for (const name of needs.values) if (!current.columns.has(name)) add(specOf(name, false, needs))
    const changes = [...missing.values()].map((spec) => `ADD COLUMN IF NOT EXISTS ${columnSql(spec)}`)
    if (changed && !options.columns) changes.push(...widenings(current))
    if (changes.length > 0 && options.evolve) {
      await connection.command(`ALTER TABLE ${tableName(options)} ${changes.join(', ')}`)
      context.log('info', `${tableName(options)}: ${changes.join(', ')}`)
    } else warn([...missing.keys()])
    changed = false
    if (changes.length === 0 || !options.evolve) return current
    return (await describeTable(connection, options)) ?? current
  }

  function widenings({ columns, sortingKey }: Table): string[] {
    return [...specs.values()].flatMap(({ name, type }) => {
      const current = columns.get(name)
      const wider = current && !sortingKey.includes(name) && widened(current.text, type)
      return wider ? [`MODIFY COLUMN ${quoteName(name)} ${wider}`] : []
    })
  }

  function warn(names: readonly string[]) {
    const news = names.filter((name) => !warned.has(name))
    if (news.length === 0) return
    for (const name of news) warned.add(name)
    const hint = 'add them, or give the option evolve: true'
    context.log('warn', `${tableName(options)} lacks columns, their values are left out: ${news.join(', ')}`, { hint })
  }

  async function refresh(needs: Needs): Promise<Table | undefined> {
    if (!table) {
      let found = await describeTable(connection, options)
      if (!found && !options.create) throw missingTable(options, ddl())
      found ??= await create(needs)
      if (found) await check(connection, options, found, context)
      table = found
      changed = true
    }
    if (table) table = await evolve(table, needs)
    return table
  }

  const ddl = () => (keys && declared().length > 0 ? createTableSql(options, keys, declared()) : undefined)

  /** One at a time: batches of several partitions may come together. */
  function inTurn(needs: Needs): Promise<Table | undefined> {
    const turn = queue.then(() => refresh(needs))
    queue = turn.catch(() => {})
    return turn
  }

  // Without a schema of the values or the keys, a table to be made must wait for the first row.
  const canCreate = keys !== undefined && context.value?.schema !== undefined && !options.columns
  if (canCreate || !options.create || (await describeTable(connection, options))) await inTurn(NO_NEEDS)
  return {
    async ready(needs) {
      const current = await inTurn(needs)
      if (current) return current
      throw new MillraceError('SINK_REFUSED', `the first rows give no columns to make ${tableName(options)} from`, {
        hint: 'make the table yourself',
      })
    },
    spec: (name) => specs.get(name),
    announce,
    forget: () => {
      table = undefined
    },
  }
}

/** Whether the table can do what the mode promises. */
async function check(connection: Connection, options: ResolvedOptions, table: Table, context: SinkContext) {
  const name = tableName(options)
  if (options.mode === 'upsert') {
    if (replacingColumns(table)?.version !== undefined) return
    const message = `${name} is a ${table.engine}, which cannot be upserted into`
    const hint = "make it a ReplacingMergeTree(_version, _deleted), or use mode: 'append'"
    throw new MillraceError('INVALID_OPTION', message, { hint })
  }
  const known = deduplicates(table)
  if (known === undefined) {
    context.log('warn', `${name} is a ${table.engine}: an insert that is repeated after a crash may be there twice`)
  }
  if (known !== false) return
  const sql = `ALTER TABLE ${name} MODIFY SETTING non_replicated_deduplication_window = ${DEDUPLICATION_WINDOW}`
  if (options.evolve) return connection.command(sql)
  const message = `${name} does not recognise an insert that is repeated after a crash`
  throw new MillraceError('INVALID_OPTION', message, { hint: `run: ${sql}` })
}
