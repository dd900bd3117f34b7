import { vi } from 'vitest';

/** Waits for a condition, with a bound that a busy machine does not reach and that is below the timeout of a test. */
export const until = (condition: () => unknown) => vi.waitUntil(condition, { timeout: 50_000 });
