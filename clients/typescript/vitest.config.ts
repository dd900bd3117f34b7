import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.{ts,tsx,mjs}'],
    reporters: ['default', './test/support/count-reporter.ts'],
    // Tests with real servers mostly wait. More at once would share two cores.
    maxWorkers: 3,
    // A rejection that nobody handles fails the run: the package promises to leave none.
    dangerouslyIgnoreUnhandledErrors: false,
    restoreMocks: true,
    unstubGlobals: true,
  },
});
