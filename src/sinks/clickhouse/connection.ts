import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { MillraceError, toError } from '../../errors.ts'
import { ServerFailure } from './failures.ts'
import type { ConnectionOptions } from './options.ts'

/** A ClickHouse server. Throws {@link ServerFailure} for what it answers, and socket errors when it does not. */
export interface Connection {
  /** Without credentials, for messages. */
  readonly url: string
  /** Runs a statement that has no result. */
  command(sql: string): Promise<void>
  /** The rows of a query; `{name:Type}` in it are parameters. */
  rows<T>(sql: string, parameters?: Record<string, unknown>): Promise<T[]>
  /** Runs an `INSERT … FORMAT Native` with one block. */
  insert(sql: string, block: Buffer, settings: Settings): Promise<void>
  close(): Promise<void>
}

type Settings = Readonly<Record<string, string | number>>

interface Request {
  readonly query: string
  readonly query_params?: Record<string, unknown>
  readonly values?: Readable
  readonly clickhouse_settings?: Settings
}

/** Throws `MISSING_DEPENDENCY` without @clickhouse/client, `INVALID_OPTION` without a usable url. */
export async function connect(options: ConnectionOptions): Promise<Connection> {
  const { address, username, password } = locate(options)
  const { createClient, ClickHouseLogLevel } = await loadClient()
  const client = createClient({
    url: address,
    username,
    password,
    application: 'millrace',
    request_timeout: options.requestTimeoutMs ?? 120_000,
    keep_alive: { enabled: true },
    // It logs every failed request, with its settings; failures are reported by what this module throws.
    log: { level: ClickHouseLogLevel.OFF },
    ...(options.database !== undefined && { database: options.database }),
    ...(options.tls !== undefined && { tls: options.tls }),
  })

  // `exec` alone leaves the answer to a failed request as it is, with its status.
  async function run(request: Request): Promise<string> {
    const answer = await client.exec({ ...request, ignore_error_response: true })
    const body = await text(answer.stream)
    const status = answer.http_status_code ?? 200
    // An error after the first bytes of an answer comes in its body, with status 200.
    if (status < 300 && !/^Code: \d+\. DB::/m.test(body)) return body
    const [, code, message = body.slice(0, 500)] = /Code: (\d+)\. DB::\w*Exception: (.*)/s.exec(body) ?? []
    throw new ServerFailure(code === undefined ? undefined : Number(code), status, message.trim())
  }

  return {
    url: address,
    async command(query) {
      await run({ query })
    },
    async rows<T>(query: string, query_params = {}) {
      const body = await run({ query: `${query} FORMAT JSONEachRow`, query_params })
      return body
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as T)
    },
    async insert(query, block, clickhouse_settings) {
      await run({ query, values: Readable.from([block], { objectMode: false }), clickhouse_settings })
    },
    close: () => client.close(),
  }
}

function locate({ url = process.env.CLICKHOUSE_URL, username, password }: ConnectionOptions) {
  if (url === undefined) {
    throw new MillraceError('INVALID_OPTION', 'clickhouse: no url', {
      hint: "give clickhouse({ url: 'http://localhost:8123' }) or set CLICKHOUSE_URL",
    })
  }
  const parsed = URL.parse(url)
  // The url itself stays out of the message: it may hold a password.
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw new MillraceError('INVALID_OPTION', 'clickhouse: the url is not one of http or https', {
      hint: "it looks like 'http://localhost:8123'; the native protocol's port 9000 is not used",
    })
  }
  const credentials = {
    username: username ?? (decodeURIComponent(parsed.username) || 'default'),
    password: password ?? decodeURIComponent(parsed.password),
  }
  parsed.username = ''
  parsed.password = ''
  return { address: parsed.href.replace(/\/$/, ''), ...credentials }
}

async function loadClient() {
  try {
    return await import('@clickhouse/client')
  } catch (error) {
    throw new MillraceError('MISSING_DEPENDENCY', `clickhouse() needs @clickhouse/client: ${toError(error).message}`, {
      cause: error,
      hint: 'npm install @clickhouse/client',
    })
  }
}
