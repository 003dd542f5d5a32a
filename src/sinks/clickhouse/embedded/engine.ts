import { createRequire } from 'node:module'
import { MillraceError, toError } from '../../../errors.ts'

/** One statement with everything that belongs to it alone. */
export interface EngineRequest {
  readonly sql: string
  /** Data of an INSERT that came apart from its statement. */
  readonly body?: Buffer
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

// chdb 3.4: the whole of what is used of it. `insert` of its public API takes text formats only and quotes no names;
// the addon below it takes any bytes, zero-copy, behind any INSERT. test/sinks/clickhouse/embedded fails when it moves.
interface Chdb {
  readonly Session: new (path: string) => ChdbSession
}
interface ChdbSession {
  readonly connection: unknown
  queryAsync(sql: string, options: { format: string }): Promise<ChdbResult>
  close(): void
}
interface ChdbResult {
  readonly rowsRead: number
  readonly bytesRead: number
  readonly elapsed: number
  bytes(): Uint8Array
}
interface ChdbAddon {
  InsertRawAsyncConnection(
    connection: unknown,
    prefix: string,
    body: Buffer,
    countLines: boolean,
  ): Promise<{ rowsWritten: number; bytesWritten: number; elapsed: number }>
}

const ADDONS: Readonly<Record<string, string>> = {
  'darwin-arm64': '@chdb/lib-darwin-arm64',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
  'linux-x64': '@chdb/lib-linux-x64-gnu',
}

/** Opens the engine on a data directory. Throws `MISSING_DEPENDENCY`, `DATA_DIRECTORY`. One per process. */
export async function openEngine(path: string): Promise<Engine> {
  const { chdb, addon } = load()
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
        return await (isInsert(request.sql) ? insert(addon, session, request) : query(session, request))
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

function load(): { chdb: Chdb; addon: ChdbAddon } {
  const require = createRequire(import.meta.url)
  const name = ADDONS[`${process.platform}-${process.arch}`]
  try {
    const chdb = require('chdb') as Chdb
    const addon = createRequire(require.resolve('chdb'))(name ?? 'no addon for this platform') as ChdbAddon
    if (typeof addon.InsertRawAsyncConnection !== 'function') throw new Error('this version of chdb is not supported')
    return { chdb, addon }
  } catch (error) {
    throw new MillraceError('MISSING_DEPENDENCY', `embedded ClickHouse needs the package chdb: ${firstLine(error)}`, {
      cause: error,
      hint: name
        ? 'npm install chdb'
        : `chdb has no build for ${process.platform} ${process.arch}: use a ClickHouse server`,
    })
  }
}

function* preparation({ database, settings }: EngineRequest): Generator<string> {
  if (database && database !== 'default') yield `USE ${quoteName(database)}`
  if (settings.size === 0) return
  yield `SET ${[...settings].map(([name, value]) => `${name} = ${quoteText(value)}`).join(', ')}`
}

async function query(session: ChdbSession, { sql, body, format }: EngineRequest): Promise<EngineResult> {
  const result = await session.queryAsync(body?.length ? `${sql}\n${body}` : sql, { format })
  return {
    bytes: result.bytes(),
    readRows: result.rowsRead,
    readBytes: result.bytesRead,
    writtenRows: 0,
    writtenBytes: 0,
    elapsedSeconds: result.elapsed,
  }
}

async function insert(addon: ChdbAddon, session: ChdbSession, { sql, body }: EngineRequest): Promise<EngineResult> {
  const nothing = { bytes: new Uint8Array(), readRows: 0, readBytes: 0, writtenRows: 0, writtenBytes: 0 }
  // The engine refuses an INSERT … FORMAT without data (108); over HTTP a server takes it as no rows.
  if (body?.length === 0 && /\bFORMAT\s+\w+\s*$/i.test(sql)) return { ...nothing, elapsedSeconds: 0 }
  const data = body ?? Buffer.alloc(0)
  const result = await addon.InsertRawAsyncConnection(session.connection, sql, data, false)
  return {
    ...nothing,
    writtenRows: result.rowsWritten,
    writtenBytes: result.bytesWritten,
    elapsedSeconds: result.elapsed,
  }
}

/** True for an INSERT, behind any comments. */
export function isInsert(sql: string): boolean {
  return /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)*insert\b/i.test(sql)
}

const quoteText = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const quoteName = (name: string) => `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``
const textOf = (result: ChdbResult) => Buffer.from(result.bytes()).toString()
const firstLine = (thrown: unknown) =>
  toError(thrown)
    .message.replace(/\s*\n\s*/g, ' ')
    .trim()
