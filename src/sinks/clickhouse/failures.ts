import { type ErrorContext, MillraceError, toError } from '../../errors.ts'

/** What the server answered instead of a result. */
export class ServerFailure extends Error {
  readonly code: number | undefined
  readonly status: number

  constructor(code: number | undefined, status: number, message: string) {
    super(message)
    this.code = code
    this.status = status
  }
}

// Numbers and names in ClickHouse's src/Common/ErrorCodes.cpp.

/** Waiting helps: overload, memory, merges that lag, disks, replicas and Keeper away, a server that shuts down. */
const PASSING = new Set([
  32, 75, 76, 159, 173, 198, 201, 202, 203, 209, 210, 225, 236, 241, 242, 243, 252, 279, 285, 286, 319, 341, 394, 425,
  439, 473, 499, 519, 667, 733, 745, 749, 762, 777, 778, 999, 1000,
])
/** The values of some row are at fault. */
const DATA = new Set([
  6, 19, 25, 26, 27, 33, 38, 41, 43, 53, 69, 70, 72, 117, 128, 131, 190, 321, 349, 376, 395, 407, 441, 467, 469, 675,
  676, 691,
])
const AUTHENTICATION = new Set([192, 193, 194, 516])
const AUTHORIZATION = new Set([164, 291, 472, 481, 497])
const FULL_OR_READ_ONLY: Readonly<Record<number, string>> = {
  242: 'the table is read-only: look at its replica and at Keeper',
  243: "the server's disk is full: make room",
}

/** True for a failure of the data: some row of the insert is at fault, the others are not. */
export function isDataFailure(error: unknown): error is ServerFailure {
  return error instanceof ServerFailure && DATA.has(error.code ?? 0)
}

/** No such table, no such column, table is dropped: it is not as it was. */
const TABLE = new Set([16, 60, 218])

/** True for a failure that says that the table is not as it was. */
export function isTableFailure(error: unknown): boolean {
  return error instanceof ServerFailure && TABLE.has(error.code ?? 0)
}

/** True when the same request may succeed later. */
export function isPassing(error: unknown): boolean {
  if (error instanceof MillraceError) return error.retriable
  if (!(error instanceof ServerFailure)) return true
  if (error.code !== undefined) return PASSING.has(error.code)
  return error.status >= 500 || error.status === 429 || error.status === 408
}

/** A failure as the error that leaves the sink. What is not an answer of the server is its absence. */
export function toMillraceError(thrown: unknown, where: { url: string } & ErrorContext): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  const { url, ...context } = where
  const error = toError(thrown)
  if (!(error instanceof ServerFailure)) {
    const reason = error.message || (error as NodeJS.ErrnoException).code || 'no answer'
    return new MillraceError('UNAVAILABLE', `ClickHouse at ${url} does not answer: ${reason}`, {
      ...context,
      cause: error,
      retriable: true,
    })
  }
  const { code, status } = error
  const message = `ClickHouse refused: ${code === undefined ? `HTTP ${status}` : `code ${code}`}, ${error.message}`
  if (AUTHENTICATION.has(code ?? 0) || (code === undefined && status === 401)) {
    const hint = 'check username and password'
    return new MillraceError('AUTHENTICATION_FAILED', message, { ...context, cause: error, hint })
  }
  if (AUTHORIZATION.has(code ?? 0) || (code === undefined && status === 403)) {
    return new MillraceError('NOT_AUTHORIZED', message, { ...context, cause: error, hint: 'GRANT what is missing' })
  }
  if (code === 81) {
    const hint = 'CREATE DATABASE it, or correct the option database'
    return new MillraceError('MISSING_TABLE', message, { ...context, cause: error, hint })
  }
  if (isTableFailure(error)) {
    // The table was looked at just before: replicas do not agree yet, or somebody is changing it.
    return new MillraceError('UNAVAILABLE', message, { ...context, cause: error, retriable: true })
  }
  if (isPassing(error)) {
    const hint = FULL_OR_READ_ONLY[code ?? 0]
    return new MillraceError('UNAVAILABLE', message, {
      ...context,
      cause: error,
      retriable: true,
      ...(hint && { hint }),
    })
  }
  return new MillraceError('SINK_REFUSED', message, { ...context, cause: error })
}
