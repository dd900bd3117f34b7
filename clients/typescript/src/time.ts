/** Browsers and Node.js run a timer of more than 2^31 − 1 ms at once. */
const longestTimerMs = 2 ** 31 - 1;

/** Calls once after that time, however long it is; never for Infinity. Returns a function that cancels it. */
export function later(ms: number, action: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (leftMs: number): void => {
    if (leftMs === Infinity) return;
    const stepMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : action()), stepMs);
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/** Waits that long, or until `cut` aborts. Resolves in both cases. */
export function pause(ms: number, ...cut: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    if (!(ms > 0) || cut.some((signal) => signal.aborted)) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      for (const signal of cut) signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    for (const signal of cut) signal.addEventListener('abort', done);
  });
}

/** The promise's outcome, or a rejection after that time, or when `cut` aborts. The work itself continues. */
export function within<T>(ms: number, what: string, promise: Promise<T>, cut?: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = (): void => reject(new Error(`${what} was cut short: ${cut!.reason}`));
    if (cut?.aborted) giveUp();
    cut?.addEventListener('abort', giveUp);
    const timer = setTimeout(() => reject(new Error(`${what} took longer than ${ms} ms`)), ms);
    promise.then(resolve, reject).finally(() => {
      clearTimeout(timer);
      cut?.removeEventListener('abort', giveUp);
    });
  });
}
