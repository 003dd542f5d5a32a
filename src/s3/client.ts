import type { S3Client } from '@aws-sdk/client-s3'
import { MillraceError } from '../errors.ts'
import type { S3Target } from './target.ts'

/** The AWS SDK as far as a lake needs it. */
export interface S3Sdk {
  readonly s3: typeof import('@aws-sdk/client-s3')
  readonly storage: typeof import('@aws-sdk/lib-storage')
}

/** Loads the AWS SDK, which a lake in a local directory does without. Throws `MISSING_DEPENDENCY`. */
export async function loadS3Sdk(): Promise<S3Sdk> {
  try {
    const [s3, storage] = await Promise.all([import('@aws-sdk/client-s3'), import('@aws-sdk/lib-storage')])
    return { s3, storage }
  } catch (cause) {
    throw new MillraceError('MISSING_DEPENDENCY', 'a lake in a bucket needs the AWS SDK', {
      cause,
      hint: 'npm install @aws-sdk/client-s3 @aws-sdk/lib-storage',
    })
  }
}

/** How long a connection may take, and a request from first to last byte, in ms. */
const CONNECTION_TIMEOUT = 5_000
const REQUEST_TIMEOUT = 60_000

/** A client set up as the environment and the target say. Retries are ours: the SDK's own are not counted anywhere. */
export function createClient({ s3 }: S3Sdk, target: S3Target, requestTimeout = REQUEST_TIMEOUT): S3Client {
  const endpoint = s3Endpoint(target)
  const region = target.region ?? process.env.AWS_REGION ?? process.env.AWS_DEFAULT_REGION
  return new s3.S3Client({
    ...(endpoint === undefined ? {} : { endpoint }),
    // A server other than AWS has no regions, yet the signature wants one.
    ...(region === undefined && endpoint === undefined ? {} : { region: region ?? 'us-east-1' }),
    ...(target.credentials ? { credentials: target.credentials } : {}),
    forcePathStyle: target.forcePathStyle ?? endpoint !== undefined,
    maxAttempts: 1,
    // Servers other than AWS do not all know the checksums that the SDK adds by default.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECTION_TIMEOUT, requestTimeout, throwOnRequestTimeout: true },
  })
}

/** The server's address where it is not AWS itself. */
export function s3Endpoint(target: S3Target): string | undefined {
  const { S3_ENDPOINT, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env
  return target.endpoint ?? (S3_ENDPOINT || AWS_ENDPOINT_URL_S3 || AWS_ENDPOINT_URL || undefined)
}
