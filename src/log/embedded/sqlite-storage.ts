import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LogStorage, StoredBatch } from '../local/storage.ts'
import { compact } from './compact.ts'
import { openDatabase, translated } from './sqlite.ts'

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, config TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS partitions (
    id INTEGER PRIMARY KEY AUTOINCREMENT, topic TEXT NOT NULL, number INTEGER NOT NULL, start INTEGER NOT NULL DEFAULT 0,
    next INTEGER NOT NULL DEFAULT 0, UNIQUE (topic, number));
  CREATE TABLE IF NOT EXISTS batches (
    partition INTEGER NOT NULL, base INTEGER NOT NULL, last INTEGER NOT NULL, bytes BLOB NOT NULL);
  CREATE UNIQUE INDEX IF NOT EXISTS batches_by_offset ON batches (partition, last, base);
  CREATE TABLE IF NOT EXISTS offsets (
    consumer TEXT NOT NULL, topic TEXT NOT NULL, partition INTEGER NOT NULL, "offset" INTEGER NOT NULL, metadata TEXT,
    PRIMARY KEY (consumer, topic, partition)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS epochs (transactional_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;`

/** A log in one SQLite file: topics of record batches, the same bytes as on Kafka; offsets of groups; epochs. */
export function sqliteStorage(file: string, maxBytes: number): LogStorage {
  let database: DatabaseSync | undefined
  const statements = new Map<string, StatementSync>()
  const sql = (text: string): StatementSync => {
    let statement = statements.get(text)
    if (statement === undefined) statements.set(text, (statement = database!.prepare(text)))
    return statement
  }
  type Row = Record<string, never>
  const rows = (text: string, ...values: (string | number)[]) => sql(text).all(...values) as Row[]
  const row = (text: string, ...values: (string | number)[]) => sql(text).get(...values) as Row | undefined
  const change = (text: string, ...values: (string | number | null | Uint8Array)[]) => sql(text).run(...values)

  const storage: LogStorage = {
    open() {
      database = openDatabase(file, maxBytes)
      translated(file, () => database!.exec(SCHEMA))
      compact(storage, (partition, base) =>
        change('DELETE FROM batches WHERE partition = ? AND base = ?', partition, base),
      )
    },
    close() {
      statements.clear()
      database?.close()
      database = undefined
    },
    topics: () =>
      rows('SELECT name, config FROM topics').map(({ name, config }) => ({
        name,
        config: JSON.parse(config) as Record<string, string>,
        partitions: rows('SELECT id, start, next FROM partitions WHERE topic = ? ORDER BY number', name).map(
          ({ id, start, next }) => ({ id, start, next }),
        ),
      })),
    atomically(work) {
      translated(file, () => {
        database!.exec('BEGIN IMMEDIATE')
        try {
          work()
          database!.exec('COMMIT')
        } catch (error) {
          // SQLite may have rolled back by itself (disk full).
          if (database!.isTransaction) database!.exec('ROLLBACK')
          throw error
        }
      })
    },
    createTopic(name, partitions, config) {
      change('INSERT INTO topics (name, config) VALUES (?, ?)', name, JSON.stringify(config))
      return Array.from({ length: partitions }, (_, number) =>
        Number(change('INSERT INTO partitions (topic, number) VALUES (?, ?)', name, number).lastInsertRowid),
      )
    },
    deleteTopic(name) {
      change('DELETE FROM batches WHERE partition IN (SELECT id FROM partitions WHERE topic = ?)', name)
      change('DELETE FROM partitions WHERE topic = ?', name)
      change('DELETE FROM topics WHERE name = ?', name)
      change('DELETE FROM offsets WHERE topic = ?', name)
    },
    append(partition, batch, lastOffset) {
      const base = Number(batch.readBigInt64BE())
      change(
        'INSERT INTO batches (partition, base, last, bytes) VALUES (?, ?, ?, ?)',
        partition,
        base,
        lastOffset,
        batch,
      )
    },
    setNext(partition, next) {
      change('UPDATE partitions SET next = ? WHERE id = ?', next, partition)
    },
    setStart(partition, start) {
      change('UPDATE partitions SET start = ? WHERE id = ?', start, partition)
      change('DELETE FROM batches WHERE partition = ? AND last < ?', partition, start)
    },
    read(partition, offset, limit, maxBytes, atLeastOne) {
      const found: StoredBatch[] = []
      let room = maxBytes
      const matching = sql(
        'SELECT base, last, bytes FROM batches WHERE partition = ? AND last >= ? AND last < ? ORDER BY last',
      ).iterate(partition, offset, limit)
      for (const { base, last, bytes } of matching as Iterable<{ base: number; last: number; bytes: Uint8Array }>) {
        room -= bytes.length
        if (room < 0 && !(atLeastOne && found.length === 0)) break
        const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        found.push({ baseOffset: base, lastOffset: last, bytes: buffer })
      }
      return found
    },
    committed(consumer, topic, partition) {
      const found = row(
        'SELECT "offset", metadata FROM offsets WHERE consumer = ? AND topic = ? AND partition = ?',
        consumer,
        topic,
        partition,
      )
      return found && { offset: found.offset, metadata: found.metadata ?? undefined }
    },
    setCommitted(consumer, topic, partition, { offset, metadata }) {
      change(
        'INSERT OR REPLACE INTO offsets (consumer, topic, partition, "offset", metadata) VALUES (?, ?, ?, ?, ?)',
        consumer,
        topic,
        partition,
        offset,
        metadata ?? null,
      )
    },
    epoch: (transactionalId) =>
      row('SELECT epoch FROM epochs WHERE transactional_id = ?', transactionalId)?.epoch ?? -1,
    setEpoch(transactionalId, epoch) {
      change('INSERT OR REPLACE INTO epochs (transactional_id, epoch) VALUES (?, ?)', transactionalId, epoch)
    },
  }
  return storage
}
