import { MillraceError } from '../../errors.ts'

/** Reads one line of a diagram from left to right. */
export class Scanner {
  readonly line: string
  /** From 1. */
  readonly number: number
  at = 0

  constructor(line: string, number: number) {
    this.line = line
    this.number = number
  }

  get done(): boolean {
    return this.at >= this.line.length
  }

  skipBlanks(): void {
    this.take(/\s*/y)
  }

  /** What the sticky pattern matches here, and moves past it. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at
    const found = pattern.exec(this.line)
    if (!found) return undefined
    this.at += found[0].length
    return found[0]
  }

  sees(text: string): boolean {
    return this.line.startsWith(text, this.at)
  }

  accept(text: string): boolean {
    if (!this.sees(text)) return false
    this.at += text.length
    return true
  }

  expect(text: string, what = `"${text}"`): void {
    if (!this.accept(text)) this.fail(`expected ${what}`)
  }

  /** Throws with the line and a caret under the place. */
  fail(problem: string, at = this.at): never {
    const found = at >= this.line.length ? 'the end of the line' : `"${this.line[at]}"`
    throw new MillraceError(
      'INVALID_OPTION',
      `marbles, line ${this.number}: ${problem}, found ${found}\n\n  ${this.line}\n  ${' '.repeat(at)}^\n`,
      {
        hint: "records are key=value@time, results of windows key[start,end)=value@time; columns are separated by '|'",
      },
    )
  }
}
