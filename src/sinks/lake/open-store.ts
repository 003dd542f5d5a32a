import { localStore } from './local-store.ts'
import type { Retries } from './retry.ts'
import { s3Store } from './s3-store.ts'
import type { LakeStore } from './store.ts'
import type { ParsedTarget } from './target.ts'

/** The store at a place. The AWS SDK is loaded for a bucket only. */
export async function openStore(target: ParsedTarget, retries: Retries): Promise<LakeStore> {
  return target.kind === 'local' ? localStore(target.directory) : s3Store(target.s3, { retries })
}
