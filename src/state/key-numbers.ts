import type { Keys } from './keys.ts'
import { isShort, ShortKeys } from './short-keys.ts'

/**
 * Numbers for keys, which whoever keeps something by key may count on in arrays. Stores that are asked for the same key one
 * after the other share them: it is looked up once. A key has its number as long as one of them holds it.
 */
export class KeyNumbers<K> {
  private readonly short = new ShortKeys()
  private readonly others = new Map<unknown, number>()
  /** Of those in `others`. */
  private readonly identities: unknown[] = []
  private readonly holders: number[] = []
  private readonly spare: number[] = []
  private readonly keys: Keys<K>
  private lastIdentity: unknown = NONE
  private last = -1

  constructor(keys: Keys<K>) {
    this.keys = keys
  }

  /** -1: nobody holds it. */
  find(key: K): number {
    const identity = this.keys.identity(key)
    if (identity !== this.lastIdentity) {
      const short = typeof identity === 'string' && isShort(identity)
      this.last = short ? this.short.find(identity) : (this.others.get(identity) ?? -1)
      this.lastIdentity = identity
    }
    return this.last
  }

  hold(key: K): number {
    const found = this.find(key)
    if (found >= 0) {
      this.holders[found]++
      return found
    }
    const number = this.spare.pop() ?? this.holders.length
    const identity = this.keys.identity(key)
    if (typeof identity === 'string' && isShort(identity)) this.short.add(identity, number)
    else {
      const kept = typeof identity === 'string' ? this.keys.keep(identity as K) : identity
      this.others.set(kept, number)
      this.identities[number] = kept
    }
    this.holders[number] = 1
    this.last = number
    return number
  }

  release(number: number): void {
    if (--this.holders[number] > 0) return
    const identity = this.identities[number]
    if (identity === undefined) this.short.delete(number)
    else {
      this.others.delete(identity)
      this.identities[number] = undefined
    }
    this.spare.push(number)
    if (number === this.last) {
      this.last = -1
      this.lastIdentity = NONE
    }
  }
}

/** Equal to no key. */
const NONE = Symbol('no key')
