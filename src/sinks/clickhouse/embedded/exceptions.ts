/** An exception of the engine as the HTTP interface tells it. */
export interface HttpException {
  readonly code: number
  readonly status: number
  readonly text: string
}

// exceptionCodeToHTTPStatus in ClickHouse's src/Server/HTTP/exceptionCodeToHTTPStatus.cpp; what is not here is a 500.
const STATUS: Readonly<Record<number, readonly number[]>> = {
  401: [194],
  403: [192, 193, 497, 512, 516],
  // Parse and type errors, bad arguments, unknown or ambiguous things inside a statement.
  400: [6, 26, 27, 36, 38, 41, 42, 43, 44, 53, 62, 63, 69, 70, 72, 131, 457, 469],
  404: [16, 46, 47, 50, 56, 60, 73, 81, 82, 115],
  408: [159],
  413: [229],
  501: [48],
  503: [202, 209, 439],
}
const STATUS_OF = new Map(Object.entries(STATUS).flatMap(([status, codes]) => codes.map((code) => [code, +status])))

/** Code, status and body for an error message of the engine: 'Code: 62. DB::Exception: … (SYNTAX_ERROR)'. */
export function exceptionOf(message: string, version: string): HttpException {
  const code = Number(/Code: (\d+)\. DB::/.exec(message)?.[1] ?? 1001)
  const plain = /^Code: \d+\./.test(message)
    ? // The engine repeats itself around exceptions of its input side.
      message.replace(/^Code: (\d+)\. DB::Exception: (?=Code: \1\. )/, '')
    : `Code: ${code}. DB::Exception: ${message} (STD_EXCEPTION)`
  const text = plain.includes('(version ') ? plain : `${plain} (version ${version} (embedded))`
  return { code, status: STATUS_OF.get(code) ?? 500, text: `${text}\n` }
}

/** An error that becomes a 403. */
export function forbidden(reason: string): Error {
  return new Error(`Code: 497. DB::Exception: ${reason}. (ACCESS_DENIED)`)
}
