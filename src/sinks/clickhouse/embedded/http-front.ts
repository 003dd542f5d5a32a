import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createGunzip } from 'node:zlib'
import { toError } from '../../../errors.ts'
import { type Engine, type EngineResult, isInsert } from './engine.ts'
import { exceptionOf, forbidden } from './exceptions.ts'
import type { Spool } from './spool.ts'

export interface FrontOptions {
  readonly username: string
  readonly password: string
}

interface Front {
  readonly engine: Engine
  readonly spool: Spool
  readonly options: FrontOptions
}

/**
 * ClickHouse's HTTP interface over the engine, as far as clients use it: `/ping`, statements by GET and POST, data of
 * inserts as the body (any bytes), settings and `param_` in the URL, the summary and exception headers. Answers are
 * complete in memory before they are sent, so an error always has its status.
 */
export function httpFront(engine: Engine, spool: Spool, options: FrontOptions): Server {
  const server = createServer((request, response) => {
    handle({ engine, spool, options }, request, response).catch((error) => fail(response, engine.version, error))
  })
  server.keepAliveTimeout = 10_000
  // An insert may wait longer for its body, or the engine for its turn, than Node's default allows.
  server.requestTimeout = 0
  return server
}

async function handle({ engine, spool, options }: Front, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (isFromBrowser(request)) throw forbidden('requests from web pages are not allowed')
  if (url.pathname === '/ping' || url.pathname === '/replicas_status') return response.end('Ok.\n')
  if (url.pathname !== '/') return response.writeHead(404).end(`There is no handle ${url.pathname}\n`)
  checkCredentials(request, url, options)

  const { format, database, settings } = separate(url.searchParams)
  const { sql, data } = await readStatement(url.searchParams.get('query') ?? '', request)
  if (sql === '') return response.end('Ok.\n')
  const dataFile = data && (await spool.write(data))
  const result = await engine
    .run({ sql, format, settings, ...(database && { database }), ...(dataFile && { dataFile }) })
    .finally(() => dataFile && spool.remove(dataFile))
  response.writeHead(200, {
    'Content-Type': 'application/octet-stream',
    'X-ClickHouse-Query-Id': url.searchParams.get('query_id') ?? '',
    'X-ClickHouse-Format': /\bformat\s+(\w+)[\s;]*$/i.exec(sql)?.[1] ?? format,
    'X-ClickHouse-Timezone': Intl.DateTimeFormat().resolvedOptions().timeZone,
    'X-ClickHouse-Summary': summary(result),
  })
  response.end(result.bytes)
}

/** Parameters of the URL that are neither settings nor query parameters of the engine. */
const OF_HTTP =
  /^(query|query_id|user|password|role|session_id|session_timeout|session_check|quota_key|compress|decompress|stacktrace|close_session|client_protocol_version|wait_end_of_query|buffer_size|send_progress_in_http_headers|enable_http_compression|http_.*)$/

function separate(parameters: URLSearchParams) {
  const settings = new Map<string, string>()
  let format = 'TabSeparated'
  let database: string | undefined
  for (const [name, value] of parameters) {
    if (name === 'default_format') format = value
    else if (name === 'database') database = value
    else if (/^\w+$/.test(name) && !OF_HTTP.test(name)) settings.set(name, value)
  }
  return { format, database, settings }
}

/** A statement, and where it is an INSERT with data of its own, those: in the body or behind the statement in it. */
async function readStatement(statement: string, request: IncomingMessage): Promise<{ sql: string; data?: Readable }> {
  const gzip = request.headers['content-encoding'] === 'gzip'
  const body = gzip ? request.pipe(createGunzip()) : request
  if (isInsert(statement) && request.method === 'POST') return { sql: statement, data: body }
  const text = (await buffer(body)).toString()
  if (statement !== '') return { sql: text === '' ? statement : `${statement}\n${text}` }
  const [, head, data] = (isInsert(text) && /^([^'"`]*?\bFORMAT\s+\w+)[ \t]*\r?\n([\s\S]*)$/i.exec(text)) || []
  return data === undefined ? { sql: text } : { sql: head!, data: Readable.from([data]) }
}

/** A page in a browser can reach 127.0.0.1 too, and the engine reads and writes files: it gets no answer. */
function isFromBrowser({ headers }: IncomingMessage): boolean {
  const host = headers.host?.replace(/:\d+$/, '')
  return headers.origin !== undefined || (host !== '127.0.0.1' && host !== 'localhost' && host !== '[::1]')
}

function checkCredentials({ headers }: IncomingMessage, url: URL, { username, password }: FrontOptions) {
  const basic = /^Basic (.+)$/.exec(headers.authorization ?? '')?.[1]
  const [, basicUser, basicPassword] = /^([^:]*):([\s\S]*)$/.exec(Buffer.from(basic ?? '', 'base64').toString()) ?? []
  const user = basicUser ?? headers['x-clickhouse-user'] ?? url.searchParams.get('user') ?? 'default'
  const key = basicPassword ?? headers['x-clickhouse-key'] ?? url.searchParams.get('password') ?? ''
  if (user === username && key === password) return
  throw new Error(
    `Code: 516. DB::Exception: ${String(user)}: Authentication failed: password is incorrect, ` +
      'or there is no user with such name. (AUTHENTICATION_FAILED)',
  )
}

function summary(result: EngineResult): string {
  return JSON.stringify({
    read_rows: String(result.readRows),
    read_bytes: String(result.readBytes),
    written_rows: String(result.writtenRows),
    written_bytes: String(result.writtenBytes),
    total_rows_to_read: '0',
    result_rows: String(result.writtenRows),
    result_bytes: String(result.writtenBytes),
    elapsed_ns: String(Math.round(result.elapsedSeconds * 1e9)),
  })
}

function fail(response: ServerResponse, version: string, error: unknown) {
  if (response.headersSent) return response.destroy()
  const { code, status, text } = exceptionOf(toError(error).message, version)
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=UTF-8',
    'X-ClickHouse-Exception-Code': String(code),
  })
  return response.end(text)
}
