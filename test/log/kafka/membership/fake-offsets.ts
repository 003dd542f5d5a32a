import type { WireReader } from '../../../../src/log/kafka/wire/wire-reader.ts'
import { WireWriter } from '../../../../src/log/kafka/wire/wire-writer.ts'

/** With what a member commits: who it says it is, and in which version of the request. */
export interface Commit {
  readonly memberId: string
  readonly instanceId: string | null
  readonly epoch: number
  readonly version: number
}

/** An answer of a flexible version, whose header ends and which throttles nobody; and its end. */
export const answer = () => new WireWriter().tags().int32(0)
export const finished = (writer: WireWriter) => writer.tags().finish()

/** The offsets of one group, which are the same whatever its protocol. `admit` gives the error code that a commit gets. */
export function fakeOffsets(admit: (commit: Commit) => number) {
  const offsets = new Map<string, { offset: number; metadata: string }>()
  /** Partitions whose transaction is not decided yet. */
  const undecided = new Set<string>()
  const commits: Commit[] = []

  function commit(reader: WireReader, version: number, refusal?: number): Buffer {
    reader.compactString() // group
    const epoch = reader.int32()
    const [memberId, instanceId] = [reader.compactString(), reader.nullableCompactString()]
    commits.push({ memberId, instanceId, epoch, version })
    const code = refusal ?? admit(commits.at(-1)!)
    const topics = reader.compactArray((r) => {
      const topic = r.compactString()
      const partitions = r.compactArray((p) => {
        const partition = p.int32()
        const offset = p.int64()
        p.int32() // leader epoch
        const metadata = p.nullableCompactString() ?? ''
        p.tags()
        if (code === 0) offsets.set(`${topic}/${partition}`, { offset, metadata })
        return partition
      })
      r.tags()
      return { topic, partitions }
    })
    const writer = answer().compactArray(topics, (w, { topic, partitions }) =>
      w
        .compactString(topic)
        .compactArray(partitions, (p, partition) => p.int32(partition).int16(code).tags())
        .tags(),
    )
    return finished(writer)
  }

  function fetch(reader: WireReader): Buffer {
    reader.compactString() // group
    const topics = reader.compactArray((r) => {
      const entry = { topic: r.compactString(), partitions: r.compactArray((p) => p.int32()) }
      r.tags()
      return entry
    })
    const requireStable = reader.boolean()
    const writer = answer().compactArray(topics, (w, { topic, partitions }) =>
      w
        .compactString(topic)
        .compactArray(partitions, (p, partition) => {
          const isOpen = requireStable && undecided.has(`${topic}/${partition}`)
          const found = isOpen ? undefined : offsets.get(`${topic}/${partition}`)
          p.int32(partition).int64(found?.offset ?? -1)
          p.int32(-1).compactString(found?.metadata ?? '')
          p.int16(isOpen ? 88 : 0).tags()
        })
        .tags(),
    )
    return finished(writer.int16(0))
  }

  return {
    offsets,
    undecided,
    commits,
    handlers: { OffsetCommit: (reader: WireReader, version: number) => commit(reader, version), OffsetFetch: fetch },
    refusals: {
      OffsetCommit: (reader: WireReader, version: number, error: number) => commit(reader, version, error),
      OffsetFetch: (_: WireReader, _version: number, error: number) =>
        finished(
          answer()
            .compactArray([], () => {})
            .int16(error),
        ),
    },
  }
}
