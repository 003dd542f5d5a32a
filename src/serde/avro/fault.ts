/** What generated code throws; the codec makes the error of it, since only the codec knows the topic. */
export class Fault extends Error {
  override readonly name = 'Fault'
}
