import { crc32c } from '@node-rs/crc32'
import { ATTRIBUTES, CRC } from '../../../src/log/batch/layout.ts'

/** Makes the CRC of a whole batch right again, so that what was changed in it gets past the check. */
export function seal(batch: Buffer): Buffer {
  batch.writeUInt32BE(crc32c(batch.subarray(ATTRIBUTES)), CRC)
  return batch
}
