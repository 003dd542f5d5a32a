/**
 * Who may import whom. A room is a folder of src/; each lists the rooms it may look into (itself always included).
 * Type imports count: a room that must know another's types depends on it.
 */
const ports = ['sink port', 'log port', 'snapshot port']
const core = ['foundation', 'windows', 'aggregates', 'serde', ...ports, 'topology', 'state', 'operators', 'runtime']

const rooms = {
  foundation: { path: '^src/(record|errors|time|options|directories)[.]ts$', sees: [] },
  windows: { path: '^src/windows/', sees: ['foundation'] },
  serde: { path: '^src/serde/', sees: ['foundation'] },
  aggregates: { path: '^src/aggregates/', sees: ['foundation', 'serde'] },

  // The two ports. Everything inside knows the outside world only through them.
  'sink port': { path: '^src/sinks/[^/]+[.]ts$', sees: ['foundation', 'serde'] },
  'log port': { path: '^src/log/(log[.]ts$|batch/)', sees: ['foundation', 'serde'] },

  topology: { path: '^src/topology/', sees: ['foundation', 'windows', 'aggregates', 'serde', 'sink port'] },
  state: { path: '^src/state/', sees: ['foundation', 'windows', 'aggregates', 'serde', 'topology'] },
  operators: {
    path: '^src/operators/',
    sees: ['foundation', 'windows', 'aggregates', 'serde', 'sink port', 'topology', 'state'],
  },
  runtime: { path: '^src/runtime/', sees: core.filter((room) => room !== 'runtime') },

  // Adapters: each knows its port and nothing of the others.
  assignor: { path: '^src/log/assignor/', sees: ['log port'] },
  'kafka log': { path: '^src/log/kafka/', sees: ['foundation', 'serde', 'log port', 'assignor'] },
  'local log': { path: '^src/log/local/', sees: ['foundation', 'serde', 'log port', 'assignor'] },
  'memory log': { path: '^src/log/memory[.]ts$', sees: ['foundation', 'serde', 'log port', 'local log'] },
  'embedded log': { path: '^src/log/embedded/', sees: ['foundation', 'serde', 'log port', 'local log'] },
  'clickhouse sink': { path: '^src/sinks/clickhouse/', sees: ['foundation', 'serde', 'sink port'] },
  'lake sink': { path: '^src/sinks/lake/', sees: ['foundation', 'serde', 'sink port', 's3'] },
  // How a bucket is spoken to, for whoever keeps something in one.
  s3: { path: '^src/s3/', sees: ['foundation'] },
  'snapshot port': { path: '^src/snapshots/snapshot-store[.]ts$', sees: ['foundation'] },
  'snapshot stores': { path: '^src/snapshots/(?!snapshot-store[.]ts$)', sees: ['foundation', 's3', 'snapshot port'] },

  testing: { path: '^src/testing/', sees: [...core, 'local log', 'memory log'] },
  // What `import 'millrace'` loads: no adapter, so that nobody pays for a database that is not used.
  index: { path: '^src/index[.]ts$', sees: core },
  cli: { path: '^src/cli/', sees: [...core, 'index', 'kafka log', 'embedded log'] },
}

const roomRules = Object.entries(rooms).map(([name, { path, sees }]) => ({
  name: `room: ${name}`,
  comment: `${name} may import ${['itself', ...sees].join(', ')}.`,
  severity: 'error',
  from: { path },
  to: { path: '^src/', pathNot: [path, ...sees.map((room) => rooms[room].path)] },
}))

/** A package is used in one place, behind the port that hides it. */
const onlyIn = (dependency, path) => ({
  name: `${dependency}: one place`,
  comment: `${dependency} is an implementation detail of ${path}.`,
  severity: 'error',
  from: { path: '^src/', pathNot: path },
  to: { path: `^${dependency}$|node_modules/${dependency}/` },
})

module.exports = {
  forbidden: [
    ...roomRules,
    {
      name: 'every file has a room',
      comment: 'A new folder of src/ gets a line in the table above, so that somebody decides what it may know.',
      severity: 'error',
      from: { path: '^src/', pathNot: Object.values(rooms).map((room) => room.path) },
      to: {},
    },
    {
      name: 'no cycles',
      comment: 'Two files that need each other are one file, or need a third.',
      severity: 'error',
      from: {},
      // A type may look back; code may not.
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'core stays light',
      comment:
        "Whoever imports 'millrace' must not load a client of Kafka, ClickHouse or S3, an engine, or a test framework.",
      severity: 'error',
      from: { path: '^src/index[.]ts$' },
      to: {
        path: 'node_modules/(kafkajs|@kafkajs|chdb|@clickhouse|@aws-sdk|avsc|vitest|fast-check)/',
        reachable: true,
      },
    },
    {
      name: 'pure rooms',
      comment: 'Windows, aggregates, topology and operators are data and functions: no I/O, no timers.',
      severity: 'error',
      from: { path: '^src/(windows|aggregates|topology|operators)/' },
      to: { dependencyTypes: ['core'], pathNot: '^util$' },
    },
    onlyIn('kafkajs', '^src/log/kafka/'),
    onlyIn('@clickhouse', '^src/sinks/clickhouse/'),
    onlyIn('chdb', '^src/sinks/clickhouse/embedded/'),
    onlyIn('@aws-sdk', '^src/(sinks/lake|s3|snapshots)/'),
    onlyIn('(vitest|fast-check)', '^src/testing/'),
    onlyIn('(node:)?sqlite', '^src/(log/embedded|state)/'),
    {
      name: 'kafkajs internals: one file',
      comment:
        'What we use of kafkajs beyond its public interface is listed in one file, with a test that notices when it moves.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/log/kafka/kafkajs-internals[.]ts$' },
      to: { path: 'node_modules/kafkajs/src/' },
    },
    {
      name: 'src stands alone',
      comment: 'The library knows nothing of its tests, examples and tools.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|examples|benchmarks|scripts)/' },
    },
    {
      name: 'examples are users',
      comment: 'An example imports what users import: the package and its subpaths.',
      severity: 'error',
      from: { path: '^examples/' },
      to: {
        path: '^src/',
        pathNot:
          '^src/(index|log/kafka/index|log/embedded/embedded|(serde/avro|sinks/clickhouse|sinks/lake|snapshots|state/disk|testing)/index)[.]ts$',
      },
    },
    {
      name: 'resolvable',
      comment: 'The import leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'declared dependencies',
      comment: 'What the library imports is in dependencies or peerDependencies of package.json.',
      severity: 'error',
      from: { path: '^src/' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        dependencyTypesNot: ['npm', 'npm-peer', 'npm-optional', 'type-only'],
      },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['millrace-source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
}
