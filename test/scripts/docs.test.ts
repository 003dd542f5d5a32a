import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { docComments } from '../../scripts/docs/comments.ts'
import { moduleOf } from '../../scripts/docs/examples.ts'
import { brokenLinks } from '../../scripts/docs/links.ts'
import { indexOf, pageOf, problemsOf } from '../../scripts/docs/page.ts'

const COMPLETE = `/**
 * Doubles each value. More about it.
 *
 * @ordering Stays.
 * @state None.
 * @nulls Pass,
 * whatever they are.
 * @late Never.
 * @kafkaStreams None | nothing.
 *
 * @marble
 * \`\`\`ts
 * numbers.pipe(double())
 * \`\`\`
 * \`\`\`marbles
 * numbers | a=1@1
 * \`\`\`
 *
 * @example
 * \`\`\`ts
 * // @ts-expect-error is no tag
 * const doubled = numbers.pipe(double())
 * \`\`\`
 */
export function double(): number
export function double(times: number): number
export function double(times = 2): number {
  return times
}
`

async function comments(text: string) {
  const file = join(await mkdtemp(join(tmpdir(), 'millrace-')), 'double.ts')
  await writeFile(file, text)
  return docComments(file)
}

describe('pages', () => {
  it('are made of all parts of a doc comment', async () => {
    const [double] = await comments(COMPLETE)
    expect(problemsOf(double)).toEqual([])
    const page = pageOf(double)
    expect(page).toContain('# double\n\nDoubles each value. More about it.')
    expect(page).toContain('```ts\ndouble(): number\ndouble(times: number): number\n```')
    expect(page).toContain('```text\nnumbers | a=1@1\n```')
    expect(page).toContain('// @ts-expect-error is no tag')
    expect(page).toContain('| **Null keys and values** | Pass, whatever they are. |')
    expect(page).toContain('| **Kafka Streams** | None \\| nothing. |')
    expect(indexOf([double])).toContain('| [`double`](double.md) | Doubles each value. | None \\| nothing. |')
  })

  it.each(['ordering', 'state', 'nulls', 'late', 'kafkaStreams'])('lack what is not said: @%s', async (tag) => {
    const [double] = await comments(COMPLETE.replace(` * @${tag}`, ' * (nothing)'))
    expect(problemsOf(double).join()).toContain(`double lacks @${tag}`)
  })

  it('lack a marble that has no diagram', async () => {
    const [double] = await comments(COMPLETE.replace('marbles', 'text'))
    expect(problemsOf(double)).toEqual([
      expect.stringContaining('@marble must hold a block of ts, then a block of marbles'),
    ])
  })
})

describe('examples', () => {
  const available = new Map([
    ['stream', { from: 'millrace', isType: false }],
    ['Stream', { from: 'millrace', isType: true }],
    ['process', { from: 'millrace', isType: false }],
  ])

  it('get imports for what they use and do not declare, and a default export', () => {
    expect(
      moduleOf('const numbers: Stream = stream({ process: 1 })', available),
    ).toBe(`import type { Stream } from 'millrace'
import { stream } from 'millrace'

const numbers: Stream = stream({ process: 1 })
export default { numbers }
export {}
`)
    expect(moduleOf('const stream = 1\nprocess.env\nstream', available)).toBe(
      '\nconst stream = 1\nprocess.env\nexport default stream\nexport {}\n',
    )
  })
})

it('links that lead nowhere are found', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-'))
  await writeFile(
    join(folder, 'a.md'),
    '# A title, here\n[x](b.md) [y](#a-title-here) [z](https://example.org/x)\n```\n[c](d.md)\n```\n',
  )
  await writeFile(join(folder, 'c.md'), '[x](a.md#a-title-here) [y](a.md#nowhere)\n')
  expect(brokenLinks([], folder).sort()).toEqual([
    `${join(folder, 'a.md')}: the link b.md leads nowhere`,
    `${join(folder, 'c.md')}: the link a.md#nowhere leads nowhere`,
  ])
})
