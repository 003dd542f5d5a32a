import type { Stream } from '../topology/stream.ts'
import type { Table } from '../topology/table.ts'

/** What operators take that work on streams and on tables alike. */
export type Rows<K, V> = Stream<K, V> | Table<K, V>

/** A table if `In` is one, else a stream. */
export type Like<In, K, V> = In extends Table<unknown, unknown> ? Table<K, V> : Stream<K, V>

/** The type of its keys. */
export type KeyOf<In> = In extends Rows<infer K, unknown> ? K : never
