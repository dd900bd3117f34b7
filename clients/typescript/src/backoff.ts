const firstMs = 1_000;
const capMs = 30_000;
/** Keeps a visible page live within five seconds of the end of a fault. */
const eagerCapMs = 3_000;
const eagerForMs = 600_000;

/**
 * How long to wait before the next attempt: exponential, with full jitter, so that the clients of a failed server reconnect at different
 * times (Marc Brooker, "Exponential Backoff And Jitter", 2015).
 * @param failures failed attempts in a row; 0 after a connection that had held: up to 1 s.
 * @param failingForMs time since the first failure; 0 for operations other than connecting.
 * @param isSeen whether the user may be looking at the page. A hidden page can wait: its next attempt comes when the page is shown.
 */
export function backoffMs(failures: number, random: () => number, failingForMs = Infinity, isSeen = false): number {
  return random() * Math.min(isSeen && failingForMs < eagerForMs ? eagerCapMs : capMs, firstMs * 2 ** failures);
}
