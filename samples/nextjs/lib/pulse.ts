import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { getToken } from 'next-auth/jwt';

// The REST client of this application's server. It calls Pulse as the signed-in user.

/** The address of Pulse. */
export const pulseUrl = (process.env.PULSE_URL ?? 'http://localhost:5080').replace(/\/+$/, '');

/** The caller's own profile. */
export interface Me {
  readonly id: string;
  readonly email: string | null;
  readonly name: string;
  readonly avatar: string | null;
}

export interface Conversation {
  readonly id: string;
  readonly title: string | null;
  readonly other?: { readonly userId: string; readonly name: string };
}

/** An error answer of Pulse, or a missing answer. */
export class PulseProblem extends Error {
  /** @param code the end of the problem's `type`, such as `not-found`; `unavailable` if the answer is not from Pulse itself. */
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

/** The value of the session cookie, which Pulse accepts as a bearer token, or null if the session is missing. Pulse verifies it. */
export const sessionToken = (): Promise<string | null> => readCookie(true);

/** When the session token expires, or null if the session is missing or invalid. */
export async function sessionExpiry(): Promise<Date | null> {
  const claims = await readCookie(false);
  return claims?.exp ? new Date(claims.exp * 1000) : null;
}

/** Creates or updates the Pulse user of the session token. */
export const sync = (): Promise<Me> => call('POST', '/auth/sync');

export const profile = (): Promise<Me> => call('GET', '/auth/me');

/**
 * The signed-in user. Ends the session of a user that Pulse refuses or lacks. Such a user may have been erased, and only a sign-in
 * may create a user again.
 */
export async function me(): Promise<Me> {
  try {
    return await profile();
  } catch (error) {
    if (error instanceof PulseProblem && (error.status === 401 || error.code === 'not-synced')) redirect(`/signed-out?error=${error.code}`);
    throw error;
  }
}

// Pulse answers 200 subjects at a time, and a server may refuse an address above 8 KiB.
const batchSize = 100;

/** The Pulse ids of this application's users, by subject. Users that have never signed in to Pulse are left out. */
export async function idsOf(subjects: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const ids = new Map<string, string>();
  for (let start = 0; start < subjects.length; start += batchSize) {
    const batch = subjects.slice(start, start + batchSize).map(encodeURIComponent).join(',');
    for (const { subject, id } of await call<{ subject: string; id: string }[]>('GET', `/users?subject=${batch}`)) ids.set(subject, id);
  }
  return ids;
}

/** The conversation with that user, which is created if it is missing. */
export const startDirect = (userId: string): Promise<Conversation> =>
  call('POST', '/conversations', { kind: 'direct', members: [userId], clientId: crypto.randomUUID() });

/** The caller's conversations, most recent first. */
export const conversations = async (): Promise<readonly Conversation[]> =>
  (await call<{ items: Conversation[] }>('GET', '/conversations')).items;

export const conversation = (id: string): Promise<Conversation> => call('GET', `/conversations/${encodeURIComponent(id)}`);

async function readCookie<R extends boolean>(raw: R) {
  const request = await headers();
  // Auth.js names its cookie so on a site with https. The address here may lack it, because a proxy may handle https.
  const secureCookie = request.get('cookie')?.includes('__Secure-authjs.session-token') ?? false;
  return await getToken({ req: { headers: request }, secret: process.env.AUTH_SECRET, raw, secureCookie });
}

async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const token = await sessionToken();
  const answer = await fetch(pulseUrl + path, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    // Answers are for one user.
    cache: 'no-store',
    signal: AbortSignal.timeout(10_000),
  }).catch((error: unknown) => {
    throw new PulseProblem(503, 'unavailable', `${method} ${path}: ${error}`);
  });
  if (answer.ok) return (await answer.json()) as T;
  const problem = (await answer.json().catch(() => ({}))) as { type?: string; detail?: string };
  // A proxy in front of Pulse answers with a page of its own.
  const code = problem.type?.split(':').at(-1) || 'unavailable';
  throw new PulseProblem(answer.status, code, problem.detail ?? `${method} ${path} answered ${answer.status}`);
}
