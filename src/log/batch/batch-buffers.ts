import type { Buffers } from '../../serde/bytes.ts'

const LEAST_BYTES = 4096
/** A batch of the usual size (`BATCH_BYTES`) fits in. */
const MOST_BYTES = 1 << 20
/** So much is kept for later; what a larger commit took besides is garbage. */
const SPARE_BYTES = 8 << 20

/**
 * Buffers that record batches are gathered in, used again once a batch is in the log: V8 frees a buffer that has lived for as long
 * as an acknowledgement takes with the next full collection only, and by then many have gathered.
 *
 * Their lengths are powers of two, so that those of small batches and of large ones are not taken for each other.
 */
export class BatchBuffers implements Buffers {
  private readonly spare = new Map<number, Buffer[]>()
  private spareBytes = 0

  take(least: number): Buffer {
    if (least > MOST_BYTES) return Buffer.allocUnsafeSlow(least)
    const length = least <= LEAST_BYTES ? LEAST_BYTES : 1 << (32 - Math.clz32(least - 1))
    const found = this.spare.get(length)?.pop()
    if (found === undefined) return Buffer.allocUnsafeSlow(length)
    this.spareBytes -= length
    return found
  }

  /** Nobody reads or writes it any more. */
  give(buffer: Buffer): void {
    const { length } = buffer
    // To detach it would free it at once, and cost V8 what it knows of buffers: a check at each access, 13 % of the CPU time of a job.
    if (length < LEAST_BYTES || length > MOST_BYTES || this.spareBytes + length > SPARE_BYTES) return
    const spare = this.spare.get(length)
    if (spare === undefined) this.spare.set(length, [buffer])
    else spare.push(buffer)
    this.spareBytes += length
  }
}
