import { createRequire } from 'node:module'
import { MillraceError, toError } from '../../../errors.ts'

/** One statement with everything that belongs to it alone. */
export interface EngineRequest {
  readonly sql: string
  /** A file with the data of an INSERT that came apart from its statement. */
  readonly dataFile?: string
  /** Output format where the statement names none. */
  readonly format: string
  readonly database?: string
  /** Settings, and parameters as `param_x`, for this statement only. */
  readonly settings: ReadonlyMap<string, string>
}

export interface EngineResult {
  readonly bytes: Uint8Array
  readonly readRows: number
  readonly readBytes: number
  readonly writtenRows: number
  readonly writtenBytes: number
  readonly elapsedSeconds: number
}

export interface Engine {
  readonly version: string
  run(request: EngineRequest): Promise<EngineResult>
  /** Waits for what is running, then lets go of the data directory. */
  close(): Promise<void>
}

// chdb 3.4: the whole of what is used of it.
interface Chdb {
  readonly Session: new (path: string) => ChdbSession
}
interface ChdbSession {
  queryAsync(sql: string, options: { format: string }): Promise<ChdbResult>
  close(): void
}
interface ChdbResult {
  readonly rowsRead: number
  readonly bytesRead: number
  readonly elapsed: number
  bytes(): Uint8Array
}

/** Opens the engine on a data directory. Throws `MISSING_DEPENDENCY`, `DATA_DIRECTORY`. One per process. */
export async function openEngine(path: string): Promise<Engine> {
  const chdb = load()
  let root: ChdbSession
  try {
    root = new chdb.Session(path)
  } catch (error) {
    throw new MillraceError('DATA_DIRECTORY', `ClickHouse cannot open the directory ${path}`, { cause: error })
  }
  let running = 0
  let idle = () => {}
  const version = textOf(await root.queryAsync('SELECT version()', { format: 'TabSeparatedRaw' })).trim()

  return {
    version,
    async run(request) {
      // A session of its own per statement (0.7 ms): what SET or a parameter changes in a session stays there, and a
      // deduplication token left behind would silently swallow the next insert.
      const session = new chdb.Session(path)
      running++
      try {
        for (const prepare of preparation(request)) await session.queryAsync(prepare, { format: 'Null' })
        return await execute(session, request)
      } finally {
        session.close()
        if (--running === 0) idle()
      }
    },
    async close() {
      if (running > 0) await new Promise<void>((resolve) => (idle = resolve))
      root.close()
    },
  }
}

function load(): Chdb {
  try {
    return createRequire(import.meta.url)('chdb') as Chdb
  } catch (error) {
    const here = `${process.platform} ${process.arch}`
    throw new MillraceError('MISSING_DEPENDENCY', 'embedded ClickHouse needs the package chdb', {
      cause: error,
      hint:
        (error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'
          ? 'npm install chdb'
          : `chdb does not load on ${here} (${toError(error).message}): use a ClickHouse server`,
    })
  }
}

function* preparation({ database, settings }: EngineRequest): Generator<string> {
  if (database && database !== 'default') yield `USE ${quoteName(database)}`
  if (settings.size === 0) return
  yield `SET ${[...settings].map(([name, value]) => `${name} = ${quoteText(value)}`).join(', ')}`
}

async function execute(session: ChdbSession, { sql, dataFile, format }: EngineRequest): Promise<EngineResult> {
  const statement = dataFile === undefined ? sql : insertFromFile(sql, dataFile)
  const result = await session.queryAsync(statement, { format })
  const [rows, bytes] = [result.rowsRead, result.bytesRead]
  const written = isInsert(sql)
  return {
    bytes: written ? new Uint8Array() : result.bytes(),
    readRows: rows,
    readBytes: bytes,
    writtenRows: written ? rows : 0,
    writtenBytes: written ? bytes : 0,
    elapsedSeconds: result.elapsed,
  }
}

/**
 * The INSERT with its data taken from a file. Data behind the statement, as a client sends it, is no way into the
 * embedded engine: it ends the data at the first empty line and runs the rest as SQL.
 */
function insertFromFile(sql: string, file: string): string {
  const [, head, settings = '', format] =
    /^(.*?)(\sSETTINGS\s.*?)?\s(?:FORMAT\s+(\w+)|VALUES)[\s;]*$/is.exec(sql) ??
    fail(`this INSERT takes no data apart from its statement: ${sql}`)
  if (/\bSELECT\b/i.test(head!)) fail('INSERT … SELECT … FROM input() is not supported by embedded ClickHouse')
  return `${head} FROM INFILE ${quoteText(file)} COMPRESSION 'none'${settings} FORMAT ${format ?? 'Values'}`
}

function fail(reason: string): never {
  throw new Error(`Code: 48. DB::Exception: ${reason}. (NOT_IMPLEMENTED)`)
}

/** True for an INSERT, behind any comments. */
export function isInsert(sql: string): boolean {
  return /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*insert\b/i.test(sql)
}

const quoteText = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const quoteName = (name: string) => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
const textOf = (result: ChdbResult) => Buffer.from(result.bytes()).toString()
