import { once } from 'node:events'
import { createServer, type IncomingMessage, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** What happens to a request instead of being served as it is; `lateMs` waits first, and then serves it. */
export type S3Fault =
  | { readonly status: number }
  | { readonly lateMs: number }
  /** The connection ends when half of what is sent has arrived. */
  | 'cut'
  /** It is carried out, and the answer does not arrive. */
  | 'lose the answer'
  | undefined

/** An HTTP server in front of an S3 server that does to requests as it is told. */
export async function s3Gateway(endpoint: string) {
  const { hostname, port } = new URL(endpoint)
  const gateway = {
    endpoint: '',
    /** Answers with 412: an object was there already. */
    present: 0,
    fault: (_method: string, _path: string): S3Fault => undefined,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  const server = createServer(async (incoming, answer) => {
    const { method, url, headers } = incoming
    const fault = gateway.fault(method!, url!)
    if (fault === 'cut') return cutInMidBody(incoming)
    if (typeof fault === 'object' && 'status' in fault) {
      incoming.resume()
      await once(incoming, 'end')
      return answer.writeHead(fault.status).end()
    }
    const body = await buffer(incoming)
    // The fault itself: an answer that comes late.
    if (typeof fault === 'object') await new Promise((resolve) => setTimeout(resolve, fault.lateMs))
    // The host is as the client signed it.
    const forwarded = request({ hostname, port, method, path: url, headers })
    forwarded.on('response', async (response) => {
      const content = await buffer(response)
      if (response.statusCode === 412) gateway.present++
      if (fault === 'lose the answer') return incoming.socket.destroy()
      answer.writeHead(response.statusCode!, response.headers).end(content)
    })
    forwarded.on('error', () => incoming.socket.destroy())
    forwarded.end(body)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  gateway.endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return gateway
}

export type S3Gateway = Awaited<ReturnType<typeof s3Gateway>>

function cutInMidBody(incoming: IncomingMessage): void {
  const half = Number(incoming.headers['content-length'] ?? 0) / 2
  let arrived = 0
  incoming.on('data', (chunk: Buffer) => {
    arrived += chunk.length
    if (arrived >= half) incoming.socket.destroy()
  })
}
