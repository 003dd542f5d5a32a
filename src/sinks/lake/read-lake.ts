import { MillraceError, toError } from '../../errors.ts'
import { compileDecoder, type Decoder } from '../../serde/avro/decoder.ts'
import { Fault } from '../../serde/avro/fault.ts'
import { resolve } from '../../serde/avro/resolve.ts'
import { asJson, parseSchema } from '../../serde/avro/schema.ts'
import { ByteWriter, byteSource } from '../../serde/bytes.ts'
import type { AvroSchema } from '../../serde/serde.ts'
import { systemClock } from '../../time.ts'
import { writeLong } from './avro-varint.ts'
import { type OpenContainer, openContainer } from './container-reader.ts'
import { fileSchema } from './file-schema.ts'
import { compareLakeFiles, type LakeFileName, parseLakePath } from './layout.ts'
import { openStore } from './open-store.ts'
import type { LakeStore } from './store.ts'
import { type LakeTarget, parseTarget } from './target.ts'

export interface ReadLakeOptions {
  /** As for `lake`. */
  readonly to: LakeTarget
  /** Only this topic. */
  readonly topic?: string
  /** Only this day, '2025-06-15'; needs `topic`. */
  readonly dt?: string
}

export interface ReadRowsOptions extends ReadLakeOptions {
  /**
   * The schema of the values that are wanted, by Avro's rules: rows written under an older one get the defaults of new
   * fields. The fields of `includeMetadata` come along where a file has them. Default: each file's own.
   */
  readonly schema?: AvroSchema
  /** Longs as bigints, as for `avro`. */
  readonly bigint?: boolean
}

/** A file of a lake, and what its path says. */
export interface LakeFile extends LakeFileName {
  /** Below the lake's root. */
  readonly path: string
  /** In bytes. */
  readonly size: number
}

/** A file of a lake with what is in it. */
export interface LakeFileRows<T> extends LakeFile {
  /** The schema that the file was written with. */
  readonly schema: AvroSchema
  readonly rows: readonly T[]
}

/**
 * The files of a lake, sorted by topic, day, hour, partition and offset; without rows being read. Files that are not
 * named as a lake's are passed over. Throws as `lake` does.
 */
export async function lakeFiles(options: ReadLakeOptions): Promise<LakeFile[]> {
  return withStore(options, (store) => filesIn(store, options))
}

/**
 * Reads a lake file by file, in the order of {@link lakeFiles}. Values are as `avro` gives them: timestamps are numbers,
 * decimals texts. Throws `CORRUPT_BATCH` for a file that is not whole, `INCOMPATIBLE_SCHEMA` for one that cannot be
 * read as `schema`.
 *
 * @example
 * ```ts
 * for await (const { path, rows } of readLake<{ _offset: number }>({ to: './data/lake', topic: 'orders' })) {
 *   console.log(path, rows.length)
 * }
 * ```
 */
export async function* readLake<T = Record<string, unknown>>(
  options: ReadRowsOptions,
): AsyncGenerator<LakeFileRows<T>, void, undefined> {
  const store = await openStore(parseTarget(options.to), RETRIES)
  const decoders = new Map<string, Decoder<T[]>>()
  try {
    for (const file of await filesIn(store, options)) {
      const container = openContainer(await store.read(file.path), file.path)
      let decode = decoders.get(container.schemaJson)
      if (!decode) decoders.set(container.schemaJson, (decode = blockDecoder<T>(container.schema, options)))
      yield { ...file, schema: container.schema, rows: decodeRows(container, decode, file.path) }
    }
  } finally {
    store.close()
  }
}

const RETRIES = { clock: systemClock, attempts: 4, firstDelay: 100, onRetry: () => {} }

async function withStore<T>(options: ReadLakeOptions, use: (store: LakeStore) => Promise<T>): Promise<T> {
  const store = await openStore(parseTarget(options.to), RETRIES)
  try {
    return await use(store)
  } finally {
    store.close()
  }
}

async function filesIn(store: LakeStore, { topic, dt }: ReadLakeOptions): Promise<LakeFile[]> {
  if (dt !== undefined && topic === undefined) {
    throw new MillraceError('INVALID_OPTION', 'readLake: `dt` without `topic`', { hint: 'name the topic too' })
  }
  const folder = topic === undefined ? '' : `topic=${encodeURIComponent(topic)}/`
  const files: LakeFile[] = []
  for await (const { path, size } of store.list(dt === undefined ? folder : `${folder}dt=${dt}/`)) {
    const name = parseLakePath(path)
    if (name) files.push({ path, size, ...name })
  }
  return files.sort(compareLakeFiles)
}

/** Rows lie in a block like items in an array, so a whole block is decoded as one. */
function blockDecoder<T>(written: AvroSchema, { schema, bigint = false }: ReadRowsOptions): Decoder<T[]> {
  const writer = parseSchema({ type: 'array', items: written })
  const wanted = schema === undefined ? written : fileSchema(schema, hasMetadata(written)).schema
  return compileDecoder<T[]>(resolve(writer, parseSchema({ type: 'array', items: wanted }), bigint), bigint)
}

function hasMetadata(written: AvroSchema): boolean {
  const { fields } = asJson(written) as { fields?: readonly { name: string }[] }
  return fields?.some((field) => field.name === '_offset') ?? false
}

function decodeRows<T>({ blocks }: OpenContainer, decode: Decoder<T[]>, path: string): T[] {
  const decoded = blocks.map(({ count, rows }) => {
    const array = new ByteWriter(rows.length + 11)
    writeLong(array, count)
    array.raw(rows)
    array.uint8(0) // no further items
    try {
      return decode(byteSource(array.bytes()), 0, array.position)
    } catch (cause) {
      const code = cause instanceof Fault && cause.incompatible ? 'INCOMPATIBLE_SCHEMA' : 'CORRUPT_BATCH'
      throw new MillraceError(code, `cannot read the rows of ${path}: ${toError(cause).message}`, { cause })
    }
  })
  return decoded.flat()
}
