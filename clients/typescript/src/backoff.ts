const firstMs = 1_000;
const capMs = 30_000;

/**
 * How long to wait before the next attempt: exponential, with full jitter, so that the clients of a server that went away do not
 * come back in step (Marc Brooker, "Exponential Backoff And Jitter", 2015).
 * @param failures attempts in a row that have failed; 0 after a connection that had held: up to 1 s.
 */
export function backoffMs(failures: number, random: () => number): number {
  return random() * Math.min(capMs, firstMs * 2 ** failures);
}
