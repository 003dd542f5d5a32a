import { connect, createServer, type Socket } from 'node:net'

/** Kafka's numbers of the requests that tests interfere with. */
export const api = {
  produce: 0,
  fetch: 1,
  offsetCommit: 8,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  syncGroup: 14,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const

/** A request on its way to the broker, or the answer to it on its way back. */
export interface Passing {
  readonly api: number
  readonly at: 'request' | 'answer'
  /** The whole frame; what is changed in it arrives changed. */
  readonly frame: Buffer
}

/**
 * 'pass'; 'cut': the connection breaks, and the frame is not delivered; 'silence': neither this frame nor any that follows
 * on the connection is delivered, and nobody is told.
 */
export type Verdict = 'pass' | 'cut' | 'silence'

export interface KafkaProxy {
  /** Asked for every frame. */
  judge: (passing: Passing) => Verdict
  /** Breaks every connection. */
  cut(): void
  /** Takes no new connections, as if nobody were there, until `accept`. */
  refuse(): Promise<void>
  accept(): Promise<void>
  close(): Promise<void>
}

/** Stands between a client and a broker and does to their conversation what networks do. Addresses are 'host:port'. */
export async function kafkaProxy(at: string, broker: string): Promise<KafkaProxy> {
  const [host, port] = split(at)
  const [brokerHost, brokerPort] = split(broker)
  const sockets = new Set<Socket>()
  const server = createServer(serve)
  const listen = () => new Promise<void>((resolve) => server.listen(port, host, resolve))
  const unlisten = () => new Promise<void>((resolve) => server.close(() => resolve()))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }

  function serve(client: Socket): void {
    const upstream = connect(brokerPort, brokerHost)
    const apis = new Map<number, number>()
    const end = () => {
      client.destroy()
      upstream.destroy()
      sockets.delete(client)
      sockets.delete(upstream)
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', end).on('close', end)
    }
    let silent = false
    const deliver = (passing: Passing, to: Socket) => {
      if (silent) return
      const verdict = proxy.judge(passing)
      silent = verdict === 'silence'
      if (verdict === 'cut') end()
      else if (verdict === 'pass') to.write(passing.frame)
    }
    client.on(
      'data',
      frames((frame) => {
        const key = frame.readInt16BE(4)
        apis.set(frame.readInt32BE(8), key)
        deliver({ api: key, at: 'request', frame }, upstream)
      }),
    )
    upstream.on(
      'data',
      frames((frame) => deliver({ api: apis.get(frame.readInt32BE(4)) ?? -1, at: 'answer', frame }, client)),
    )
  }

  const proxy: KafkaProxy = {
    judge: () => 'pass',
    cut,
    async refuse() {
      const closed = unlisten()
      cut()
      await closed
    },
    accept: listen,
    async close() {
      const closed = server.listening ? unlisten() : Promise.resolve()
      cut()
      await closed
    },
  }
  await listen()
  return proxy
}

/** Cuts the stream into Kafka's frames, whose first four bytes are their length. */
function frames(each: (frame: Buffer) => void): (chunk: Buffer) => void {
  let held: Buffer = Buffer.alloc(0)
  return (chunk) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
    while (held.length >= 4) {
      const size = 4 + held.readInt32BE(0)
      if (held.length < size) return
      each(held.subarray(0, size))
      held = held.subarray(size)
    }
  }
}

const split = (address: string): [string, number] => {
  const colon = address.lastIndexOf(':')
  return [address.slice(0, colon), Number(address.slice(colon + 1))]
}
