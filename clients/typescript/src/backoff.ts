const firstMs = 1_000;
const capMs = 30_000;
/** So that a page that is looked at is live within five seconds of the end of a fault. */
const eagerCapMs = 3_000;
const eagerForMs = 600_000;

/**
 * How long to wait before the next attempt: exponential, with full jitter, so that the clients of a server that went away do not
 * come back in step (Marc Brooker, "Exponential Backoff And Jitter", 2015).
 * @param failures attempts in a row that have failed; 0 after a connection that had held: up to 1 s.
 * @param failingForMs since when; 0 for what is no attempt to connect.
 * @param isSeen whether the user may be looking at the page. The next attempt of a hidden page can wait: it is made when the page is shown.
 */
export function backoffMs(failures: number, random: () => number, failingForMs = Infinity, isSeen = false): number {
  return random() * Math.min(isSeen && failingForMs < eagerForMs ? eagerCapMs : capMs, firstMs * 2 ** failures);
}
