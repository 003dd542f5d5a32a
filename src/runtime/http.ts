import { createServer, type Server } from 'node:http'
import { MillraceError } from '../errors.ts'
import type { Status } from './status.ts'

/** Serves /metrics (Prometheus), /healthz (alive) and /readyz (assigned, restored and running). */
export interface HealthServer {
  readonly port: number
  close(): Promise<void>
}

/** Metrics as text, in the format that the registry names. */
export interface ServedMetrics {
  readonly registry: { readonly contentType: string }
  text(): Promise<string>
}

/** Throws `PORT_IN_USE`. Port 0 takes a free one. */
export async function serveHealth(
  { port, host = '127.0.0.1' }: { readonly port: number; readonly host?: string },
  metrics: ServedMetrics,
  status: Pick<Status, 'current'>,
): Promise<HealthServer> {
  const server = createServer(async (request, response) => {
    const answer = (code: number, type: string, body: string) =>
      response.writeHead(code, { 'content-type': type }).end(body)
    const json = (ok: boolean, body: object) => answer(ok ? 200 : 503, 'application/json', `${JSON.stringify(body)}\n`)
    const { phase, tasks, standbys, waitingFor, error } = status.current
    const waiting = Object.fromEntries(waitingFor)
    switch (request.url) {
      case '/metrics':
        return answer(200, metrics.registry.contentType, await metrics.text())
      case '/healthz':
        return json(phase !== 'failed', { phase, waitingFor: waiting, ...(error && { error: error.message }) })
      case '/readyz':
        return json(phase === 'running', { phase, tasks, standbys, waitingFor: waiting })
      default:
        return answer(404, 'text/plain', 'there is /metrics, /healthz and /readyz\n')
    }
  })
  await listen(server, port, host)
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === 'EADDRINUSE'
          ? new MillraceError('PORT_IN_USE', `port ${port} on ${host} is taken by another program`, {
              cause,
              hint: 'choose another: http: { port: 9465 }, or 0 for any free one',
            })
          : cause,
      )
    })
    server.listen(port, host, resolve)
  })
}
