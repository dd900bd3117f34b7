import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { chat } from '../../src/chat.js';
import { ChatClient } from '../../src/chat/chat-client.js';
import { Session } from '../../src/chat/session.js';
import { memoryStorage } from '../../src/chat/storage.js';
import { loneTab } from '../../src/chat/tab-locks.js';
import type { ChatMembers, ChatStorage } from '../../src/chat/types.js';
import { PulseError } from '../../src/errors.js';
import type { ExtensionHost } from '../../src/extension.js';
import type { PulseClient } from '../../src/pulse-client.js';
import { ChatServer, Wire } from '../support/chat-server.js';
import type { FakeHub } from '../support/fake-hub.js';
import { FakeKeep, scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

type Answer = (path: string, method: string, body?: object) => unknown;

/** A whole client with chat. By default each request is answered with an empty inbox. */
function chatScene({ storage = memoryStorage(), ...options }: Parameters<typeof scene>[0] & { storage?: ChatStorage } = {}) {
  const requests: string[] = [];
  const state = {
    answer: (() => ({ items: [], before: null })) as Answer,
    answerBlocked: ((): unknown => Promise.reject(new PulseError('unavailable', 'no'))) as Answer,
  };
  const extension = {
    attach: (host: ConstructorParameters<typeof ChatClient>[0]) => new ChatClient(host, { storage }, {
      request: async (method, path, body) => {
        if (path.startsWith('/users/blocked')) return state.answerBlocked(path, method, body);
        requests.push(`${method} ${path}`);
        await host.getToken();
        return state.answer(path, method, body);
      },
      locks: loneTab(),
    }),
  };
  const inner = scene({ ...options, chat: extension });
  const pulse = inner.pulse as object as PulseClient & ChatMembers;
  return Object.assign(state, { inner, pulse, requests, storage, online: inner.online.bind(inner) });
}

/** A server with one conversation behind a hub. */
function serve(hub: FakeHub, sent: string[] = []): string[] {
  hub.answers.SendMessage = (_id: string, { text }: { text: string }) => ({ seq: sent.push(text), sentAt: '2026-01-01T00:00:00.000Z' });
  return sent;
}

/** Answers that the known conversations are unchanged, or that all of them are gone. */
function syncAnswer(gone: boolean) {
  return (known: readonly { id: string; seq: number }[]) =>
    known.map(({ id, seq }) => ({ id, head: seq, from: 1, read: 0, entries: [], tooFar: false, gone, reset: false }));
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

test.each(['while disconnected', 'between attempts'])('the signal of an edit ends the waiting at once: %s', async (when) => {
  const s = chatScene();
  const controller = new AbortController();
  // As in React Native.
  Object.assign(controller.signal, { throwIfAborted: undefined });
  if (when === 'between attempts') (await s.online()).answers.EditMessage = () => Promise.reject(new PulseError('unavailable', 'no'));
  const failed = vi.fn();
  s.pulse.conversation(id).edit(2, 'x', { signal: controller.signal }).catch(failed);
  await settle();
  const calls = s.inner.hubs.length;
  controller.abort();
  await settle();
  expect(failed).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ name: 'PulseError', code: 'aborted' }));
  if (when === 'while disconnected') await s.online();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(s.inner.hub.callsOf('EditMessage').length).toBe(calls);
});

test('a message of a status above the limit rejects', async () => {
  const s = chatScene();
  await s.online();
  await expect(s.pulse.setStatus('busy', 'x'.repeat(70_000))).rejects.toMatchObject({ code: 'too-long' });
  expect(s.inner.hubs.length, 'connections').toBe(1);
});

test('the inbox is read again about once a minute while it is shown, and the connection lasts', async () => {
  const s = chatScene();
  const hub = await s.online();
  const reads = async (): Promise<number> => {
    s.requests.length = 0;
    await vi.advanceTimersByTimeAsync(150_000);
    return s.requests.filter((request) => request.startsWith('GET /conversations?')).length;
  };
  expect(await reads(), 'not shown').toBe(0);
  const unsubscribe = s.pulse.conversations.subscribe(() => undefined);
  expect(await reads(), 'shown').toBe(2);
  s.inner.page.show('hidden');
  expect(await reads(), 'in a hidden page').toBe(0);
  s.inner.page.show('visible');
  hub.break();
  await vi.advanceTimersByTimeAsync(5_000);
  await s.inner.accept();
  expect(await reads(), 'on the next connection').toBe(2);
  unsubscribe();
  expect(await reads(), 'no longer shown').toBe(0);
});

