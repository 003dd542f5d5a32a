import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeDirectory } from '../src/directories.ts'

it('makes what is missing, gives the topmost of it, and does not mind what is there', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-'))
  expect(makeDirectory(join(root, 'a', 'b', 'c'))).toBe(join(root, 'a'))
  expect(existsSync(join(root, 'a', 'b', 'c'))).toBe(true)
  expect(makeDirectory(join(root, 'a', 'b'))).toBeUndefined()
})

it('throws where a file is in the way', () => {
  const root = mkdtempSync(join(tmpdir(), 'millrace-'))
  writeFileSync(join(root, 'file'), '')
  expect(() => makeDirectory(join(root, 'file'))).toThrow(/EEXIST/)
  expect(() => makeDirectory(join(root, 'file', 'below'))).toThrow(/ENOTDIR/)
})

it.runIf(process.platform === 'linux')('throws where the system makes none, instead of never returning', () => {
  expect(() => makeDirectory('/proc/millrace/data')).toThrow(/ENOENT/)
})
