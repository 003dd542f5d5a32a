import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type DocComment, docComments } from './comments.ts'

/** Functions that are described on the page of the operator they belong to. */
const HELPERS = new Set(['adding', 'output', 'keyValueStore', 'windowStore'])

/** The doc comments of all operators, by name. */
export function operators(): DocComment[] {
  return exportsOf('src/operators/index.ts')
    .flatMap(({ file, names }) => {
      const comments = docComments(file)
      return names.flatMap(
        (name) => comments.find((comment) => comment.name === name && comment.signatures.length > 0) ?? [],
      )
    })
    .filter(({ name }) => !HELPERS.has(name))
    .sort((a, b) => a.name.localeCompare(b.name))
}

/** What an index of operators exports: lists of names, and whole indexes of folders. */
function exportsOf(index: string): { file: string; names: string[] }[] {
  const text = readFileSync(index, 'utf8')
  return [...text.matchAll(/^export (\*|(?:type )?\{[^}]*\}) from '(.*)'$/gm)].flatMap(([, what, path]) => {
    const file = join(dirname(index), path)
    if (what === '*') return exportsOf(file)
    if (what.startsWith('type')) return []
    const names = what
      .replace(/[{}]/g, '')
      .split(',')
      .map((name) => name.trim())
    return [{ file, names: names.filter((name) => name !== '' && !name.startsWith('type ')) }]
  })
}
