import { MillraceError } from '../../errors.ts'
import type { S3Target } from '../../s3/target.ts'

/** Where a lake lies: a local directory, `s3://bucket/prefix`, or a bucket in detail. */
export type LakeTarget = string | S3Target

export type ParsedTarget =
  | { readonly kind: 'local'; readonly directory: string; readonly location: string }
  | { readonly kind: 's3'; readonly s3: S3Target; readonly location: string }

/** Throws `INVALID_OPTION` for what cannot be a place. */
export function parseTarget(to: LakeTarget): ParsedTarget {
  if (typeof to !== 'string') return s3(to)
  const url = /^([a-z][a-z0-9+.-]+):\/\/([^/]*)\/?(.*)$/i.exec(to)
  if (url) {
    const [, scheme, bucket, prefix] = url
    if (scheme!.toLowerCase() === 's3') return s3({ bucket: bucket!, prefix: prefix! })
    throw new MillraceError('INVALID_OPTION', `lake: "${to}" is neither a directory nor s3://bucket/prefix`, {
      hint: "for a server other than AWS give { bucket, prefix, endpoint }, or set S3_ENDPOINT and use 's3://…'",
    })
  }
  if (to === '')
    throw new MillraceError('INVALID_OPTION', 'lake: `to` is empty', { hint: 'name a directory or bucket' })
  return { kind: 'local', directory: to, location: to }
}

function s3(target: S3Target): ParsedTarget {
  const prefix = (target.prefix ?? '').replace(/^\/+|\/+$/g, '')
  if (typeof target.bucket !== 'string' || target.bucket === '' || target.bucket.includes('/')) {
    throw new MillraceError('INVALID_OPTION', `lake: "${target.bucket}" is not the name of a bucket`, {
      hint: "write 's3://bucket/prefix' or { bucket, prefix }",
    })
  }
  return { kind: 's3', s3: { ...target, prefix }, location: `s3://${target.bucket}${prefix && `/${prefix}`}` }
}
