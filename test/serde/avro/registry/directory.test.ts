import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { directoryRegistry } from '../../../../src/serde/avro/registry/directory.ts'
import { registryContract } from '../../../../src/testing/contracts/registry.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-registry-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

registryContract('directory', () => directoryRegistry(join(directory, 'made', 'for', 'it')))

test('ids survive a restart', () => {
  const before = directoryRegistry(directory)
  expect([before.register('a', 'int'), before.register('a', 'long'), before.register('b', 'string')]).toEqual([1, 2, 3])
  const after = directoryRegistry(directory)
  expect(after.schema(1)).toBe('int')
  expect(after.latest('a')).toEqual({ id: 2, schema: 'long' })
  expect(after.register('b', 'string')).toBe(3)
  expect(after.register('c', 'bytes')).toBe(4)
})

test('what another instance registers is seen', () => {
  const one = directoryRegistry(directory)
  const other = directoryRegistry(directory)
  expect(one.register('a', 'int')).toBe(1)
  expect(other.schema(1)).toBe('int')
  expect(other.register('b', 'long')).toBe(2)
  expect(one.register('c', 'string')).toBe(3)
})

test('nothing is written before something is registered, and nothing is left beside the file', () => {
  const registry = directoryRegistry(directory)
  expect(registry.idOf('a', 'int')).toBeUndefined()
  expect(readdirSync(directory)).toEqual([])
  void registry.register('a', 'int')
  expect(readdirSync(directory)).toEqual(['schemas.json'])
  expect(JSON.parse(readFileSync(join(directory, 'schemas.json'), 'utf8'))).toEqual({
    subjects: { a: [1] },
    schemas: { 1: 'int' },
  })
})

test('a temporary file of a writer that was killed does not matter', () => {
  void directoryRegistry(directory).register('a', 'int')
  writeFileSync(join(directory, 'schemas.json.123.new'), '{"subj')
  expect(directoryRegistry(directory).schema(1)).toBe('int')
})

test('a damaged file is never taken for an empty registry', () => {
  writeFileSync(join(directory, 'schemas.json'), '{"subj')
  const registry = directoryRegistry(directory)
  for (const ask of [() => registry.schema(1), () => registry.register('a', 'int'), () => registry.idOf('a', 'int')]) {
    expect(ask).toThrow(expect.objectContaining({ code: 'DATA_DIRECTORY', retriable: false }))
  }
})

test('a registration that could not be written has not happened', () => {
  void directoryRegistry(directory).register('a', 'int')
  const registry = directoryRegistry(directory)
  expect(registry.idOf('a', 'int')).toBe(1)
  // A directory in place of the temporary file fails for everybody, also for root, whom permissions do not stop.
  const blocked = join(directory, 'blocked')
  writeFileSync(blocked, '')
  chmodSync(blocked, 0o400)
  const nowhere = directoryRegistry(join(blocked, 'in', 'a', 'file'))
  expect(() => nowhere.register('a', 'int')).toThrow(expect.objectContaining({ code: 'DATA_DIRECTORY' }))
  expect(nowhere.idOf('a', 'int')).toBeUndefined()
})
