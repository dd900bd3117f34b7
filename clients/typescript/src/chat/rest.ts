import { PulseError } from '../errors.js';
import type { ExtensionHost } from '../extension.js';
import { within } from '../time.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Makes one request to the server. Resolves to the body of the answer, and rejects with a PulseError. */
export type Request = (method: Method, path: string, body?: object, ...cut: readonly AbortSignal[]) => Promise<unknown>;

const answerWithinMs = 20_000;
/** A proxy may name weeks, and browsers run a timer of more than 2^31 − 1 ms at once. */
const longestRetryAfterMs = 600_000;
const problem = 'urn:pulse:problem:';

export function restOf(host: ExtensionHost): Request {
  return async (method, path, body, ...cut) => {
    for (let isFirst = true; ; isFirst = false) {
      const token = await host.getToken();
      if (token === null) throw new PulseError('signed-out', 'The user is signed out.');
      const answer = await send(`${host.url}${path}`, method, token, body, cut);
      if (answer.ok) return answer.status === 204 ? undefined : await read(answer);
      if (answer.status === 401 && isFirst) host.dropToken();
      else throw await readProblem(answer);
    }
  };
}

async function send(url: string, method: Method, token: string, body: object | undefined, cut: readonly AbortSignal[]): Promise<Response> {
  const request = new AbortController();
  const abort = (): void => request.abort();
  if (cut.some(({ aborted }) => aborted)) abort();
  for (const signal of cut) signal.addEventListener('abort', abort);
  try {
    return await within(answerWithinMs, `${method} ${url}`, fetch(url, {
      method,
      credentials: 'omit',
      cache: 'no-store',
      headers: { accept: 'application/json', authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
      signal: request.signal,
    }));
  } catch (error) {
    abort();
    throw lost(error);
  } finally {
    for (const signal of cut) signal.removeEventListener('abort', abort);
  }
}

async function read(answer: Response): Promise<unknown> {
  try {
    return await within(answerWithinMs, 'the answer', answer.json());
  } catch (error) {
    throw lost(error);
  }
}

function lost(error: unknown): PulseError {
  return new PulseError('connection-failed', error instanceof Error ? error.message : String(error), { cause: error });
}

async function readProblem(answer: Response): Promise<PulseError> {
  const { type, detail, title } = (await answer.json().catch(() => ({}))) as { type?: string; detail?: string; title?: string };
  // The answer of a proxy lacks a code.
  const code = type?.startsWith(problem) ? type.slice(problem.length) : answer.status >= 500 ? 'unavailable' : answer.status === 429 ? 'too-many-requests' : 'call-failed';
  return new PulseError(code, detail ?? title ?? `The server answered ${answer.status}.`, { retryAfterMs: readRetryAfter(answer) });
}

/** Pulse sends seconds. A proxy may send a date. */
function readRetryAfter({ headers }: Response): number | undefined {
  const text = headers.get('retry-after');
  const ms = Number(text) * 1_000 || Date.parse(text ?? '') - Date.now();
  return ms > 0 ? Math.min(ms, longestRetryAfterMs) : undefined;
}