test('a reading of the inbox without news changes no snapshot', async () => {
  const server = new ChatServer();
  server.append('bob', { kind: 'message', clientId: 'b', text: 'hello', mentions: ['me'], replyTo: null });
  const s = chatScene();
  s.answer = () => structuredClone({ items: [server.item('me')], before: null });
  await s.online();
  const conversation = s.pulse.conversation(id);
  const { conversations } = s.pulse;
  await vi.advanceTimersByTimeAsync(5_000);
  const told = vi.fn();
  conversations.subscribe(told);
  conversation.subscribe(told);
  const before = [conversations.getSnapshot(), conversation.getSnapshot()];
  const stores = vi.spyOn(s.storage, 'set');
  s.requests.length = 0;
  await vi.advanceTimersByTimeAsync(150_000);
  expect(s.requests.length).toBe(2);
  expect([conversations.getSnapshot(), conversation.getSnapshot()].map((after, index) => after === before[index])).toEqual([true, true]);
  expect(told).not.toHaveBeenCalled();
  expect(stores).not.toHaveBeenCalled();
  server.append('bob', { kind: 'message', clientId: 'c', text: 'again', mentions: [], replyTo: null });
  await vi.advanceTimersByTimeAsync(100_000);
  expect(conversations.get(id)?.last?.text).toBe('again');
  expect(conversations.getSnapshot().items[0]).toBe(conversations.get(id));
  expect(told).toHaveBeenCalled();
});

test('a reading of the inbox that fails is repeated in the next minute', async () => {
  const s = chatScene();
  await s.online();
  s.pulse.conversations.subscribe(() => undefined);
  s.answer = () => Promise.reject(new PulseError('unavailable', 'no'));
  await vi.advanceTimersByTimeAsync(80_000);
  s.answer = () => ({ items: [new ChatServer().item('me')], before: null });
  await vi.advanceTimersByTimeAsync(80_000);
  expect(s.pulse.conversations.getSnapshot().items.length).toBe(1);
});

test('a conversation of the last visit that is gone since is removed, however late storage is', async () => {
  const server = new ChatServer();
  const storage = memoryStorage();
  const first = chatScene({ storage });
  first.answer = () => ({ items: [server.item('me')], before: null });
  await first.online();
  await vi.advanceTimersByTimeAsync(2_000);
  await first.pulse.stop();

  // The inbox comes from storage after the client has asked the server, and before the answer.
  const second = chatScene({ storage });
  second.answer = async (path) => {
    if (path.startsWith('/conversations?')) return await new Promise((resolve) => setTimeout(() => resolve({ items: [], before: null }), 100));
    throw new PulseError('not-found', 'no');
  };
  const hub = second.online();
  await settle();
  (await hub).answers.SyncConversations = syncAnswer(true);
  expect(second.pulse.conversations.get(id), 'of the last visit').toBeDefined();
  await vi.advanceTimersByTimeAsync(200);
  expect(second.pulse.conversations.get(id)).toBeUndefined();
});

/** An answer that arrives when the test says so. */
function lateAnswer() {
  let arrive!: (answer?: unknown) => void;
  const answer = new Promise<unknown>((resolve) => (arrive = resolve));
  return { answer: () => answer, arrive };
}

test('after a stop no request is made, because the next user may be another one', async () => {
  const s = chatScene();
  await s.online('alice');
  await s.pulse.stop({ forget: true });
  const tokens = s.inner.getToken.mock.calls.length;
  s.answer = () => ({ items: [new ChatServer().item('alice')], before: null });
  const conversation = s.pulse.conversation(id);
  const { conversations } = s.pulse;
  for (const call of [
    conversations.search('x'), conversations.refresh(), conversation.members(), conversations.block('bob'), conversation.react(1, 'x'),
    conversation.loadAround(1),
  ]) {
    await expect(call).rejects.toMatchObject({ code: 'stopped' });
  }
  expect(s.inner.getToken.mock.calls.length).toBe(tokens);
  expect(conversations.getSnapshot().items).toEqual([]);

  await s.online('bob');
  expect(await conversations.search('x')).toMatchObject({ before: null });
});

