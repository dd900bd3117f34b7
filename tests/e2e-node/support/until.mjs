import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks `probe` until `accept` takes its answer, and returns that answer. An error counts as "not yet".
 * A busy machine stays below the bound.
 * @param expected what is waited for, in words: the message of a time-out pairs it with what came last.
 */
export async function until(expected, probe, accept = Boolean, { withinMs = 60_000 } = {}) {
  let actual;
  for (const deadline = Date.now() + withinMs; ; await delay(50)) {
    try {
      actual = await probe();
      if (accept(actual)) return actual;
    } catch (error) {
      actual = error;
    }
    if (Date.now() > deadline) throw new Error(`Expected ${expected} within ${withinMs} ms; last was ${describe(actual)}`);
  }
}

function describe(value) {
  return value instanceof Error ? `${value.name}: ${value.message}` : JSON.stringify(value);
}
