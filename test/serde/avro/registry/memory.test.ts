import { expect, test } from 'vitest'
import { memoryRegistry } from '../../../../src/serde/avro/registry/memory.ts'
import { registryContract } from '../../../../src/testing/contracts/registry.ts'

registryContract('memory', () => memoryRegistry())

test('answers at once', () => {
  const registry = memoryRegistry([{ subject: 'a', schema: 'int' }])
  expect(registry.latest('a')).toEqual({ id: 1, schema: 'int' })
  expect(registry.register('b', 'int')).toBe(1)
  expect(registry.register('b', 'long')).toBe(2)
  expect(registry.compatible('b', 'int')).toBe(false)
})

test('a schema that differs in its documentation is the same', () => {
  const record = (doc: string) => ({ type: 'record', name: 'R', doc, fields: [{ name: 'a', type: 'int', doc }] })
  const registry = memoryRegistry([{ subject: 'a', schema: record('one') }])
  expect(registry.register('a', record('other'))).toBe(1)
})
