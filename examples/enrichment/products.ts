import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { RejectedRecord } from 'millrace'
import type { LookUp } from './job.ts'
import type { Product } from './model.ts'

/** Products with numbers like this have been taken off the shelves, yet somebody sells them. */
export const isUnknown = (product: number): boolean => product % 200 === 13

export function productOf(product: number): Product {
  return { name: `Product ${product}`, vat: product % 3 === 0 ? 0.07 : 0.19 }
}

/** Asks the service over HTTP. */
export const lookUpAt =
  (url: string): LookUp =>
  async (product, signal) => {
    const answer = await fetch(`${url}/products/${product}`, { signal })
    // Nobody will know it the next time either: to the dead letters. Anything else may be better in a moment.
    if (answer.status === 404) throw new RejectedRecord('no such product')
    if (!answer.ok) throw new Error(`the product service answers ${answer.status}`)
    return (await answer.json()) as Product
  }

export interface ProductService {
  readonly url: string
  /** How often it was asked, failed attempts included. */
  readonly requests: number
  close(): Promise<void>
}

/** A product service on this machine: slow, and every fiftieth time too busy to answer. */
export async function startProductService({ slowMs = 10 } = {}): Promise<ProductService> {
  let requests = 0
  const server = createServer(async ({ url = '' }, response) => {
    const turn = ++requests
    await delay(1 + (turn % slowMs))
    const product = Number(url.split('/').at(-1))
    const status = turn % 50 === 0 ? 503 : isUnknown(product) ? 404 : 200
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(status === 200 ? JSON.stringify(productOf(product)) : '')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get requests() {
      return requests
    },
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
