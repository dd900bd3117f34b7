/** The wire shapes this page uses, and one function per request. Times are ISO 8601 UTC. */

export interface Person {
  readonly email: string;
  readonly name: string;
}

export interface AccessToken {
  readonly accessToken: string;
  readonly expiresAt: string;
}

export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly lastSeen: string | null;
}

export interface Presence {
  readonly userId: string;
  readonly status: string;
  readonly lastSeen: string | null;
}

/** An answer that was no success, with the reason that the server's problem details give. */
export class RequestError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

/** Development sign-in exists in Development alone; anywhere else its route answers 404. */
export async function devSignInExists(): Promise<boolean> {
  const answer = await fetch('/auth/dev', jsonPost({}));
  return answer.status !== 404;
}

export function devSignIn(person: Person): Promise<AccessToken> {
  return send('/auth/dev', jsonPost(person));
}

export function sync(person: Person, token: string): Promise<User> {
  return send('/auth/sync', withBearer(token, jsonPost(person)));
}

export async function presenceOf(userId: string, token: string): Promise<Presence | undefined> {
  const all = await send<Presence[]>(`/presence?ids=${encodeURIComponent(userId)}`, withBearer(token, {}));
  return all.find((one) => one.userId === userId);
}

async function send<T>(path: string, init: RequestInit): Promise<T> {
  const answer = await fetch(path, { ...init, cache: 'no-store' });
  if (answer.ok) return (await answer.json()) as T;
  const problem = (await answer.json().catch(() => ({}))) as { detail?: string; title?: string };
  throw new RequestError(answer.status, problem.detail ?? problem.title ?? `The server answered ${answer.status}.`);
}

function jsonPost(body: unknown): RequestInit {
  return { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
}

function withBearer(token: string, init: RequestInit): RequestInit {
  return { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } };
}
