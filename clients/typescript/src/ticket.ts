import { PulseError } from './errors.js';

/** A ticket for one connection; undefined where the server gives none: an earlier version, or a user that it does not know yet. */
export async function takeTicket(url: string, token: string, signal: AbortSignal): Promise<string | undefined> {
  const answer = await fetch(`${url}/auth/hub-ticket`, {
    method: 'POST',
    credentials: 'omit',
    cache: 'no-store',
    headers: { accept: 'application/json', authorization: `Bearer ${token}` },
    signal,
  });
  const { status } = answer;
  if (status === 404 || status === 405) return undefined;
  if (status === 401) throw new PulseError('invalid-token', 'The server does not accept the access token.');
  if (!answer.ok) throw new Error(`POST /auth/hub-ticket answered ${status}`);
  return ((await answer.json()) as { ticket: string }).ticket;
}
