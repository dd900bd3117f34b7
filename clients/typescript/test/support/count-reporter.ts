import type { Reporter, TestModule } from 'vitest/node';

/**
 * Ends the output in the format of Node's own test runner, so that test.sh, which counts the tests of many packages, reads one format only.
 */
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // Errors of a file's loading or of a hook are missing among the failed tests.
      count.failed += module.errors().length;
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length;
    }
    console.log(`# pass ${count.passed}\n# fail ${count.failed}\n# cancelled ${count.pending}\n# skipped ${count.skipped}\n# todo 0`);
  }
}
