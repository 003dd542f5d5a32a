import ts from 'typescript'

const { config } = ts.readConfigFile('tsconfig.json', ts.sys.readFile)
const { options: strict } = ts.parseJsonConfigFileContent(config, ts.sys, '.')
// An example names what it makes, and that is all it does with it.
const options = { ...strict, noUnusedLocals: false, noUnusedParameters: false }

/** A program over files on disk. */
export function programOf(files: readonly string[]): ts.Program {
  return ts.createProgram([...files], options)
}

/** Type-checks files that exist only in memory, by their paths; gives what is wrong, one line each. */
export function compileErrors(files: ReadonlyMap<string, string>, before: ts.Program): Map<string, string[]> {
  const host = ts.createCompilerHost(options)
  const memory = new Map([...files].map(([path, text]) => [host.getCanonicalFileName(path), text]))
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (path) => memory.has(path) || fileExists(path)
  host.readFile = (path) => memory.get(path) ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const text = memory.get(path)
    return text === undefined
      ? (before.getSourceFile(path) ?? getSourceFile(path, version, ...rest))
      : ts.createSourceFile(path, text, version, true)
  }
  const program = ts.createProgram([...memory.keys()], options, host, before)
  const errors = new Map<string, string[]>()
  for (const path of memory.keys()) {
    const file = program.getSourceFile(path)!
    const found = [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]
    const lines = found.map(({ messageText, start = 0 }) => {
      const { line } = file.getLineAndCharacterOfPosition(start)
      return `${file.text.split('\n')[line].trim()}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    })
    if (lines.length > 0) errors.set(path, lines)
  }
  return errors
}
