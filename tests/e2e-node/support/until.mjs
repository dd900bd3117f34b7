import { setTimeout as delay } from 'node:timers/promises';

/**
 * Calls `probe` until `accept` takes its answer, and returns that answer. An exception counts as "not yet".
 * @param expected the awaited state, in words: the message of a time-out pairs it with the last answer.
 */
export async function until(expected, probe, accept = Boolean, { withinMs = 15_000 } = {}) {
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
