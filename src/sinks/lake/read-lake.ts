import avsc from 'avsc'
import { MillraceError } from '../../errors.ts'
import type { AvroSchema } from '../../serde/serde.ts'
import { systemClock } from '../../time.ts'
import { openContainer } from './container-reader.ts'
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
 * Reads a lake file by file, in the order of {@link lakeFiles}; each file with its own schema. Throws `CORRUPT_BATCH`
 * for a file that is not whole.
 *
 * @example
 * ```ts
 * for await (const { path, rows } of readLake<{ _offset: number }>({ to: './data/lake', topic: 'orders' })) {
 *   console.log(path, rows.length)
 * }
 * ```
 */
export async function* readLake<T = Record<string, unknown>>(
  options: ReadLakeOptions,
): AsyncGenerator<LakeFileRows<T>, void, undefined> {
  const store = await openStore(parseTarget(options.to), RETRIES)
  try {
    for (const file of await filesIn(store, options)) {
      const { schema, blocks } = openContainer(await store.read(file.path), file.path)
      const type = avsc.Type.forSchema(schema as avsc.Schema)
      const rows: T[] = []
      for (const block of blocks) decodeBlock(type, block.rows, block.count, file.path, rows)
      yield { ...file, schema, rows }
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

function decodeBlock<T>(type: avsc.Type, bytes: Buffer, count: number, path: string, rows: T[]): void {
  let position = 0
  for (let i = 0; i < count; i++) {
    const { value, offset } = type.decode(bytes, position)
    if (offset < 0) throw new MillraceError('CORRUPT_BATCH', `${path}: row ${rows.length} ends in the middle`)
    rows.push(value as T)
    position = offset
  }
}