test('a request before the first start is made when the client starts', async () => {
  const s = chatScene();
  const found = s.pulse.conversations.search('x');
  await settle();
  expect(s.requests).toEqual([]);
  s.pulse.start();
  expect(await found).toMatchObject({ before: null });
});

test('a stop before the first start ends the requests that wait for it', async () => {
  const s = chatScene();
  const { conversations } = s.pulse;
  const calls = [conversations.search('x'), conversations.create({ kind: 'group', title: 'x' }), s.pulse.conversation(id).react(2, 'x')];
  for (const call of calls) call.catch(() => undefined);
  await settle();
  void s.pulse.stop();
  s.pulse.start();
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'stopped' });
  expect(s.requests).toEqual([]);
  expect(await conversations.search('x')).toMatchObject({ before: null });
});

test('the signal of a search ends the waiting for the first start', async () => {
  const s = chatScene();
  const controller = new AbortController();
  const found = s.pulse.conversations.search('x', { signal: controller.signal });
  controller.abort();
  await expect(found).rejects.toMatchObject({ code: 'aborted' });
  s.pulse.start();
  await settle();
  expect(s.requests.filter((request) => request.includes('search'))).toEqual([]);
});

test('where the client cannot start, as on a server, calls reject', async () => {
  const session = new Session({ canStart: () => false } as ExtensionHost, () => Promise.reject(new Error('asked')));
  await expect(session.request('GET', '/search')).rejects.toMatchObject({ code: 'stopped' });
  await expect(session.insist('React', id, 2, 'x', true)).rejects.toMatchObject({ code: 'stopped' });
});

test("calls between a stop and the start in the same task are made, as in React's StrictMode", async () => {
  const s = chatScene();
  const hub = await s.online();
  void s.pulse.stop();
  const found = s.pulse.conversations.search('x');
  const edited = s.pulse.conversation(id).edit(2, 'x');
  s.pulse.start();
  expect(await found).toMatchObject({ before: null });
  (await s.inner.accept()).answers.EditMessage = () => ({ seq: 3 });
  await edited;
  expect(s.inner.hub).not.toBe(hub);
});

test('a listener that is told of the start can make calls', async () => {
  const s = chatScene();
  await s.online();
  await s.pulse.stop();
  let found: Promise<unknown> | undefined;
  s.pulse.subscribe(() => {
    if (s.pulse.state.name === 'connecting') found ??= s.pulse.conversations.search('x');
  });
  s.pulse.start();
  expect(await found).toMatchObject({ before: null });
});

test('an answer that arrives after a change of users has no effect', async () => {
  const s = chatScene();
  await s.online('alice');
  const late = lateAnswer();
  s.answer = late.answer;
  const { conversations } = s.pulse;
  const conversation = s.pulse.conversation(id);
  const calls = [
    conversations.block('carol'), conversations.create({ kind: 'group', title: 'x' }), conversation.leave(), conversations.search('x'),
    conversations.refresh(),
  ];
  for (const call of calls) call.catch(() => undefined);
  await settle();
  await s.pulse.stop();
  s.answer = () => ({ items: [], before: null });
  await s.online('bob');
  late.arrive(new ChatServer().item('alice'));
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'stopped' });
  expect(conversations.isBlocked('carol')).toBe(false);
  expect(conversations.get(id)).toBeUndefined();
  expect(conversation.getSnapshot().state).toBe('closed');
});

/** A storage that outlives the client, and answers late. */
function slowStorage(ms = 50): ChatStorage {
  const storage = memoryStorage();
  const late = <A extends unknown[], T>(work: (...args: A) => Promise<T>) => async (...args: A): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return work(...args);
  };
  return { list: late(storage.list), set: late(storage.set), delete: late(storage.delete), clear: late(storage.clear) };
}

/** All that is stored, once all work is done. */
async function stored(storage: ChatStorage): Promise<string[]> {
  await vi.advanceTimersByTimeAsync(10_000);
  const rows = storage.list('');
  await vi.advanceTimersByTimeAsync(1_000);
  return (await rows).map(([key]) => key);
}

