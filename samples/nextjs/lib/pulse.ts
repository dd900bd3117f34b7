import { headers } from 'next/headers';
import { redirect } from 'next/navigation';
import { getToken } from 'next-auth/jwt';

// The REST client of this application's server. It calls Pulse as the signed-in user.

/** The address of Pulse. */
export const pulseUrl = process.env.PULSE_URL ?? 'http://localhost:5080';

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

/** An error answer of Pulse. */
export class PulseProblem extends Error {
  /** @param code the end of the problem's `type`, such as `not-found`. */
  constructor(readonly status: number, readonly code: string, message: string) {
    super(message);
  }
}

/** The value of the session cookie, which Pulse accepts as a bearer token, or null without a session. Pulse verifies it. */
export async function sessionToken(): Promise<string | null> {
  return await getToken({ req: { headers: await headers() }, raw: true, secureCookie });
}

/** When the session token expires, or null without a valid session. */
export async function sessionExpiry(): Promise<Date | null> {
  const claims = await getToken({ req: { headers: await headers() }, secret: process.env.AUTH_SECRET, secureCookie });
  return claims?.exp ? new Date(claims.exp * 1000) : null;
}

/** Creates or updates the Pulse user of the session token. */
export const sync = (): Promise<Me> => call('POST', '/auth/sync');

/** The signed-in user. Redirects a user that Pulse does not know yet to /welcome, and one without a session to the sign-in page. */
export async function me(): Promise<Me> {
  try {
    return await call<Me>('GET', '/auth/me');
  } catch (error) {
    if (error instanceof PulseProblem && error.status === 404) redirect('/welcome');
    if (error instanceof PulseProblem && error.status === 401) redirect('/signin');
    throw error;
  }
}

/** The Pulse ids of this application's users, by subject. Users that have never signed in to Pulse are left out. */
export async function idsOf(subjects: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (subjects.length === 0) return new Map();
  const known = await call<{ subject: string; id: string }[]>('GET', `/users?subject=${subjects.map(encodeURIComponent).join(',')}`);
  return new Map(known.map(({ subject, id }) => [subject, id]));
}

/** The conversation with that user, which is created if it is missing. */
export const startDirect = (userId: string): Promise<Conversation> =>
  call('POST', '/conversations', { kind: 'direct', members: [userId], clientId: crypto.randomUUID() });

/** The caller's conversations, most recent first. */
export const conversations = async (): Promise<readonly Conversation[]> =>
  (await call<{ items: Conversation[] }>('GET', '/conversations')).items;

export const conversation = (id: string): Promise<Conversation> => call('GET', `/conversations/${encodeURIComponent(id)}`);

// Auth.js names its cookie `__Secure-authjs.session-token` on a site with https.
const secureCookie = process.env.AUTH_URL?.startsWith('https:') ?? false;

async function call<T>(method: 'GET' | 'POST', path: string, body?: unknown): Promise<T> {
  const token = await sessionToken();
  const answer = await fetch(pulseUrl + path, {
    method,
    headers: { ...(token && { authorization: `Bearer ${token}` }), ...(body !== undefined && { 'content-type': 'application/json' }) },
    body: body === undefined ? undefined : JSON.stringify(body),
    // Answers are for one user.
    cache: 'no-store',
    signal: AbortSignal.timeout(10_000),
  });
  if (answer.ok) return (await answer.json()) as T;
  const problem = (await answer.json().catch(() => ({}))) as { type?: string; detail?: string };
  const code = problem.type?.split(':').at(-1) ?? '';
  throw new PulseProblem(answer.status, code, problem.detail ?? `${method} ${path} answered ${answer.status}`);
}
