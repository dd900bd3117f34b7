import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx,mjs}'],
    reporters: ['default', './test/support/count-reporter.ts'],
    // Real servers and browsers share the machine with each other; unit tests are over in no time anyway.
    fileParallelism: false,
    // A rejection that nobody handles fails the run: the package promises to leave none.
    dangerouslyIgnoreUnhandledErrors: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
