import { MillraceError, toError } from '../errors.ts'
import { s3Endpoint } from './client.ts'
import type { S3Target } from './target.ts'

/** An error as the AWS SDK throws it; all of it may be wanting. */
interface SdkError {
  readonly name?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $retryable?: object
}

export function httpStatus(thrown: unknown): number | undefined {
  return (thrown as SdkError | undefined)?.$metadata?.httpStatusCode
}

const TRANSIENT = new Set([
  'SlowDown',
  'RequestTimeout',
  'RequestTimeTooSkewed',
  'ConditionalRequestConflict', // another upload of the same name is under way
  'OperationAborted',
  'NotFound', // what was in the way a moment ago is gone
  'NoSuchUpload', // the multipart upload was aborted by someone; the next attempt starts another
])
const CREDENTIALS = new Set([
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'InvalidToken',
  'CredentialsProviderError',
])

const NETWORK = /^(E(CONN\w+|PIPE|TIMEDOUT|HOSTUNREACH|NETUNREACH|NETDOWN|AI_AGAIN|NOTFOUND|ADDRNOTAVAIL)|UND_ERR_\w+)$/

/** Whether the answer did not come, or says that another attempt may go better. */
function isTransient(thrown: unknown): boolean {
  const { name = '', code = '', $retryable } = thrown as SdkError
  const status = httpStatus(thrown)
  if (TRANSIENT.has(name) || $retryable !== undefined) return true
  if (status !== undefined) return (status >= 500 && status !== 501) || status === 429 || status === 408
  return NETWORK.test(code) || name === 'TimeoutError' || /socket hang up|aborted/.test(toError(thrown).message)
}

/** What went wrong between us and the bucket, in the library's codes. */
export function s3Error(thrown: unknown, action: string, target: S3Target): MillraceError {
  if (thrown instanceof MillraceError) return thrown
  const cause = toError(thrown)
  const { name = 'Error' } = thrown as SdkError
  const status = httpStatus(thrown)
  const what = `cannot ${action}: ${/^Unknown/.test(name) ? `HTTP ${status}` : `${name}: ${cause.message}`}`
  const fail = (code: 'NOT_AUTHORIZED' | 'AUTHENTICATION_FAILED' | 'SINK_REFUSED', hint: string) =>
    new MillraceError(code, what, { cause, hint })
  if (name === 'NoSuchBucket') return missingBucket(target, cause)
  if (isTransient(thrown)) {
    return new MillraceError('UNAVAILABLE', what, { cause, retriable: true, hint: unavailableHint(target, status) })
  }
  if (CREDENTIALS.has(name)) {
    return fail('AUTHENTICATION_FAILED', 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `credentials`')
  }
  if (status === 501) return fail('SINK_REFUSED', 'the server must know conditional writes (If-None-Match)')
  if (status === 401 || status === 403) {
    return fail(
      'NOT_AUTHORIZED',
      `allow s3:PutObject, s3:GetObject and s3:ListBucket on ${target.bucket} to these credentials`,
    )
  }
  if (status === 301 || status === 307) return fail('SINK_REFUSED', 'the bucket is in another region: set `region`')
  return fail('SINK_REFUSED', 'see the cause')
}

export function missingBucket(target: S3Target, cause?: Error): MillraceError {
  const endpoint = s3Endpoint(target)
  return new MillraceError('SINK_REFUSED', `bucket ${target.bucket} does not exist`, {
    cause,
    hint: `create it: aws s3 mb s3://${target.bucket}${endpoint ? ` --endpoint-url ${endpoint}` : ''}`,
  })
}

function unavailableHint(target: S3Target, status: number | undefined): string {
  const endpoint = s3Endpoint(target)
  if (status !== undefined) return 'the server is busy; the sink waits and goes on by itself'
  return endpoint ? `is the server at ${endpoint} running?` : 'is the network up, and is the region right?'
}
