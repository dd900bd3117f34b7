import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx,mjs}'],
    reporters: ['default', './test/support/count-reporter.ts'],
    // Real servers and browsers share the machine, so files run one after another. Unit tests are quick anyway.
    fileParallelism: false,
    // An unhandled rejection fails the run, because the package promises to handle all of them.
    dangerouslyIgnoreUnhandledErrors: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
