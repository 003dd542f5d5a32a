import { once } from 'node:events'
import { createServer, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

export interface SeenRequest {
  /** The statement, from the URL or the body. */
  readonly sql: string
  readonly token: string | null
  readonly settings: URLSearchParams
}

/** What happens to a request instead of being served: an answer, no answer, or an answer that is lost on the way. */
export type Fault =
  | { readonly status: number; readonly code?: number; readonly text?: string }
  | 'hang up'
  | 'lose the answer'
  | undefined

/** An HTTP server in front of ClickHouse that keeps what it has seen and does as it is told. */
export async function gatewayTo(target: string) {
  const seen: SeenRequest[] = []
  const { hostname, port } = new URL(target)
  const gateway = {
    url: '',
    seen,
    /** Inserts among what was seen. */
    inserts: () => seen.filter(({ sql }) => sql.startsWith('INSERT')),
    fault: (_request: SeenRequest): Fault => undefined,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  const server = createServer(async (incoming, answer) => {
    const body = await buffer(incoming)
    const { searchParams } = new URL(incoming.url!, target)
    const sql = searchParams.get('query') ?? body.toString()
    const request = { sql, token: searchParams.get('insert_deduplication_token'), settings: searchParams }
    seen.push(request)
    const fault = gateway.fault(request)
    if (fault === 'hang up') return incoming.socket.destroy()
    if (typeof fault === 'object') {
      const { status, code, text = `Code: ${code}. DB::Exception: as told. (TOLD) (version 1)` } = fault
      return answer.writeHead(status, code === undefined ? {} : { 'X-ClickHouse-Exception-Code': code }).end(text)
    }
    const { method, url: path, headers } = incoming
    const forwarded = send({ hostname, port, method, path, headers: { ...headers, host: new URL(target).host } })
    forwarded.on('response', async (response) => {
      const text = await buffer(response)
      if (fault === 'lose the answer') return incoming.socket.destroy()
      answer.writeHead(response.statusCode!, response.headers).end(text)
    })
    forwarded.on('error', () => incoming.socket.destroy())
    forwarded.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  gateway.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return gateway
}

export type Gateway = Awaited<ReturnType<typeof gatewayTo>>
