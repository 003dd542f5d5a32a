import { defineConfig } from 'vitest/config'

/** A file to write the results into as JSON, beside the usual output: how .ci/run counts. */
const report = process.env.MILLRACE_TEST_REPORT

export default defineConfig({
  resolve: { conditions: ['millrace-source'] },
  ssr: { resolve: { conditions: ['millrace-source', 'node', 'import'] } },
  test: {
    pool: 'forks',
    setupFiles: ['test/support/seed.ts'],
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/services/**', 'test/faults/**'],
          testTimeout: 20_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'services',
          include: ['test/services/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: [
            'test/faults/**/*.test.ts',
            'test/log/embedded/kill.test.ts',
            'test/services/kafka/{holes,poison,secrets,security}.test.ts',
          ],
          // With --rounds or --minutes a test takes as long as it takes.
          testTimeout: process.env.FAULT_ROUNDS === undefined && process.env.FAULT_MINUTES === undefined ? 300_000 : 0,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
})
