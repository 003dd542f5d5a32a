import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Rows } from '../../src/state/rows.ts'
import { hashOf, SlotTable } from '../../src/state/slot-table.ts'

const ids = fc.oneof(
  fc.nat(80),
  fc.nat(80).map((n) => `key-${n}`),
  fc.constantFrom(0, -0, 0.1, Number.NaN, 2 ** 53, '', 'ä', 7n, true, false),
)
const steps = fc.array(fc.record({ deletes: fc.nat(2).map((n) => n === 0), id: ids }), {
  minLength: 50,
  maxLength: 400,
})

it('holds what a map holds, and finds it whatever was taken out in between', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const rows = new Rows<unknown>({ width: 0 })
      const table = new SlotTable()
      const model = new Map<unknown, number>()
      for (const { id, deletes } of all) {
        const slot = table.find(rows, id, hashOf(id))
        expect(slot).toBe(model.get(id) ?? -1)
        if (slot < 0) {
          const made = rows.take(id, id, 0, 0, new Float64Array(0))
          table.put(hashOf(id), made)
          model.set(id, made)
        } else if (deletes) {
          table.delete(hashOf(id), slot)
          rows.free(slot)
          model.delete(id)
        }
        expect(table.size).toBe(model.size)
      }
      for (const [id, slot] of model) expect(table.find(rows, id, hashOf(id))).toBe(slot)
      expect([...table.slots()]).toEqual([...model.values()].sort((a, b) => a - b))
    }),
  )
})

it('tells keys apart that have one hash', () => {
  const rows = new Rows<string>({ width: 0 })
  const table = new SlotTable()
  const slots = ['a', 'b', 'c'].map((key) => {
    const slot = rows.take(key, key, 0, 0, new Float64Array(0))
    table.put(1, slot)
    return slot
  })
  expect(table.find(rows, 'c', 1)).toBe(slots[2])
  expect(table.find(rows, 'd', 1)).toBe(-1)
  table.delete(1, slots[0])
  expect(table.find(rows, 'c', 1)).toBe(slots[2])
  expect(table.find(rows, 'a', 1)).toBe(-1)
})

it('knows keys that are objects by what identifies them', () => {
  const rows = new Rows<object>({ width: 0 })
  const table = new SlotTable()
  const slot = rows.take({ n: 1 }, '{"n":1}', 0, 0, new Float64Array(0))
  table.put(hashOf('{"n":1}'), slot)
  expect(table.find(rows, '{"n":1}', hashOf('{"n":1}'))).toBe(slot)
  expect(table.find(rows, '{"n":2}', hashOf('{"n":2}'))).toBe(-1)
})

it('holds nothing of what it held when it is used again', () => {
  const rows = new Rows<unknown>({ width: 0 })
  const fill = (table: SlotTable, of: string) => {
    for (let n = 0; n < 100; n++) {
      const id = `${of}-${n}`
      table.put(hashOf(id), rows.take(id, id, 0, 0, new Float64Array(0)))
    }
  }
  const table = new SlotTable()
  fill(table, 'before')
  const { room } = table
  expect(table.clear().size).toBe(0)
  expect(table.find(rows, 'before-1', hashOf('before-1'))).toBe(-1)
  expect(table.slots()).toHaveLength(0)
  fill(table, 'after')
  expect(table.room).toBe(room)
  expect(rows.key(table.find(rows, 'after-1', hashOf('after-1')))).toBe('after-1')
})
