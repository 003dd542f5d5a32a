import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { docComments, fences } from './comments.ts'

/** A piece of code from a doc comment. */
export interface Example {
  /** 'src/operators/filter.ts:12 filter': where to look when it fails. */
  readonly where: string
  readonly file: string
  readonly code: string
  /** The diagram of a `@marble`; undefined for an `@example`. */
  readonly diagram?: string
}

/** Every `@example` and `@marble` of the exported declarations under a folder. */
export function examplesUnder(folder: string): Example[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((name) => docComments(join(folder, name)))
    .flatMap(({ file, line, name, tags }) =>
      tags.flatMap(({ tag, text }): Example[] => {
        const where = `${file}:${line} ${name}`
        const blocks = fences(text)
        const code = blocks.filter(({ language }) => language === 'ts').map((block) => block.code)
        if (tag === 'example') return code.map((one) => ({ where, file, code: one }))
        if (tag !== 'marble') return []
        const diagram = blocks.find(({ language }) => language === 'marbles')?.code ?? ''
        return [{ where, file, code: code.join('\n'), diagram }]
      }),
    )
}

/** The blocks of TypeScript on a page of Markdown; a diagram right behind one is what it must do. */
export function examplesIn(file: string): Example[] {
  const blocks = fences(readFileSync(file, 'utf8'))
  return blocks.flatMap(({ language, code }, i) => {
    if (language !== 'ts') return []
    const next = blocks[i + 1]
    const diagram = next?.language === 'marbles' ? next.code : undefined
    return [{ where: `${file} block ${i + 1}`, file, code, ...(diagram !== undefined && { diagram }) }]
  })
}

/** Where a name comes from that an example may use without importing it. */
export interface Available {
  readonly from: string
  readonly isType: boolean
}

/** What modules export, by name; of two that export one name the first wins. */
export function availableNames(
  program: ts.Program,
  modules: readonly { readonly file: string; readonly from: string }[],
): Map<string, Available> {
  const checker = program.getTypeChecker()
  const names = new Map<string, Available>()
  for (const { file, from } of modules) {
    const symbol = checker.getSymbolAtLocation(program.getSourceFile(file)!)
    for (const exported of symbol ? checker.getExportsOfModule(symbol) : []) {
      const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      const isType = (target.flags & ts.SymbolFlags.Value) === 0
      if (!names.has(exported.name)) names.set(exported.name, { from, isType })
    }
  }
  return names
}

/** An example as a module: imports for the names it uses, and what its last line gives as the default export. */
export function moduleOf(code: string, available: ReadonlyMap<string, Available>): string {
  const source = ts.createSourceFile('example.ts', code, ts.ScriptTarget.Latest, true)
  const used = new Set<string>()
  const declared = new Set<string>()
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) {
      const { parent } = node
      if (ts.isPropertyAccessExpression(parent) && parent.name === node) return
      // Node's own, not the operator.
      if (ts.isPropertyAccessExpression(parent) && node.text === 'process') return
      if (ts.isPropertyAssignment(parent) && parent.name === node) return
      if ((ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) && parent.name === node) return
      if (ts.isBindingElement(parent) && parent.propertyName === node) return
      if (isDeclaration(parent) && parent.name === node) declared.add(node.text)
      else used.add(node.text)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  const imports = [...used]
    .filter((name) => !declared.has(name) && available.has(name))
    .sort()
    .map((name) => {
      const { from, isType } = available.get(name)!
      return `import ${isType ? 'type ' : ''}{ ${name} } from '${from}'`
    })
  return [...imports, '', withDefaultExport(source), 'export {}', ''].join('\n')
}

/** What the last statement gives, or declares, becomes the default export. */
function withDefaultExport(source: ts.SourceFile): string {
  const last = source.statements.at(-1)
  if (last && ts.isExpressionStatement(last)) {
    const at = last.getStart()
    return `${source.text.slice(0, at)}export default ${source.text.slice(at)}`
  }
  if (!last || !ts.isVariableStatement(last)) return source.text
  const names = last.declarationList.declarations.flatMap(({ name }) =>
    ts.isIdentifier(name) ? [name.text] : name.elements.flatMap((of) => ('name' in of ? [of.name.getText()] : [])),
  )
  return `${source.text}\nexport default { ${names.join(', ')} }`
}

function isDeclaration(node: ts.Node) {
  return (
    ts.isVariableDeclaration(node) ||
    ts.isBindingElement(node) ||
    ts.isTypeAliasDeclaration(node) ||
    ts.isInterfaceDeclaration(node) ||
    ts.isFunctionDeclaration(node) ||
    ts.isImportSpecifier(node)
  )
}
