import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx,mjs}'],
    reporters: ['default', './test/support/count-reporter.ts'],
    // Tests with real servers mostly wait, but more of them would share two cores.
    maxWorkers: 3,
    // Even a busy machine stays below these bounds.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // An unhandled rejection fails the run, because the package promises to handle all of them.
    dangerouslyIgnoreUnhandledErrors: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
