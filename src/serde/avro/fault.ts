/** What generated code throws; the codec makes the error of it, since only the codec knows the topic. */
export class Fault extends Error {
  override readonly name = 'Fault'
  /** The bytes may be in order, but the reader's schema has no place for them. */
  readonly incompatible: boolean

  constructor(reason: string, incompatible = false) {
    super(reason)
    this.incompatible = incompatible
  }
}
