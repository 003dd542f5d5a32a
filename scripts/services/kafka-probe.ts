import { connect } from 'node:net'

/** Asks a broker for the cluster's metadata and throws unless it lists a broker: a node that has only just started lists none. */
export function probeBroker(host: string, port: number, patience = 2_000): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, timeout: patience })
    let answer = Buffer.alloc(0)
    const settle = (error?: Error) => {
      socket.destroy()
      if (error) reject(error)
      else resolve()
    }
    socket.once('connect', () => socket.write(metadataRequest))
    socket.once('timeout', () => settle(new Error('no answer')))
    socket.once('error', settle)
    socket.once('close', () => settle(new Error('the connection was closed')))
    socket.on('data', (chunk) => {
      answer = Buffer.concat([answer, chunk])
      if (answer.length < 12) return
      const brokers = answer.readInt32BE(8) // after the size and the correlation id
      settle(brokers > 0 ? undefined : new Error('the broker is still fenced by its controller'))
    })
  })
}

// Metadata v1 for no topic: size, api key 3, version 1, correlation id, no client id, an empty array.
const metadataRequest = Buffer.from('0000000e' + '0003' + '0001' + '00000001' + 'ffff' + '00000000', 'hex')
