import { readFileSync } from 'node:fs'
import ts from 'typescript'

/** The doc comment of an exported declaration, taken apart. */
export interface DocComment {
  /** Path from the root of the project. */
  readonly file: string
  /** Line on which the comment begins, from 1. */
  readonly line: number
  /** Name of what it describes. */
  readonly name: string
  /** What stands before the first tag, in Markdown. */
  readonly text: string
  readonly tags: readonly DocTag[]
  /** Overloads as they are declared, without bodies; empty for what is no function. */
  readonly signatures: readonly string[]
}

export interface DocTag {
  readonly tag: string
  readonly text: string
}

/** The doc comments of a file's exported declarations, in order. */
export function docComments(file: string): DocComment[] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true)
  const comments: DocComment[] = []
  for (const statement of source.statements) {
    const name = nameOf(statement)
    const doc = ts.getJSDocCommentsAndTags(statement).find(ts.isJSDoc)
    if (name === undefined || doc === undefined) continue
    const { line } = source.getLineAndCharacterOfPosition(doc.getStart())
    comments.push({ file, line: line + 1, name, ...takeApart(doc.getText()), signatures: signaturesOf(source, name) })
  }
  return comments
}

function nameOf(statement: ts.Statement): string | undefined {
  if (!ts.canHaveModifiers(statement)) return undefined
  if (!ts.getModifiers(statement)?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return undefined
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations[0].name.getText()
  const declared = statement as ts.Statement & { readonly name?: ts.Identifier }
  return declared.name?.text
}

function signaturesOf(source: ts.SourceFile, name: string): string[] {
  const declared = source.statements.filter(
    (statement): statement is ts.FunctionDeclaration =>
      ts.isFunctionDeclaration(statement) && statement.name?.text === name,
  )
  const overloads = declared.length > 1 ? declared.filter(({ body }) => body === undefined) : declared
  return overloads.map((overload) =>
    source.text
      .slice(overload.getStart(), overload.body?.getStart() ?? overload.end)
      .replace(/^export function /, '')
      .trim(),
  )
}

function takeApart(comment: string): { text: string; tags: DocTag[] } {
  const lines = comment
    .replace(/^\/\*\*/, '')
    .replace(/\s*\*\/$/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd())
  const parts: { tag: string; lines: string[] }[] = [{ tag: '', lines: [] }]
  let fenced = false
  for (const line of lines) {
    if (line.startsWith('```')) fenced = !fenced
    const tag = fenced ? null : /^@(\w+)\s?(.*)$/.exec(line)
    if (tag) parts.push({ tag: tag[1], lines: [tag[2]] })
    else parts.at(-1)!.lines.push(line)
  }
  const [{ lines: text }, ...tags] = parts
  return {
    text: text.join('\n').trim(),
    tags: tags.map(({ tag, lines }) => ({ tag, text: lines.join('\n').trim() })),
  }
}

/** The fenced blocks of a text, with the language of each. */
export function fences(text: string): { readonly language: string; readonly code: string }[] {
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language, code]) => ({
    language,
    code: code.trimEnd(),
  }))
}