test.each([[['forget']], [['stop', 'forget']]])('without localStorage, %j leaves nothing of the user in the storage of chat', async (steps) => {
  const s = chatScene({ storage: slowStorage() });
  await s.online('alice');
  await vi.advanceTimersByTimeAsync(1_000);
  s.pulse.conversation(id).send('hi');
  expect(await stored(s.storage)).not.toEqual([]);
  s.pulse.conversation(id).send('later');
  if (steps.includes('stop')) await s.pulse.stop();
  void s.pulse.stop({ forget: true });
  expect(await stored(s.storage)).toEqual([]);
});

test('stop({ forget: true }) resolves when the data is removed', async () => {
  const s = chatScene({ storage: slowStorage() });
  await s.online('alice');
  await vi.advanceTimersByTimeAsync(1_000);
  s.pulse.conversation(id).send('hi');
  let isOver = false;
  const stopped = s.pulse.stop({ forget: true }).then(() => (isOver = true));
  await vi.advanceTimersByTimeAsync(40);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  await stopped;
  expect(await stored(s.storage)).toEqual([]);
});

test.each([
  ['before the first connection, and a sign-out', 'before'],
  ['after a sign-out', 'after'],
  ['after a stop', 'stop'],
])('a message that was written %s is not sent as the next user', async (_, when) => {
  const s = chatScene({ keeps: { browser: new FakeKeep(), tab: undefined } });
  const conversation = s.pulse.conversation(id);
  if (when === 'before') s.pulse.start();
  else await s.online('alice');
  if (when === 'before') conversation.send('of alice');
  await s.pulse.stop({ forget: when !== 'stop' });
  if (when !== 'before') conversation.send('of alice');
  s.pulse.start();
  await settle();
  const sent = serve(s.inner.hub);
  if (when !== 'stop') conversation.send('of bob');
  await s.inner.accept('bob');
  await vi.advanceTimersByTimeAsync(1_000);
  expect(sent).toEqual(when === 'stop' ? [] : ['of bob']);
});

test.each(['alice', 'bob'])('a message from before the first connection is sent as whoever connects: %s', async (userId) => {
  const browser = new FakeKeep([['pulse  user', 'alice']]);
  const s = chatScene({ keeps: { browser, tab: undefined } });
  s.pulse.conversation(id).send('early');
  s.pulse.start();
  await settle();
  const sent = serve(s.inner.hub);
  await s.inner.accept(userId);
  expect(sent).toEqual(['early']);
});

test('a storage that never answers is given up once, and chat goes on without it', async () => {
  const never = () => new Promise<never>(() => undefined);
  const s = chatScene({ storage: { list: never, set: never, delete: never, clear: never } });
  const errors: string[] = [];
  s.pulse.on('error', ({ code }) => errors.push(code));
  s.answer = () => ({ items: [new ChatServer().item('me')], before: null });
  const sent = serve(await s.online());
  s.pulse.conversation(id).send('hi');
  await vi.advanceTimersByTimeAsync(6_000);
  expect(s.pulse.conversations.get(id)?.title).toBe('Model');
  expect(sent).toEqual(['hi']);
  s.pulse.conversation(id).send('more');
  await settle();
  expect(sent).toEqual(['hi', 'more']);
  expect(errors).toEqual(['storage-unavailable']);
});

test('work on storage that hangs when the user signs out keeps neither the removal nor the next session from the storage', async () => {
  const storage = memoryStorage();
  const { list, set } = storage;
  let hangs = false;
  const s = chatScene({ storage: { ...storage, set: (key, value) => (hangs ? new Promise(() => undefined) : set(key, value)) } });
  await s.online('alice');
  s.pulse.conversation(id).send('hi');
  await vi.advanceTimersByTimeAsync(2_000);
  expect((await list('')).length).toBeGreaterThan(0);
  hangs = true;
  s.pulse.conversation(id).send('more');
  await settle();
  void s.pulse.stop({ forget: true });
  hangs = false;
  await s.online('bob');
  await vi.advanceTimersByTimeAsync(6_000);
  s.pulse.conversation(id).send('of bob');
  await vi.advanceTimersByTimeAsync(2_000);
  const users = new Set((await list('')).map(([key]) => key.split(' ')[2]));
  expect([...users]).toEqual(['bob']);
});

