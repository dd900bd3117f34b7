import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ChatClient } from '../../src/chat/chat-client.js';
import { Log } from '../../src/chat/log.js';
import type { Conversation } from '../../src/chat/types.js';
import { PulseError } from '../../src/errors.js';
import { Browser } from '../support/browser.js';
import { ChatServer, Wire } from '../support/chat-server.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

/** A client whose network moves only when the test says so. */
class Tab {
  readonly client: ChatClient;
  readonly conversation: Conversation;
  readonly requests: { readonly path: string; readonly answer: () => void }[] = [];
  /** All requests that were made. */
  asked: string[] = [];
  wire!: Wire;
  isMember = true;

  constructor(readonly server: ChatServer, readonly browser = new Browser(), windowSize = 16) {
    const host = {
      url: '', canStart: () => true, getToken: async () => 'token', dropToken: () => undefined, onError: () => undefined,
      random: () => 0.5, isSeen: () => true, ownUser: () => undefined,
    };
    const request = (_method: string, path: string): Promise<unknown> => new Promise((resolve, reject) => {
      this.asked.push(path);
      this.requests.push({
        path,
        answer: () => {
          if (this.isMember || path.startsWith('/conversations?')) resolve(structuredClone(server.request('me', path)));
          else reject(new PulseError('not-found', 'no'));
        },
      });
    });
    this.client = new ChatClient(host, { storage: browser.storage, windowSize }, { request, locks: browser.locks(), minWindow: 1 });
    this.conversation = this.client.members.conversation(server.id);
  }

  get item() {
    return this.client.members.conversations.get(this.server.id);
  }

  connect(): void {
    this.wire = new Wire('me');
    this.server.wires.add(this.wire);
    this.client.onOpen(this.wire.connection, { userId: 'me', connectionId: 'c', heartbeatSeconds: 30, logId: this.server.logId });
  }

  cut(): void {
    this.server.wires.delete(this.wire);
    this.wire.cut();
  }

  /** Moves all waiting messages while the clock stands still. */
  async flush(rounds = 40): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      await settle();
      this.server.handle(this.wire);
      this.wire.down.shift()?.deliver();
      await settle();
      this.requests.shift()?.answer();
    }
    await settle();
  }

  /** Moves all that waits until the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    for (let round = 0; round < 60 && !condition(); round++) {
      await this.flush(4);
      await settle(500);
    }
    expect(condition(), String(condition)).toBe(true);
  }
}

function serverWith(messages: number): ChatServer {
  const server = new ChatServer();
  for (let n = 1; n <= messages; n++) server.append('carol', { kind: 'message', clientId: `carol-${n}`, text: `text ${n}`, mentions: [], replyTo: null });
  return server;
}

/** A failover to a standby that lacks the newest entries. Only the seqs show it. */
function loseNewest(server: ChatServer, count: number): void {
  server.log.splice(-count);
}

test('inbox: a row whose newest entries were lost in a failover shows the present log', async () => {
  const server = serverWith(5);
  const tab = new Tab(server);
  tab.connect();
  await tab.flush();
  expect(tab.item!.last!.text).toBe('text 5');

  loseNewest(server, 2);
  server.restart();
  tab.connect();
  await tab.flush();
  expect([tab.item!.head, tab.item!.last!.text]).toEqual([4, 'text 3']);

  server.append('carol', { kind: 'message', clientId: 'new', text: 'after', mentions: [], replyTo: null });
  await tab.flush();
  expect([tab.item!.head, tab.item!.last!.text]).toEqual([5, 'after']);
});

test('inbox: a hint below the known head makes the client ask, because the server may have lost entries', async () => {
  const server = serverWith(5);
  const tab = new Tab(server);
  tab.connect();
  await tab.flush();
  loseNewest(server, 3);
  server.append('carol', { kind: 'message', clientId: 'new', text: 'after', mentions: [], replyTo: null });
  await tab.flush();
  expect([tab.item!.head, tab.item!.last!.text]).toEqual([4, 'after']);
});

test('a conversation that is open over a failover shows the present log, and so does its row', async () => {
  const server = serverWith(5);
  const tab = new Tab(server);
  tab.conversation.open();
  tab.connect();
  await tab.flush();
  loseNewest(server, 2);
  server.restart();
  tab.connect();
  await tab.until(() => tab.conversation.getSnapshot().state === 'live');
  expect(tab.conversation.getSnapshot().messages.map(({ text }) => text)).toEqual(['text 1', 'text 2', 'text 3']);
  expect([tab.item!.head, tab.item!.last!.text]).toEqual([4, 'text 3']);
});

