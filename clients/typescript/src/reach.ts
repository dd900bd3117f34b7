import { pause, within } from './time.js';

/** Resolves when the server answers a small HTTP request, whatever the answer, and otherwise rejects. */
export type Reach = (signal: AbortSignal) => Promise<unknown>;

/** Most attempts end before this time, which saves their request. */
const firstLookMs = 500;
const answerMs = 2_000;
/** Shorter than an answer may take, because a request that was sent during the outage must not delay the next one. */
const askEveryMs = 1_000;
const laterMs = 5_000;
const graceMs = 500;
/**
 * A server under load can let a handshake wait for as long as this and longer. Therefore only one attempt per outage is cut because of it.
 */
const unansweredMs = 3_000;

export interface Attempt {
  /** Whether its handshake is in progress and unanswered. */
  readonly isUnanswered: boolean;
  /** Aborts when the attempt is over. */
  readonly over: AbortSignal;
  /** Whether it may be cut because of long silence only. */
  readonly mayCutSilent: boolean;
}

/** Asks the health route, which is open to all. If CORS is missing the browser hides the answer, but its arrival is enough. */
export function healthReach(url: string): Reach {
  return (signal) => fetch(`${url}/health/live`, { mode: 'no-cors', cache: 'no-store', credentials: 'omit', signal });
}

/**
 * Finds an attempt to connect that hangs although the server can be reached, because its packets were lost while the network or the server
 * was unavailable. Browsers wait for minutes then. A parallel HTTP request checks the server. Resolves to the reason for cutting the
 * attempt, or to undefined.
 */
export async function findHanging(reach: Reach, attempt: Attempt): Promise<'reachable-again' | 'silent' | undefined> {
  const { over } = attempt;
  const startedAt = Date.now();
  await pause(firstLookMs, over);
  let wasAway = false;
  const look = async (): Promise<boolean> => {
    const isThere = await answers(reach, over);
    wasAway ||= !isThere;
    return isThere;
  };
  let latest = Promise.resolve(false);
  while (!over.aborted) {
    const looks = [latest, (latest = look())];
    const none = pause(askEveryMs, over).then(() => false);
    const isThere = await Promise.race([none, ...looks.map((answer) => answer.then((isAnswered) => isAnswered || none))]);
    if (over.aborted) return undefined;
    if (!isThere) continue;

    if (wasAway) {
      // The attempt may be answered by now too, for example by a server that was frozen.
      await pause(graceMs, over);
      return over.aborted ? undefined : 'reachable-again';
    }

    if (attempt.mayCutSilent) {
      await pause(startedAt + unansweredMs - Date.now(), over);
      if (!over.aborted && attempt.isUnanswered) return 'silent';
    }
    await pause(laterMs, over);
    latest = Promise.resolve(false);
  }
  return undefined;
}

async function answers(reach: Reach, over: AbortSignal): Promise<boolean> {
  const request = new AbortController();
  const abort = (): void => request.abort();
  over.addEventListener('abort', abort);
  try {
    await within(answerMs, 'the health route', reach(request.signal), over);
    return true;
  } catch {
    return false;
  } finally {
    over.removeEventListener('abort', abort);
    abort();
  }
}