/** Lets the hub and the requests answer for one conversation, which is below the first page of the inbox. */
function serveConversation(s: ReturnType<typeof chatScene>, server: ChatServer, wire = new Wire('me')): void {
  s.answer = (path) => (path.startsWith('/conversations?') ? { items: [], before: null } : server.request('me', path));
  for (const method of ['OpenConversation', 'CloseConversation', 'SyncConversations', 'MarkRead']) {
    s.inner.hub.answers[method] = (...args: unknown[]) => {
      const answer = wire.invoke(method, ...args);
      server.handle(wire);
      wire.down.shift()!.deliver();
      return answer;
    };
  }
}

test('a conversation that is recalled from storage, and is below the first page of the inbox, has its item', async () => {
  const server = new ChatServer();
  const storage = memoryStorage();
  const first = chatScene({ storage });
  await first.online();
  serveConversation(first, server);
  first.pulse.conversation(id).open();
  await vi.advanceTimersByTimeAsync(2_000);
  await first.pulse.stop();
  for (const [key] of await storage.list('')) if (key.endsWith(' inbox')) await storage.delete(key);

  const second = chatScene({ storage });
  const conversation = second.pulse.conversation(id);
  conversation.open();
  second.pulse.start();
  await settle();
  serveConversation(second, server);
  await second.inner.accept();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(second.requests.filter((request) => request.includes('/messages')), 'recalled').toEqual([]);
  expect([conversation.getSnapshot().state, conversation.getSnapshot().item?.title]).toEqual(['live', 'Model']);
});

test('an entry of an open conversation without an item makes the client load the item', async () => {
  const server = new ChatServer();
  const s = chatScene();
  await s.online();
  serveConversation(s, server);
  const conversation = s.pulse.conversation(id);
  conversation.open();
  const { answer } = s;
  // The server is away for a moment when the client asks for the item.
  s.answer = (path, method) => (path === `/conversations/${id}` ? Promise.reject(new PulseError('call-refused', 'no')) : answer(path, method));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(conversation.getSnapshot().item).toBeUndefined();
  s.answer = answer;
  const entry = server.append('bob', { kind: 'message', clientId: 'b', text: 'hello', mentions: [], replyTo: null });
  s.inner.hub.say('EntriesAdded', { conversationId: id, from: entry.seq, entries: [entry], head: entry.seq });
  await settle();
  expect(conversation.getSnapshot().item?.last?.text).toBe('hello');
});

test('ids count in any case', async () => {
  const s = chatScene();
  await s.online();
  serveConversation(s, new ChatServer());
  const upper = '0198A5C0-0000-7000-8000-00000000ABCD';
  expect(s.pulse.conversation(upper)).toBe(s.pulse.conversation(upper.toLowerCase()));
  expect(s.pulse.conversation(upper).id).toBe(upper.toLowerCase());
  await s.pulse.conversations.block(upper);
  expect([s.pulse.conversations.isBlocked(upper), s.pulse.conversations.isBlocked(upper.toLowerCase())]).toEqual([true, true]);
  s.inner.hub.say('InboxChanged', { conversations: [{ ...new ChatServer().item('me'), id: upper.toLowerCase() }] });
  expect(s.pulse.conversations.get(upper)?.title).toBe('Model');
  expect((await s.pulse.conversations.join(upper)).id).toBe(upper.toLowerCase());
  await s.pulse.conversations.unblock(upper.toLowerCase());
  expect(s.pulse.conversations.isBlocked(upper)).toBe(false);
});

test.each([
  ['leave', ['not-found'], 'done'],
  ['leave', ['unknown-outcome', 'not-a-member'], 'done'],
  ['leave', ['last-owner'], 'last-owner'],
  ['remove', ['unknown-outcome', 'not-found'], 'done'],
  ['remove', ['not-found'], 'not-found'],
  ['remove', ['unknown-outcome', 'not-yours'], 'not-yours'],
] as const)('%s answered %j: %s', async (call, codes, outcome) => {
  const s = chatScene();
  await s.online();
  const left: string[] = [...codes];
  s.answer = (_path, method) => (method === 'DELETE' ? Promise.reject(new PulseError(left.shift()!, 'no')) : { items: [], before: null });
  const done = s.pulse.conversation(id)[call]('carol').then(() => 'done', ({ code }: PulseError) => code);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await done).toBe(outcome);
});

