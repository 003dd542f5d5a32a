import type { AvroSchema, Serde } from '../../serde/serde.ts'
import type { SinkBatch, SinkContext } from '../../sinks/sink.ts'

/** What the contract writes. */
export interface ContractRow {
  readonly id: string
  readonly amount: number
  readonly note: string | null
  /** Only in rows of {@link CONTRACT_SCHEMA_V2}. */
  readonly coupon?: string
  readonly score?: number | null
}

const FIELDS = [
  { name: 'id', type: 'string' },
  { name: 'amount', type: 'double' },
  { name: 'note', type: ['null', 'string'], default: null },
]

/** The schema of rows without `coupon` and `score`. */
export const CONTRACT_SCHEMA: AvroSchema = { type: 'record', name: 'ContractRow', fields: FIELDS }

/** The next version of the schema: two more fields, with a plain default and with a null one. */
export const CONTRACT_SCHEMA_V2: AvroSchema = {
  type: 'record',
  name: 'ContractRow',
  fields: [
    ...FIELDS,
    { name: 'coupon', type: 'string', default: 'none' },
    { name: 'score', type: ['null', 'int'], default: null },
  ],
}

/** A serde of which a sink only reads `format` and `schema`. */
function describedSerde(format: string, schema: AvroSchema): Serde<unknown> {
  return {
    format,
    schema,
    open() {
      throw new Error('a sink must not open the serdes of what it is given')
    },
  }
}

export interface ContractContext extends SinkContext {
  readonly retries: Error[]
  /** Tells the sink that values of a new schema are about to come. */
  announce(schema: AvroSchema): void
}

/** A context as the runtime gives it, for values of `schema`. */
export function contractContext(schema: AvroSchema = CONTRACT_SCHEMA): ContractContext {
  const retries: Error[] = []
  const listeners: ((schema: AvroSchema) => void)[] = []
  return {
    application: 'contract',
    key: describedSerde('string', 'string'),
    value: describedSerde('avro(ContractRow)', schema),
    log: () => {},
    onRetry: (error) => void retries.push(error),
    onSchema: (listener) => void listeners.push(listener),
    retries,
    announce: (next) => {
      for (const listener of listeners) listener(next)
    },
  }
}

/** A row of which every column says who it is. */
export function contractRow(i: number, over: Partial<ContractRow> = {}): ContractRow {
  return { id: `r${i}`, amount: i / 4, note: i % 3 === 0 ? null : `note ${i}`, ...over }
}

/** A batch of one partition, its first row at `firstOffset`, one source offset and one second per row; keyed by `id`. */
export function contractBatch(
  rows: readonly (ContractRow | { readonly deleted: string })[],
  firstOffset = 0,
  partition = 0,
): SinkBatch<string, ContractRow> {
  const lastOffset = firstOffset + Math.max(0, rows.length - 1)
  return {
    range: { topic: 'contract-source', partition, firstOffset, lastOffset },
    keys: rows.map((row) => ('deleted' in row ? row.deleted : row.id)),
    values: rows.map((row) => ('deleted' in row ? null : row)),
    timestamps: rows.map((_, i) => 1_750_000_000_000 + (firstOffset + i) * 1000),
    offsets: rows.map((_, i) => firstOffset + i),
  }
}
