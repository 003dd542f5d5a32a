import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A way to a server that can be cut. */
export interface Proxy {
  readonly url: string
  /** Cuts every connection and takes no new one. */
  cut(): Promise<void>
  mend(): Promise<void>
  close(): Promise<void>
}

export async function proxyTo(target: string): Promise<Proxy> {
  const sockets = new Set<Socket>()
  const port = Number(new URL(target).port)
  let server: Server

  async function listen(at: number) {
    server = createServer((incoming) => {
      const outgoing = connect(port, '127.0.0.1')
      for (const socket of [incoming, outgoing]) {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          sockets.delete(socket)
          incoming.destroy()
          outgoing.destroy()
        })
      }
      incoming.pipe(outgoing).pipe(incoming)
    })
    server.listen(at, '127.0.0.1')
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }

  async function cut() {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
  }

  const own = await listen(0)
  return {
    url: `http://127.0.0.1:${own}`,
    cut,
    async mend() {
      await listen(own)
    },
    async close() {
      if (server.listening) await cut()
    },
  }
}
