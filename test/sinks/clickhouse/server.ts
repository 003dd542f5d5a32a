import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { embeddedClickHouse } from '../../../src/sinks/clickhouse/index.ts'

/** An embedded ClickHouse in a directory of its own. */
export async function testServer() {
  const path = mkdtempSync(join(tmpdir(), 'millrace-clickhouse-'))
  const server = await embeddedClickHouse({ path })
  return {
    server,
    url: server.url,
    async run(sql: string): Promise<string> {
      const response = await fetch(server.url, { method: 'POST', body: sql })
      const text = await response.text()
      if (!response.ok) throw new Error(text)
      return text
    },
    /** The rows of a query; NaN, infinities and 64-bit integers as texts. */
    async rows<T extends object>(sql: string): Promise<T[]> {
      const settings = 'output_format_json_quote_denormals = 1, output_format_json_quote_64bit_integers = 1'
      const text = await this.run(`${sql} FORMAT JSONEachRow SETTINGS ${settings}`)
      const lines = text.split('\n').filter((line) => line !== '')
      return lines.map((line) => JSON.parse(line))
    },
    /** Names and types of the columns of a table, in their order. */
    async columns(table: string): Promise<Record<string, string>> {
      const found = await this.rows<{ name: string; type: string }>(
        `SELECT name, type FROM system.columns WHERE table = '${table}' ORDER BY position`,
      )
      return Object.fromEntries(found.map(({ name, type }) => [name, type]))
    },
    async close() {
      await server.close()
      rmSync(path, { recursive: true, force: true })
    },
  }
}

export type TestServer = Awaited<ReturnType<typeof testServer>>
