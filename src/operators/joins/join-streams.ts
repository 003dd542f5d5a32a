import { json, string } from '../../serde/index.ts'
import type { Serde } from '../../serde/serde.ts'
import { joinStore } from '../../state/join-store.ts'
import { timeBuffer } from '../../state/time-buffer.ts'
import { type Input, node, out } from '../../topology/node.ts'
import { Stream } from '../../topology/stream.ts'
import { legalName } from '../../topology/topology.ts'
import type { JoinWindows } from '../../windows/join-windows.ts'
import { lateOf } from '../late.ts'
import { partitionedByKey } from '../repartition.ts'
import { type JoinSide, streamStreamJoin } from './stream-stream.ts'

/** Which sides come out without a partner: none, the left, or both. */
export type JoinKind = 'join' | 'leftJoin' | 'outerJoin'

export interface JoinStreamsOptions<K, V, W> {
  /** How keys are stored and repartitioned; default: as they were read, or as strings where they have been changed. */
  readonly key?: Serde<K>
  /** How values of the left stream are; default: as they were read, or as JSON where they have been mapped. */
  readonly value?: Serde<V>
  /** How values of the other stream are; default as for `value`. */
  readonly other?: Serde<W>
}

/** What the stream–stream forms of `join`, `leftJoin` and `outerJoin` have in common. */
export function joinStreams<K, V, W, R>(
  kind: JoinKind,
  name: string,
  left: Stream<K, V>,
  right: Stream<K, W>,
  joiner: (left: V | null, right: W | null, key: K) => R,
  windows: JoinWindows,
  options: JoinStreamsOptions<K, V, W> = {},
): Stream<K, R, Stream<K, V | W>> {
  const key: Serde<K> = options.key ?? left.serdes.key ?? right.serdes.key ?? (string() as Serde<unknown> as Serde<K>)
  const value: Serde<V> = options.value ?? left.serdes.value ?? json<V>()
  const other: Serde<W> = options.other ?? right.serdes.value ?? json<W>()
  const self = same(left.input, right.input)
  const leftInput = partitionedByKey({ ...left, serdes: { key, value } }, self ? name : `${name}-left`).input
  const rightInput = self
    ? leftInput
    : partitionedByKey({ ...right, serdes: { key, value: other } }, `${name}-right`).input

  const leftOuter = kind !== 'join'
  const rightOuter = kind === 'outerJoin'
  const { before, after, grace } = windows
  const together = {}
  const sideOf = <T>(side: string, of: Serde<T>, outer: boolean): JoinSide<K, T> => ({
    store: joinStore<K, T>({
      name: self ? name : `${name}-${side}`,
      key,
      value: of,
      retention: before + after + grace,
      together,
    }),
    unmatched: outer ? timeBuffer<K, T>({ name: `${name}-${side}-unmatched`, key, value: of }) : undefined,
  })
  const leftSide = sideOf('left', value, leftOuter)
  const rightSide = sideOf('right', other, rightOuter)
  const joined = node({
    kind,
    name,
    inputs: [leftInput, rightInput],
    parameters: { windows: windows.describe, ...(self ? { self } : {}) },
    stores: [leftSide.store, ...(self ? [] : [rightSide.store]), leftSide.unmatched, rightSide.unmatched].filter(
      (spec) => spec !== undefined,
    ),
    copartitioned: true,
    problems: legalName(name) ? [] : [`it keeps state and needs a name: ${kind}('my-name', other, …)`],
    processor: streamStreamJoin({ windows, left: leftSide, right: rightSide, joiner, self }),
  })
  return new Stream(out(joined), { key }, false, lateOf<K, V | W>(joined, { key }, true))
}

const same = (a: Input, b: Input): boolean => a.node === b.node && a.output === b.output
