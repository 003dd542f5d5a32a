import { existsSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { type Options, readOptions } from '../../../examples/shop/options.ts'
import { continued, startOver, writeProgress } from '../../../examples/shop/progress.ts'

let data: string
const parts = ['log embedded']
const options = (...argv: string[]) => readOptions([...argv, '--data', data], {}) as Options

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'millrace-progress-'))
})

it('goes on behind a run that ended, and finishes one that did not', () => {
  const first = continued(options('--records', '10'), parts)
  expect(first).toMatchObject({ seed: 42, target: 10, resumed: false })
  writeProgress(data, first)
  expect(continued(options('--records', '7'), parts)).toMatchObject({ target: 10, resumed: true })
  writeProgress(data, { ...first, finished: true })
  expect(continued(options('--records', '7'), parts)).toMatchObject({ target: 17, resumed: false })
})

it('refuses another seed, and other parts, over what is there', () => {
  writeProgress(data, continued(options('--seed', '5'), parts))
  expect(continued(options('--seed', '5'), parts).seed).toBe(5)
  expect(() => continued(options('--seed', '6'), parts)).toThrow(/--seed 5[\s\S]*--fresh/)
  expect(() => continued(options(), ['log localhost:9092'])).toThrow(/log embedded[\s\S]*--data DIR/)
})

it('starts over without touching what is not the shop’s', () => {
  writeProgress(data, continued(options(), parts))
  writeFileSync(join(data, 'thesis.txt'), 'mine')
  startOver(data)
  expect(continued(options(), parts)).toMatchObject({ target: 200_000, resumed: false })
  expect(existsSync(join(data, 'thesis.txt'))).toBe(true)
})

it('says what to do about a data directory that cannot be used, or is damaged', () => {
  const file = join(data, 'file')
  writeFileSync(file, '')
  data = join(file, 'below')
  expect(() => continued(options(), parts)).toThrow(/cannot be used \(ENOTDIR\)[\s\S]*--data DIR/)
  expect(() => writeProgress(data, continued({ ...options(), data: tmpdir() }, parts))).toThrow(/--data DIR/)
  data = mkdtempSync(join(tmpdir(), 'millrace-progress-'))
  writeFileSync(join(data, 'shop.json'), '{"seed":')
  expect(() => continued(options(), parts)).toThrow(/damaged[\s\S]*--fresh/)
})
