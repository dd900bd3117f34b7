// @vitest-environment happy-dom
import { act, StrictMode, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { ChatClient } from '../../src/chat/chat-client.js';
import { memoryStorage } from '../../src/chat/storage.js';
import { loneTab } from '../../src/chat/tab-locks.js';
import { createPulseClient } from '../../src/index.js';
import { PulseProvider, useConversation, useConversations, useTyping, useUnread } from '../../src/react.js';
import { ChatServer, Wire } from '../support/chat-server.js';

let root: Root;
let page: HTMLElement;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  page = document.createElement('div');
  root = createRoot(page);
});
afterEach(async () => {
  await act(async () => root.unmount());
  vi.useRealTimers();
});

function scene() {
  const server = new ChatServer();
  const request = async (_method: string, path: string): Promise<unknown> => server.request('me', path);
  let client!: ChatClient;
  const extension = {
    attach: (host: ConstructorParameters<typeof ChatClient>[0]) => (client = new ChatClient(host, { storage: memoryStorage() }, { request, locks: loneTab() })),
  };
  const pulse = createPulseClient({ chat: extension, url: 'http://pulse', getToken: async () => 'token' });
  const wire = new Wire('me');
  onTestFinished(() => client.onEnd());
  return {
    server, pulse, wire,
    connect: async (): Promise<void> => {
      server.wires.add(wire);
      client.onOpen(wire.connection, { userId: 'me', connectionId: 'c', heartbeatSeconds: 30, logId: server.logId });
      await move();
    },
    move,
  };
  /** All calls and messages arrive. */
  async function move(): Promise<void> {
    for (let round = 0; round < 10; round++) {
      while (wire.up.length > 0) server.handle(wire);
      for (const { deliver } of wire.down.splice(0)) deliver();
      await vi.advanceTimersByTimeAsync(0);
    }
  }
}

const drawn = vi.fn<(part: string) => void>();

function Inbox(): ReactNode {
  const { items, state } = useConversations();
  return <p>{`${state} ${items.map(({ title, last }) => `${title}: ${last?.text}`).join()}`}</p>;
}

function Badge(): ReactNode {
  drawn('badge');
  return <b>{useUnread().messages}</b>;
}

function Room({ id }: { id: string }): ReactNode {
  const { messages, pending, state } = useConversation(id);
  const typing = useTyping(id);
  return <q>{`${state} [${messages.map(({ text }) => text).join()}] [${pending.map(({ text }) => text).join()}] ${typing.join()}`}</q>;
}

const text = (tag: string): string | null | undefined => page.querySelector(tag)?.textContent;

test('inbox, badge, conversation and typing are rendered when they change', async () => {
  const s = scene();
  s.server.append('bob', { kind: 'message', clientId: 'b1', text: 'hello', mentions: [], replyTo: null });
  const show = (isOpen: boolean): Promise<void> => act(async () => root.render(
    <StrictMode><PulseProvider client={s.pulse}><Inbox /><Badge />{isOpen && <Room id={s.server.id} />}</PulseProvider></StrictMode>,
  ));
  await show(false);
  expect(text('p')).toBe('loading ');
  await act(() => s.connect());
  expect([text('p'), text('b')]).toEqual(['ready Model: hello', '1']);

  await show(true);
  await act(() => s.move());
  expect(text('q')).toBe('live [hello] [] ');
  drawn.mockClear();
  await act(async () => s.pulse.conversation(s.server.id).markRead());
  expect(s.wire.up.map(({ method }) => method)).toEqual(['MarkRead']);
  await act(() => s.move());
  expect(text('b')).toBe('0');

  s.wire.push('TypingChanged', { conversationId: s.server.id, userIds: ['bob', 'me'] });
  drawn.mockClear();
  await act(() => s.move());
  expect(text('q')).toBe('live [hello] [] bob');
  expect(drawn, 'the badge has nothing to do with typing').not.toHaveBeenCalled();
  await act(async () => void (await vi.advanceTimersByTimeAsync(6_000)));
  expect(text('q'), 'typing ends by itself').toBe('live [hello] [] ');

  await act(async () => void s.pulse.conversation(s.server.id).send('hi'));
  expect(text('q'), 'shown at once').toBe('live [hello] [hi] ');
  await act(() => s.move());
  expect(text('q')).toBe('live [hello,hi] [] ');
  expect(text('p')).toBe('ready Model: hi');

  await show(false);
  await act(async () => void (await vi.advanceTimersByTimeAsync(5_000)));
  await act(() => s.move());
  expect(s.wire.open.size, 'closed after a pause').toBe(0);
});

test('rendered on a server: nothing is known, and nothing is opened', () => {
  const s = scene();
  expect(renderToString(<PulseProvider client={s.pulse}><Inbox /><Badge /><Room id={s.server.id} /></PulseProvider>))
    .toBe('<p>loading </p><b>0</b><q>closed [] [] </q>');
  expect(s.pulse.conversation(s.server.id).getSnapshot().state).toBe('closed');
});

test('a client without chat is an error that says so', () => {
  const pulse = createPulseClient({ url: 'http://pulse', getToken: async () => 'token' });
  expect(() => renderToString(<PulseProvider client={pulse}><Inbox /></PulseProvider>)).toThrow('createPulseClient({ chat: chat() })');
});

test('a blocked user: messages are marked, and no longer after unblocking', async () => {
  const s = scene();
  s.server.append('bob', { kind: 'message', clientId: 'b1', text: 'hello', mentions: [], replyTo: null });
  await s.connect();
  const conversation = s.pulse.conversation(s.server.id);
  conversation.open();
  await s.move();
  expect(conversation.getSnapshot().messages[0]?.fromBlocked).toBe(false);
  await s.pulse.conversations.block('bob');
  expect(conversation.getSnapshot().messages[0]?.fromBlocked).toBe(true);
  expect(s.pulse.conversations.getSnapshot().items[0]?.last?.fromBlocked).toBe(true);
  await s.pulse.conversations.unblock('bob');
  expect(conversation.getSnapshot().messages[0]?.fromBlocked).toBe(false);
});
