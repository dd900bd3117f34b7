import type { ConversationItem } from '@pulse-presence/client/chat';
import { base } from '../dom';

/** A refusal of the server, or `connection-failed` if its answer is missing. */
export class ApiError extends Error {
  override readonly name = 'ApiError';

  constructor(readonly code: string, message: string) {
    super(message);
  }
}

export interface Person {
  readonly userId: string;
  readonly name: string;
  readonly avatar: string | null;
}

export interface Channel {
  readonly id: string;
  readonly title: string;
  readonly members?: number;
}

export interface Hit {
  readonly conversationId: string;
  readonly seq: number;
  readonly senderId: string;
  readonly sentAt: string;
  readonly snippet: string;
}

/** The people that the page offers for a new conversation. Empty if the site hides its list of people. */
export async function listPeople(): Promise<readonly Person[]> {
  try {
    return ((await request('GET', '/chat/people')) as { items: Person[] }).items;
  } catch (error) {
    if (error instanceof ApiError && error.code === 'not-found') return [];
    throw error;
  }
}

export async function findUser(userId: string): Promise<Person> {
  const { name, avatar } = (await request('GET', `/users/${userId}`)) as { name: string; avatar: string | null };
  return { userId, name, avatar };
}

/** A conversation outside of the loaded part of the list. */
export async function findConversation(id: string): Promise<ConversationItem> {
  return (await request('GET', `/conversations/${id}`)) as ConversationItem;
}

/** Calls a route with the session cookie. */
export async function request(method: string, path: string, body?: unknown, signal?: AbortSignal): Promise<unknown> {
  let answer: Response;
  try {
    answer = await fetch(base + path, {
      method,
      cache: 'no-store',
      redirect: 'manual',
      headers: { accept: 'application/json', ...(body === undefined ? undefined : { 'content-type': 'application/json' }) },
      ...(body === undefined ? undefined : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : undefined),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError('connection-failed', String(error));
  }
  if (answer.ok) return answer.status === 204 ? undefined : answer.json();
  throw new ApiError(await readCode(answer), `${method} ${path} answered ${answer.status}`);
}

async function readCode(answer: Response): Promise<string> {
  try {
    const { type } = (await answer.json()) as { type?: string };
    const code = /^urn:pulse:problem:(.+)$/.exec(type ?? '')?.[1];
    if (code) return code;
  } catch {
    // The page of a proxy lacks a code.
  }
  return answer.status >= 500 ? 'unavailable' : answer.status === 404 ? 'not-found' : 'call-failed';
}
