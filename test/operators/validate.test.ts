import { expect, it } from 'vitest'
import { z } from 'zod'
import { json, type Rejected, stream, string, to, topology, validate } from '../../src/index.ts'
import { TopologyDriver } from '../../src/testing/index.ts'

interface Raw {
  readonly id?: string
  readonly items?: readonly { readonly price: number | string }[]
}

const raw = stream('raw', { key: string(), value: json<Raw>() })

it('splits by a schema: what it gives on one side, every reason with its path on the other', () => {
  const schema = z.object({
    id: z.string(),
    currency: z.string().default('EUR'),
    items: z.array(z.object({ price: z.number() })),
  })
  const { valid, rejected } = raw.pipe(validate(schema))
  const driver = new TopologyDriver(
    topology('checked', [
      valid.pipe(to('valid', { key: string(), value: json<{ id: string; currency: string }>() })),
      rejected.pipe(to('rejected', { key: string(), value: json<Rejected<Raw>>() })),
    ]),
  )
  driver.pipe('raw', 'a', { id: '1', items: [{ price: 3 }] }, 1, [['h', null]])
  driver.pipe('raw', 'b', { items: [{ price: 3 }, { price: 'x' }] }, 2)
  expect(driver.read('valid')).toMatchObject([
    { key: 'a', value: { id: '1', currency: 'EUR', items: [{ price: 3 }] }, timestamp: 1, headers: [['h', null]] },
  ])
  const [{ key, value, timestamp }] = driver.read<string, Rejected<Raw>>('rejected')
  expect([key, timestamp, value.value]).toEqual(['b', 2, { items: [{ price: 3 }, { price: 'x' }] }])
  expect(value.reasons.map(({ path }) => path)).toEqual(['id', 'items.1.price'])
  expect(value.reasons.every(({ message }) => message.length > 0)).toBe(true)
})

it('splits by rules: every rule that does not hold is a reason, one that throws too', () => {
  const { valid, rejected } = raw.pipe(
    validate({
      'no id': ({ id }) => id !== undefined,
      'no items': ({ items }) => items!.length > 0,
      'wrong key': (_, key) => key !== 'wrong',
    }),
  )
  const driver = new TopologyDriver(
    topology('checked', [
      valid.pipe(to('valid', { key: string(), value: json<Raw>() })),
      rejected.pipe(to('rejected', { key: string(), value: json<Rejected<Raw>>() })),
    ]),
  )
  driver.pipe('raw', 'a', { id: '1', items: [{ price: 1 }] }, 1)
  driver.pipe('raw', 'wrong', { items: [] }, 2)
  driver.pipe('raw', 'c', { id: '1' }, 3)
  expect(driver.read('valid').map(({ value }) => value)).toEqual([{ id: '1', items: [{ price: 1 }] }])
  const reasons = driver.read<string, Rejected<Raw>>('rejected').map(({ value }) => value.reasons)
  expect(reasons[0].map(({ message }) => message)).toEqual(['no id', 'no items', 'wrong key'])
  expect(reasons[1]).toEqual([{ path: '', message: expect.stringMatching(/^no items: Cannot read/) }])
})

it('refuses a schema that answers with a promise, whatever the policy', () => {
  const later = {
    '~standard': { version: 1 as const, vendor: 'later', validate: async (value: unknown) => ({ value }) },
  }
  expect(() => validate(later)).toThrow(expect.objectContaining({ code: 'INVALID_SCHEMA' }))
  // Seen only when a record comes: zod finds out while it checks.
  const { valid } = raw.pipe(validate(z.object({ id: z.string().refine(async () => true) })))
  const driver = new TopologyDriver(topology('later', [valid.pipe(to('valid', { key: string(), value: json() }))]), {
    errors: { failing: 'skip' },
  })
  expect(() => driver.pipe('raw', 'a', { id: '1' }, 1)).toThrow(expect.objectContaining({ code: 'INVALID_SCHEMA' }))
})
