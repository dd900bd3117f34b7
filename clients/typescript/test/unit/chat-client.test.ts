import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ChatClient } from '../../src/chat/chat-client.js';
import { memoryStorage } from '../../src/chat/storage.js';
import { loneTab } from '../../src/chat/tab-locks.js';
import type { ChatMembers, ChatStorage } from '../../src/chat/types.js';
import type { PulseClient } from '../../src/pulse-client.js';
import { ChatServer } from '../support/chat-server.js';
import type { FakeHub } from '../support/fake-hub.js';
import { scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Answer = (path: string, method: string, body?: object) => unknown;

/** A whole client with chat. By default each request is answered with an empty inbox. */
function chatScene({ storage = memoryStorage(), ...options }: Parameters<typeof scene>[0] & { storage?: ChatStorage } = {}) {
  const requests: string[] = [];
  const state = { answer: (() => ({ items: [], before: null })) as Answer };
  const chat = {
    attach: (host: ConstructorParameters<typeof ChatClient>[0]) => new ChatClient(host, { storage }, {
      request: async (method, path, body) => {
        requests.push(`${method} ${path}`);
        return state.answer(path, method, body);
      },
      locks: loneTab(),
    }),
  };
  const inner = scene({ ...options, chat });
  const pulse = inner.pulse as object as PulseClient & ChatMembers;
  return Object.assign(state, { inner, pulse, requests, storage, online: inner.online.bind(inner) });
}

/** A server with one conversation behind a hub. */
function serve(hub: FakeHub, sent: string[] = []): string[] {
  hub.answers.SendMessage = (_id: string, { text }: { text: string }) => ({ seq: sent.push(text), sentAt: '2026-01-01T00:00:00.000Z' });
  return sent;
}

const id = new ChatServer().id;

test.each(['x', 'ä', '€', '😀'])('a message above the limit of the server fails, and the next one is sent on the same connection: %s', async (character) => {
  const s = chatScene();
  const sent = serve(await s.online());
  const conversation = s.pulse.conversation(id);
  conversation.send(character.repeat(70_000));
  conversation.send('hi');
  await settle();
  expect(conversation.getSnapshot().pending.map(({ state, error }) => [state, error?.code])).toEqual([['failed', 'too-long']]);
  expect(sent).toEqual(['hi']);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(s.inner.hubs.length, 'connections').toBe(1);
});

test.each([['x', 60_000], ['ä', 30_000], ['€', 20_000], ['😀', 15_000]])('a message just below the limit is sent: %s', async (character, count) => {
  const s = chatScene();
  const sent = serve(await s.online());
  s.pulse.conversation(id).send(character.repeat(count));
  await settle();
  expect(sent.length).toBe(1);
});

test('an edit above the limit rejects', async () => {
  const s = chatScene();
  await s.online();
  await expect(s.pulse.conversation(id).edit(2, 'x'.repeat(70_000))).rejects.toMatchObject({ code: 'too-long' });
  expect(s.inner.hubs.length, 'connections').toBe(1);
});

test('a message of a status above the limit rejects', async () => {
  const s = chatScene();
  await s.online();
  await expect(s.pulse.setStatus('busy', 'x'.repeat(70_000))).rejects.toMatchObject({ code: 'too-long' });
  expect(s.inner.hubs.length, 'connections').toBe(1);
});
