import { MillraceError } from '../../errors.ts'
import { GlobalTable } from '../../topology/global-table.ts'
import { Stream } from '../../topology/stream.ts'
import type { Table } from '../../topology/table.ts'
import type { JoinWindows } from '../../windows/join-windows.ts'
import { type JoinKind, type JoinStreamsOptions, joinStreams } from './join-streams.ts'
import { type JoinTableOptions, joinTable } from './join-table.ts'
import { joinGlobal } from './stream-global.ts'
import { joinTables, type TableJoinOptions } from './table-table.ts'

// biome-ignore lint/suspicious/noExplicitAny: the overloads of join, leftJoin and outerJoin say which go together
type Any = any
/** What all joiners have in common. */
type AnyJoiner = (left: never, right: never, key: never) => unknown

export type JoinOperands = [
  name: string,
  other: Stream<Any, Any> | Table<Any, Any>,
  joiner: AnyJoiner,
  windows?: JoinWindows | TableJoinOptions<Any, Any> | JoinTableOptions<Any, Any>,
  options?: JoinStreamsOptions<Any, Any, Any>,
]

export type GlobalJoinOperands = [
  table: GlobalTable<Any, Any>,
  keyOf: (value: never, key: never) => unknown,
  joiner: AnyJoiner,
]

const isGlobal = (operands: JoinOperands | GlobalJoinOperands): operands is GlobalJoinOperands =>
  operands[0] instanceof GlobalTable

/** Which join it is follows from the two sides: streams need a window, tables do not. */
export function joinOf(kind: JoinKind, operands: JoinOperands | GlobalJoinOperands): (of: Any) => Any {
  if (isGlobal(operands)) {
    const [table, keyOf, joiner] = operands
    return (of: Stream<Any, Any>) => joinGlobal(kind as 'join' | 'leftJoin', of, table, keyOf as Any, joiner as Any)
  }
  const [name, other, anyJoiner, windows, options] = operands
  const joiner = anyJoiner as Any
  return (of: Stream<Any, Any> | Table<Any, Any>) => {
    const refuse = (message: string, hint: string): never => {
      throw new MillraceError('INVALID_OPTION', `${kind} "${name}": ${message}`, { hint })
    }
    if (!(other instanceof Stream)) {
      if (!(of instanceof Stream))
        return joinTables(kind, name, of, other, joiner, windows as TableJoinOptions<Any, Any>)
      if (kind !== 'outerJoin') return joinTable(kind, name, of, other, joiner, windows as JoinTableOptions<Any, Any>)
      return refuse('a stream has no outer join with a table: its rows come at no time', 'leftJoin(…)')
    }
    if (!(of instanceof Stream)) {
      return refuse(
        'the left side is a table, the right one a stream',
        'stream.pipe(join(name, table, …)), or toStream()',
      )
    }
    if ((windows as JoinWindows | undefined)?.kind !== 'join') {
      return refuse('streams are joined in a window of time', `${kind}(name, other, joiner, within(minutes(5)))`)
    }
    return joinStreams(kind, name, of, other, joiner, windows as JoinWindows, options)
  }
}
