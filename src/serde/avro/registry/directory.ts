import { closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../../../directories.ts'
import { MillraceError } from '../../../errors.ts'
import type { AvroSchema, SchemaRegistry } from '../../serde.ts'
import { type RegistryContent, subjectsRegistry } from './subjects.ts'

const fileName = 'schemas.json'

/**
 * A schema registry in a file `schemas.json` of a directory, which is created: what the embedded log uses, so that
 * schema ids survive restarts. Answers at once; a registration is on disk when it returns, and a crash leaves either
 * the old file or the new one. For one writing process at a time; others see what it writes.
 *
 * Throws `DATA_DIRECTORY` when the file cannot be read or written, `DISK_FULL`.
 */
export function directoryRegistry(path: string): SchemaRegistry {
  const file = join(path, fileName)
  let content: RegistryContent | undefined
  let stamp = ''

  function load(): RegistryContent {
    const now = stampOf(file)
    if (!content || now !== stamp) {
      content = now === '' ? { subjects: new Map(), schemas: new Map() } : read(file)
      stamp = now
    }
    return content
  }

  return subjectsRegistry({
    content: load,
    changed(next) {
      write(path, file, next)
      content = next
      stamp = stampOf(file)
    },
  })
}

/** Tells one state of the file from another: every write makes a new file. */
function stampOf(file: string): string {
  const stats = statSync(file, { throwIfNoEntry: false, bigint: true })
  return stats ? `${stats.ino} ${stats.mtimeNs} ${stats.size}` : ''
}

function read(file: string): RegistryContent {
  try {
    const { subjects, schemas } = JSON.parse(readFileSync(file, 'utf8'))
    return {
      subjects: new Map(Object.entries<number[]>(subjects)),
      schemas: new Map(Object.entries<AvroSchema>(schemas).map(([id, schema]) => [Number(id), schema])),
    }
  } catch (error) {
    throw new MillraceError('DATA_DIRECTORY', `the schema registry ${file} cannot be read`, {
      cause: error,
      hint: 'records cannot be decoded without it: bring it back from a backup, or begin with an empty data directory',
    })
  }
}

function write(directory: string, file: string, { subjects, schemas }: RegistryContent): void {
  const text = JSON.stringify({ subjects: Object.fromEntries(subjects), schemas: Object.fromEntries(schemas) }, null, 1)
  const temporary = `${file}.${process.pid}.new`
  try {
    makeDirectory(directory)
    const descriptor = openSync(temporary, 'w')
    try {
      writeFileSync(descriptor, text)
      fsyncSync(descriptor)
    } finally {
      closeSync(descriptor)
    }
    renameSync(temporary, file)
    syncDirectory(directory)
  } catch (error) {
    const full = (error as NodeJS.ErrnoException).code === 'ENOSPC'
    throw new MillraceError(full ? 'DISK_FULL' : 'DATA_DIRECTORY', `the schema registry ${file} cannot be written`, {
      cause: error,
    })
  }
}

/** Makes the renaming durable. Windows cannot open directories, and does not need it. */
function syncDirectory(directory: string): void {
  if (process.platform === 'win32') return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