test('messages of blocked users are marked, however late the stored list is', async () => {
  const server = new ChatServer();
  server.append('bob', { kind: 'message', clientId: 'b', text: 'hello', mentions: [], replyTo: null });
  const storage = memoryStorage();
  const first = chatScene({ storage });
  await first.online();
  await first.pulse.conversations.block('bob');
  await settle();
  await first.pulse.stop();

  const { list } = storage;
  const late = async (prefix: string) => {
    if (prefix.includes('blocked')) await new Promise((resolve) => setTimeout(resolve, 500));
    return list(prefix);
  };
  const second = chatScene({ storage: { ...storage, list: late } });
  second.pulse.start();
  await settle();
  serveConversation(second, server);
  const conversation = second.pulse.conversation(id);
  conversation.open();
  await second.inner.accept();
  second.inner.hub.say('InboxChanged', { conversations: [server.item('me')] });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(conversation.getSnapshot().messages.map(({ fromBlocked }) => fromBlocked)).toEqual([true]);
  expect(second.pulse.conversations.get(id)?.last?.fromBlocked).toBe(true);
});

test('the blocked users are those of the server, which other devices change as well', async () => {
  const s = chatScene();
  let listed = ['bob', 'carol'];
  // The server answers one user per page.
  s.answerBlocked = (path) => {
    const rest = listed.slice(listed.indexOf(new URLSearchParams(path.split('?')[1]).get('after') ?? '') + 1);
    return { items: rest.slice(0, 1).map((userId) => ({ userId })), after: rest.length > 1 ? rest[0] : null };
  };
  const blocked = () => ['bob', 'carol', 'dave'].filter((userId) => s.pulse.conversations.isBlocked(userId));
  await s.online();
  await settle();
  expect(blocked()).toEqual(['bob', 'carol']);

  listed = ['dave'];
  s.inner.hub.break();
  await vi.advanceTimersByTimeAsync(5_000);
  await s.inner.accept();
  await vi.advanceTimersByTimeAsync(90_000);
  expect(blocked()).toEqual(['dave']);
});

test('a block is kept while an older list arrives, and after a list that cannot be read', async () => {
  const storage = memoryStorage();
  const s = chatScene({ storage });
  let answerList!: (page: object) => void;
  const lists: Promise<object>[] = [new Promise((resolve) => (answerList = resolve)), Promise.resolve({ items: [{ userId: 'bob' }], after: null })];
  s.answerBlocked = () => lists.shift();
  await s.online();
  await s.pulse.conversations.block('bob');
  answerList({ items: [], after: null });
  await settle();
  expect(s.pulse.conversations.isBlocked('bob')).toBe(true);
  expect(lists).toEqual([]);
  await s.pulse.stop();

  const second = chatScene({ storage });
  await second.online();
  await settle();
  expect(second.pulse.conversations.isBlocked('bob')).toBe(true);
});

test('after a long absence all conversations can be reached', async () => {
  const item = new ChatServer().item('me');
  const make = (n: number) => ({ ...item, id: `00000000-0000-8000-8000-${String(n).padStart(12, '0')}`, lastAt: new Date(1_000_000 - n * 1_000).toISOString() });
  const s = chatScene();
  let all = [make(118), make(119)];
  s.answer = (path) => {
    const start = Number(new URL(path, 'http://pulse').searchParams.get('before') ?? 0);
    return { items: all.slice(start, start + 50), before: start + 50 < all.length ? String(start + 50) : null };
  };
  const hub = await s.online();
  all = Array.from({ length: 120 }, (_, n) => make(n));
  hub.break();
  await vi.advanceTimersByTimeAsync(5_000);
  s.inner.hub.answers.SyncConversations = syncAnswer(false);
  await s.inner.accept();
  const { conversations } = s.pulse;
  for (let pages = 0; conversations.getSnapshot().hasMore && pages < 5; pages++) await conversations.loadMore();
  expect(conversations.getSnapshot().items.length).toBe(120);
});