test('log: the next entry finds a place, however many later ones wait', () => {
  const log = new Log({ isMe: () => false, isBlocked: () => false }, 100);
  const entry = (seq: number) => ({ seq, kind: 'message', senderId: 'carol', sentAt: '2026-01-01T00:00:00.000Z', text: '' });
  log.replace({ items: [], from: 1, head: 5, hasBefore: false, hasAfter: false });
  log.take(Array.from({ length: 1_100 }, (_, n) => entry(n + 7)));
  log.take([entry(6)]);
  expect(log.applied).toBe(1_005);
});

test.each(['loadNewest', 'loadAround', 'loadBefore'] as const)('%s: a page from before a lost entry ends in the present log, without requests in a circle', async (load) => {
  const server = serverWith(24);
  const tab = new Tab(server, undefined, 4);
  tab.conversation.open();
  tab.connect();
  await tab.flush();
  if (load === 'loadNewest') {
    void tab.conversation.loadAround(3);
    await tab.flush();
  }
  loseNewest(server, 10);
  tab.asked = [];
  tab.conversation[load](2).catch(() => undefined);
  await tab.flush();
  expect(tab.asked.length).toBeLessThan(6);
  await tab.until(() => tab.conversation.getSnapshot().state === 'live');
  expect(tab.conversation.getSnapshot().messages.at(-1)?.text).toBe('text 14');
});

test('a client that believes that it misses thousands of lost entries asks once, and is live', async () => {
  const server = serverWith(5);
  const tab = new Tab(server);
  tab.conversation.open();
  tab.connect();
  await tab.flush();
  tab.asked = [];
  tab.wire.push('EntriesAdded', { conversationId: server.id, from: 5_000, entries: [], head: 5_000 });
  await tab.flush();
  expect(tab.asked.length).toBeLessThan(4);
  await tab.until(() => tab.conversation.getSnapshot().state === 'live');
});

test('inbox: an answer of before a lost connection does not stand for what happened since', async () => {
  const server = serverWith(5);
  const tab = new Tab(server);
  tab.connect();
  await tab.flush(0);
  const { path, answer } = tab.requests.shift()!;
  expect(path).toMatch(/^\/conversations\?/);
  const page = structuredClone(server.request('me', path));
  tab.cut();
  server.append('carol', { kind: 'message', clientId: 'missed', text: 'missed', mentions: [], replyTo: null });
  tab.connect();
  await settle();
  // The server has read the page before the loss, and its answer arrives after the next connection.
  vi.spyOn(server, 'request').mockReturnValueOnce(page);
  answer();
  await tab.flush();
  expect(tab.item!.last!.text).toBe('missed');
});

test.each(['opened before', 'opened later'])('outbox: the messages of a tab that was %s and is closed are sent by the other tab, once', async (when) => {
  const server = serverWith(1);
  const browser = new Browser();
  const first = new Tab(server, browser);
  const open = async (): Promise<Tab> => {
    const tab = new Tab(server, browser);
    tab.connect();
    await tab.flush();
    return tab;
  };
  const early = when === 'opened before' ? await open() : undefined;
  first.connect();
  await first.flush();
  const second = early ?? (await open());

  const ids = [second.conversation.send('one'), second.conversation.send('two')];
  await settle();
  second.cut();
  second.client.onEnd();
  await first.flush();
  expect(server.log.flatMap(({ clientId }) => clientId ?? []).filter((id) => ids.includes(id))).toEqual(ids);
  expect((await browser.storage.list('')).filter(([key]) => key.includes(' send '))).toEqual([]);
});

test('outbox: a message of a closed tab that is in the log already is not shown as pending too', async () => {
  const server = serverWith(1);
  const browser = new Browser();
  const [first, second] = [new Tab(server, browser), new Tab(server, browser)];
  first.conversation.open();
  for (const tab of [first, second]) {
    tab.connect();
    await tab.flush();
  }
  const clientId = second.conversation.send('one');
  await settle();
  server.handle(second.wire);
  await first.flush();
  const own = () => first.conversation.getSnapshot().messages.filter((message) => message.clientId === clientId).length;
  expect(own()).toBe(1);
  const seen: number[] = [];
  first.conversation.subscribe(() => seen.push(own() + first.conversation.getSnapshot().pending.length));
  second.cut();
  second.client.onEnd();
  await first.flush();
  expect(Math.max(1, ...seen)).toBe(1);
  expect((await browser.storage.list('')).filter(([key]) => key.includes(' send '))).toEqual([]);
});

