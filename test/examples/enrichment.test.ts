import { afterEach, expect, it } from 'vitest'
import { enrichmentExample } from '../../examples/enrichment/example.ts'
import { expected } from '../../examples/enrichment/expected.ts'
import { generate } from '../../examples/enrichment/generate.ts'
import { enrichment, type LookUp } from '../../examples/enrichment/job.ts'
import type { Enriched } from '../../examples/enrichment/model.ts'
import {
  isUnknown,
  lookUpAt,
  type ProductService,
  productOf,
  startProductService,
} from '../../examples/enrichment/products.ts'
import { observe, RejectedRecord } from '../../src/index.ts'
import { driven, fates, partsInMemory, playInMemory } from './play.ts'

const lake = () => observe<string, Enriched>('lake')
const atOnce: LookUp = async (product) => {
  if (isUnknown(product)) throw new RejectedRecord('no such product')
  return productOf(product)
}

let service: ProductService | undefined
afterEach(() => service?.close())

it.each([
  [1, 1],
  [2, 3],
])('seed %i over %i partitions: users are as of the time of the transaction', async (seed, partitions) => {
  const arrivals = generate(seed, 3_000)
  const example = enrichmentExample(atOnce, lake, partitions)
  const { driver, read } = await driven(enrichment(atOnce, lake()), example, arrivals, partitions)
  const { problems } = await example.check(read, arrivals, partsInMemory('enrichment'))
  expect(problems).toEqual([])
  const { enriched, unknown } = expected(arrivals, partitions)
  expect(unknown).toBeGreaterThan(5)
  expect(new Set([...enriched.values()].map(({ segment }) => segment)).size).toBe(3)
  const { broken, late, copy } = fates(arrivals)
  expect(late).toBeGreaterThan(0)
  expect(copy).toBeGreaterThan(2)
  expect(driver.deadLetters().length + driver.droppedByReason().get('null-key')!).toBe(broken + unknown)
})

it('asks a slow service that fails now and then, and loses nothing', async () => {
  service = await startProductService({ slowMs: 3 })
  const arrivals = generate(3, 600)
  const { problems, lines } = await playInMemory(enrichmentExample(lookUpAt(service.url), lake), arrivals)
  expect(problems).toEqual([])
  const transactions = Number(lines[0].split(' ')[0])
  expect(transactions).toBeGreaterThan(400)
  // The attempts that failed are on top.
  expect(service.requests).toBeGreaterThan(transactions + 5)
})