/** A conversation that is open, and then gone for the client. */
async function goneScene() {
  const server = new ChatServer();
  const s = chatScene({ random: () => 0 });
  await s.online();
  serveConversation(s, server);
  const conversation = s.pulse.conversation(id);
  const close = conversation.open();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(conversation.getSnapshot().state).toBe('live');
  s.inner.hub.say('ConversationGone', { conversationId: id, reason: 'removed' });
  await settle();
  expect(conversation.getSnapshot().state).toBe('gone');
  const reconnect = async (isMember: boolean): Promise<void> => {
    s.inner.hub.break();
    await vi.advanceTimersByTimeAsync(5_000);
    if (isMember) serveConversation(s, server);
    else {
      s.answer = (path) => (path.startsWith('/conversations?') ? { items: [], before: null } : Promise.reject(new PulseError('not-found', 'no')));
      s.inner.hub.answers.OpenConversation = () => Promise.reject(new PulseError('not-found', 'no'));
    }
    await s.inner.accept();
    await vi.advanceTimersByTimeAsync(1_000);
  };
  return { s, conversation, close, reconnect };
}

test('a gone conversation is live again on the next connection, if the server opens it', async () => {
  const { conversation, reconnect } = await goneScene();
  await reconnect(true);
  expect(conversation.getSnapshot()).toMatchObject({ state: 'live', error: null });
});

test('a gone conversation is opened once on each connection, and stays gone', async () => {
  const { s, conversation, reconnect } = await goneScene();
  const states = new Set<string>();
  conversation.subscribe(() => states.add(conversation.getSnapshot().state));
  await reconnect(false);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(s.inner.hub.callsOf('OpenConversation').length).toBe(1);
  expect([...states]).toEqual(['gone']);
});

test('a gone conversation is tried again when it is opened again', async () => {
  const { conversation, close } = await goneScene();
  close();
  conversation.open();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(conversation.getSnapshot()).toMatchObject({ state: 'live', error: null });
});

test('a conversation that is open before a slow storage shows another database is live in the end', async () => {
  const server = new ChatServer();
  const storage = slowStorage(300);
  void storage.set('pulse  me log-id', 'log-1');
  await vi.advanceTimersByTimeAsync(300);
  const s = chatScene({ storage, random: () => 0 });
  const accept = async (): Promise<void> => {
    await vi.advanceTimersByTimeAsync(50);
    s.inner.hub.logId = 'log-2';
    serveConversation(s, server);
    await s.inner.accept();
  };
  s.pulse.start();
  await accept();
  const conversation = s.pulse.conversation(id);
  conversation.open();
  await settle();
  s.inner.hub.break();
  await accept();
  // The conversation is opened on this connection while the storage is still asked which database its log is of.
  await vi.advanceTimersByTimeAsync(900);
  conversation.open();
  await settle();
  expect(conversation.getSnapshot().state).toBe('live');
  await vi.advanceTimersByTimeAsync(20_000);
  expect(conversation.getSnapshot().state).toBe('live');
});

test('typing is reported although the clock is set back', async () => {
  const s = chatScene();
  const hub = await s.online();
  const conversation = s.pulse.conversation(id);
  conversation.typing();
  vi.setSystemTime(Date.now() - 3_600_000);
  await vi.advanceTimersByTimeAsync(1_000);
  conversation.typing();
  expect(hub.callsOf('Typing').length).toBe(1);
  await vi.advanceTimersByTimeAsync(3_000);
  conversation.typing();
  expect(hub.callsOf('Typing').length).toBe(2);
});

function problem(status: number, code: string, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify({ type: `urn:pulse:problem:${code}`, detail: 'no' }), { status, headers });
}

test.each([
  ['too-many-lookups', { 'retry-after': '30' }, 429, 30_000],
  ['too-many-requests', { 'retry-after': new Date(60_000).toUTCString() }, 429, 60_000],
  ['internal', {}, 500, 0],
  ['unavailable', { 'retry-after': '31536000' }, 503, 600_000],
])('a request that is answered %s %j is repeated, and not before that time', async (code, headers, status, leastMs) => {
  vi.setSystemTime(0);
  const answers = [problem(status, code, headers), new Response(null, { status: 204 })];
  const times: number[] = [];
  onTestFinished(() => void vi.unstubAllGlobals());
  vi.stubGlobal('fetch', async (url: string) => {
    if (!url.endsWith('/block')) return new Response(JSON.stringify({ items: [], before: null }));
    times.push(Date.now());
    return answers.shift()!;
  });
  const s = scene({ chat: chat({ storage: memoryStorage() }) });
  const pulse = s.pulse as object as ChatMembers;
  await s.online();
  const done = pulse.conversations.block('bob');
  await vi.advanceTimersByTimeAsync(leastMs + 40_000);
  await done;
  expect(times.length).toBe(2);
  expect(times[1]! - times[0]!).toBeGreaterThanOrEqual(leastMs);
  expect(pulse.conversations.isBlocked('bob')).toBe(true);
});