test('inbox: a hint of before a removal brings no row back, and an addition does', async () => {
  const server = serverWith(3);
  const tab = new Tab(server);
  tab.connect();
  await tab.flush();
  tab.isMember = false;
  const late = server.item('me');
  tab.wire.push('ConversationGone', { conversationId: server.id, reason: 'removed' });
  tab.wire.push('InboxChanged', { conversations: [{ ...late, head: late.head + 1 }] });
  await tab.flush();
  expect(tab.item).toBeUndefined();
  expect(tab.conversation.getSnapshot().state).toBe('gone');

  tab.isMember = true;
  server.append('carol', { kind: 'member-added', userId: 'me', role: 'member' });
  await tab.flush();
  expect(tab.item?.head).toBe(5);
});

test('inbox: a page that was asked for before a removal brings no row back, and a later page does', async () => {
  const server = serverWith(3);
  const tab = new Tab(server);
  tab.connect();
  await tab.flush();
  void tab.client.members.conversations.refresh();
  await settle();
  tab.isMember = false;
  tab.wire.push('ConversationGone', { conversationId: server.id, reason: 'removed' });
  tab.wire.down.shift()!.deliver();
  await tab.flush();
  expect(tab.item).toBeUndefined();

  tab.isMember = true;
  void tab.client.members.conversations.refresh();
  await tab.flush();
  expect(tab.item?.head).toBe(4);
});

test('inbox: a refusal of before an addition does not remove the row that the addition brought', async () => {
  const server = serverWith(3);
  const tab = new Tab(server);
  tab.connect();
  await tab.flush();
  tab.wire.push('ConversationGone', { conversationId: server.id, reason: 'removed' });
  tab.wire.push('InboxChanged', { conversations: [server.item('me')] });
  tab.wire.down.shift()!.deliver();
  tab.wire.down.shift()!.deliver();
  // The server refuses the client's question, and adds the user before its answer arrives.
  tab.isMember = false;
  const refusal = tab.requests.shift()!;
  tab.wire.push('InboxChanged', { conversations: [server.item('me')] });
  tab.wire.down.shift()!.deliver();
  refusal.answer();
  tab.isMember = true;
  await tab.flush();
  expect(tab.item?.head).toBe(4);
});

test('a tab that ends after another one has signed the user out writes nothing back', async () => {
  const server = serverWith(3);
  const browser = new Browser();
  const [one, other] = [new Tab(server, browser), new Tab(server, browser)];
  for (const tab of [one, other]) {
    tab.conversation.open();
    tab.connect();
    await tab.flush();
    await settle(2_000);
  }
  expect(await browser.storage.list('')).not.toEqual([]);
  void other.client.onForget('me');
  other.client.onEnd();
  await settle(2_000);
  expect(await browser.storage.list('')).toEqual([]);
  one.client.onEnd();
  await settle(2_000);
  expect(await browser.storage.list('')).toEqual([]);
});

test('a quote outside of the window follows edits and deletions', async () => {
  const server = serverWith(20);
  const tab = new Tab(server, undefined, 4);
  tab.conversation.open();
  tab.connect();
  await tab.flush();
  void tab.conversation.loadQuote(3);
  await tab.flush();
  const quote = () => tab.conversation.getSnapshot().quotes.get(3);
  expect(quote()!.text).toBe('text 2');
  server.append('carol', { kind: 'edit', target: 3, text: 'other words', mentions: [] });
  await tab.flush();
  expect(quote()!.text).toBe('other words');
  server.append('carol', { kind: 'delete', target: 3, by: 'carol' } as never);
  await tab.flush();
  expect([quote()!.text, quote()!.deletedSeq]).toEqual([null, 23]);
});

test('a tab that lags behind a restored backup leaves no log of before it for the next page', async () => {
  const server = serverWith(3);
  const browser = new Browser();
  const [late, other] = [new Tab(server, browser), new Tab(server, browser)];
  for (const tab of [late, other]) {
    tab.conversation.open();
    tab.connect();
    await tab.flush();
  }
  server.append('carol', { kind: 'message', clientId: 'lost', text: 'lost', mentions: [], replyTo: null });
  await late.flush();
  server.restore(2);
  other.connect();
  await other.flush();
  // The tab stores what it has seen of the former log, as it ends.
  late.client.onEnd();
  for (const text of ['new 1', 'new 2', 'new 3', 'new 4']) server.append('carol', { kind: 'message', clientId: text, text, mentions: [], replyTo: null });

  const next = new Tab(server, browser);
  next.conversation.open();
  next.connect();
  await next.until(() => next.conversation.getSnapshot().state === 'live');
  expect(next.conversation.getSnapshot().messages.map(({ text }) => text)).toEqual(server.messages('me').slice(-next.conversation.getSnapshot().messages.length).map(({ text }) => text));
});
