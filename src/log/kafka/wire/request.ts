import type { WireReader } from './wire-reader.ts'

/** One request of the Kafka protocol, ready to be sent, and how its answer is read. */
export interface Request<Answer> {
  readonly apiKey: number
  readonly apiName: string
  readonly apiVersion: number
  /** What follows the client id in the request; in a flexible version it begins with the header's tag section. */
  readonly body: Buffer
  /** The rest of the body, as it is: not copied, so that it must not change until there is an answer. */
  readonly tail?: readonly Buffer[]
  /** How long the broker itself may wait before it answers, in ms; added to the usual timeout. */
  readonly waitMs?: number
  /** Reads what follows the correlation id; in a flexible version the header's tag section first. */
  decode(reader: WireReader): Answer
}