test('a refused request says when to try again', async () => {
  onTestFinished(() => void vi.unstubAllGlobals());
  vi.stubGlobal('fetch', async () => problem(429, 'too-many-requests', { 'retry-after': '7' }));
  const s = scene({ chat: chat({ storage: memoryStorage() }) });
  await s.online();
  await expect((s.pulse as object as ChatMembers).conversations.search('x')).rejects.toMatchObject({ code: 'too-many-requests', retryAfterMs: 7_000 });
});

test('a search without hits goes on where the server stopped', async () => {
  onTestFinished(() => void vi.unstubAllGlobals());
  const asked: (string | null)[] = [];
  vi.stubGlobal('fetch', async (input: string) => {
    const before = new URL(input, 'http://pulse').searchParams.get('before');
    asked.push(before);
    return Response.json(before === 'c2' ? { items: [{ seq: 7 }], before: 'c3', more: true } : { items: [], before: before === 'c1' ? 'c2' : 'c1', more: true });
  });
  const s = scene({ chat: chat({ storage: memoryStorage() }) });
  await s.online();
  asked.length = 0;
  expect(await (s.pulse as object as ChatMembers).conversations.search('x')).toEqual({ items: [{ seq: 7 }], before: 'c3', more: true });
  expect(asked).toEqual([null, 'c1', 'c2']);
});

test('a list of channels without a visible one goes on where the server stopped', async () => {
  onTestFinished(() => void vi.unstubAllGlobals());
  const asked: (string | null)[] = [];
  vi.stubGlobal('fetch', async (input: string) => {
    const after = new URL(input, 'http://pulse').searchParams.get('after');
    asked.push(after);
    return Response.json(after === 'c1' ? { items: [{ id: 'news' }], after: null } : { items: [], after: 'c1' });
  });
  const s = scene({ chat: chat({ storage: memoryStorage() }) });
  await s.online();
  asked.length = 0;
  expect(await (s.pulse as object as ChatMembers).conversations.channels()).toEqual({ items: [{ id: 'news' }], after: null });
  expect(asked).toEqual([null, 'c1']);
});

test('a long list of hidden channels leaves the user requests for searches', async () => {
  onTestFinished(() => void vi.unstubAllGlobals());
  let asked = 0;
  vi.stubGlobal('fetch', async (input: string) => {
    if (!input.includes('/channels')) return Response.json({ items: [], after: null });
    return Response.json({ items: [], after: `c${++asked}` });
  });
  const s = scene({ chat: chat({ storage: memoryStorage() }) });
  await s.online();
  expect(await (s.pulse as object as ChatMembers).conversations.channels()).toEqual({ items: [], after: 'c3' });
  expect(asked).toBe(3);
});

test('a search whose next page fails for now answers where it can go on', async () => {
  onTestFinished(() => void vi.unstubAllGlobals());
  vi.stubGlobal('fetch', async (input: string) =>
    (input.includes('before=') ? problem(503, 'unavailable') : Response.json({ items: [], before: 'c1', more: true })));
  const s = scene({ chat: chat({ storage: memoryStorage() }) });
  await s.online();
  expect(await (s.pulse as object as ChatMembers).conversations.search('x')).toEqual({ items: [], before: 'c1', more: true });
});

test('a conversation that nothing uses is collected, as after the rendering of a page on a server', async () => {
  vi.useRealTimers();
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const s = chatScene();
  const names = ['unused', 'subscribed', 'open', 'pending'] as const;
  const seen = new Map(names.map((name) => [name, new WeakRef(s.pulse.conversation(name))]));
  let told = 0;
  s.pulse.conversation('subscribed').subscribe(() => told++);
  s.pulse.conversation('open').open();
  s.pulse.conversation('pending').send('hi');
  for (let round = 0; round < 20 && seen.get('unused')!.deref(); round++) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    collect();
  }
  expect(names.filter((name) => seen.get(name)!.deref())).toEqual(['subscribed', 'open', 'pending']);
  expect(s.pulse.conversation('pending').getSnapshot().pending.length).toBe(1);
  s.pulse.conversation('subscribed').send('x');
  expect(told).toBeGreaterThan(0);
});
