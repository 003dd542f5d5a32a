export { clickhouse } from './clickhouse.ts'
export { type EmbeddedClickHouse, type EmbeddedClickHouseOptions, embeddedClickHouse } from './embedded/embedded.ts'
export type { ClickHouseOptions, ConnectionOptions, Row, RowOrigin } from './options.ts'
