import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { signalRHub } from '../../src/hub.js';
import { settle } from '../support/scene.js';

/** The platform's socket, with a hub behind it that takes the handshake and says nothing more. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static isAnswered = true;
  readyState = 0;
  readonly sent: string[] = [];
  readonly closedWith: (number | undefined)[] = [];
  onopen!: (event: object) => void;
  onclose!: (event: object) => void;
  onmessage!: (event: { data: string }) => void;

  constructor(readonly url: string) {
    super();
    sockets.push(this);
    if (FakeSocket.isAnswered) queueMicrotask(() => this.#open());
  }

  #open(): void {
    this.readyState = 1;
    this.onopen({});
  }

  send(text: string): void {
    this.sent.push(text);
    if (text.includes('"protocol"')) queueMicrotask(() => this.onmessage({ data: '{}\u001e' }));
  }

  close(code?: number): void {
    this.closedWith.push(code);
    // A handshake that is given up fails; an open socket is closed by the other end's answer, which does not come here.
    if (this.readyState === 0) queueMicrotask(() => this.onclose({}));
    this.readyState = 2;
  }
}

const closeMessage = '{"type":7}\u001e';
let sockets: FakeSocket[];

beforeEach(() => {
  sockets = [];
  FakeSocket.isAnswered = true;
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  // As in a page.
  vi.stubGlobal('document', {});
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function open(opening: Parameters<ReturnType<typeof signalRHub>>[1] = { status: 'online' }) {
  const hub = signalRHub('https://pulse.example.com')('token', opening);
  const closed = vi.fn();
  hub.onclose(closed);
  const started = hub.start();
  await vi.waitUntil(() => sockets.length === 1);
  await started;
  return { hub, socket: sockets[0]!, closed };
}

test('the status and the former connection stand in the address', async () => {
  const { socket } = await open({ status: 'invisible', previous: 'Zm9ybWVy-_0' });
  const url = new URL(socket.url);
  expect(url.pathname).toBe('/hubs/pulse');
  expect([url.searchParams.get('status'), url.searchParams.get('previous')]).toEqual(['invisible', 'Zm9ybWVy-_0']);
});

test('without them, nothing does', async () => {
  const { socket } = await open();
  const { searchParams } = new URL(socket.url);
  expect([searchParams.get('status'), searchParams.get('previous')]).toEqual([null, null]);
});

test('stop is a goodbye', async () => {
  const { hub, socket, closed } = await open();
  await hub.stop();
  expect(socket.closedWith).toEqual([1000]);
  expect(closed).toHaveBeenCalledOnce();
});

test('drop is none, in no part of it', async () => {
  const { hub, socket, closed } = await open();
  const sent = [...socket.sent];
  await hub.drop();
  await settle();
  expect(socket.closedWith).toEqual([4000]);
  expect(socket.sent).toEqual(sent);
  expect(socket.sent).not.toContain(closeMessage);
  expect(closed).toHaveBeenCalledOnce();
});

test('nor is it when SignalR gives up a server that is silent', async () => {
  const { socket, closed } = await open();
  await vi.advanceTimersByTimeAsync(31_000);
  expect(closed).toHaveBeenCalledOnce();
  expect(socket.closedWith).toEqual([4000]);
  expect(socket.sent).not.toContain(closeMessage);
});

test.each([['stop', 1000], ['drop', 4000]] as const)('%s closes a socket whose handshake is not answered', async (way, code) => {
  FakeSocket.isAnswered = false;
  const hub = signalRHub('https://pulse.example.com')('token', { status: 'online' });
  const started = hub.start().catch((error: Error) => error.name);
  await vi.waitUntil(() => sockets.length === 1);
  expect(hub.isUnanswered).toBe(true);
  await hub[way]();
  expect(sockets[0]!.closedWith).toEqual([code]);
  expect(await started).toBe('Error');
});

test('a socket that is made after the end is closed at once', async () => {
  FakeSocket.isAnswered = false;
  const hub = signalRHub('https://pulse.example.com')('token', { status: 'online' });
  const started = hub.start().catch((error: Error) => error.name);
  await hub.drop();
  expect(sockets.map(({ closedWith }) => closedWith)).toEqual([[4000]]);
  expect(await started).toBe('Error');
});
