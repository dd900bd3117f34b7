import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { signalRHub } from '../../src/hub.js';
import { settle } from '../support/scene.js';
import { until } from '../support/until.js';

/** The platform's socket, with a hub behind it that accepts the handshake and then stays silent. */
class FakeSocket extends EventTarget {
  static readonly OPEN = 1;
  static isAnswered = true;
  readyState = 0;
  readonly sent: string[] = [];
  readonly closedWith: (number | undefined)[] = [];
  onopen!: (event: object) => void;
  onclose!: (event: object) => void;
  onmessage!: (event: { data: string }) => void;

  /** SignalR takes this environment for Node.js and sends the token in a header. A browser has it in the address. */
  constructor(readonly url: string, _protocols?: unknown, readonly options?: { headers: Record<string, string> }) {
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
    // A handshake that is given up fails. An open socket would be closed by the other end's answer, which never comes here.
    if (this.readyState === 0) queueMicrotask(() => this.onclose({}));
    this.readyState = 2;
  }
}

const closeMessage = '{"type":7}\u001e';
let sockets: FakeSocket[];
let answers: ReturnType<typeof vi.fn<typeof fetch>>;

beforeEach(() => {
  sockets = [];
  FakeSocket.isAnswered = true;
  vi.useFakeTimers();
  vi.stubGlobal('WebSocket', FakeSocket);
  vi.stubGlobal('fetch', (answers = vi.fn(async () => Response.json({ ticket: `ticket-${answers.mock.calls.length}` }))));
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
  await until(() => sockets.length === 1);
  await started;
  return { hub, socket: sockets[0]!, closed };
}

test('the address has the status and the former connection', async () => {
  const { socket } = await open({ status: 'invisible', previous: 'Zm9ybWVy-_0' });
  const url = new URL(socket.url);
  expect(url.pathname).toBe('/hubs/pulse');
  expect([url.searchParams.get('status'), url.searchParams.get('previous')]).toEqual(['invisible', 'Zm9ybWVy-_0']);
});

test('the address is bare if both are missing', async () => {
  const { socket } = await open();
  const { searchParams } = new URL(socket.url);
  expect([searchParams.get('status'), searchParams.get('previous')]).toEqual([null, null]);
});

test('the address has a ticket instead of the token', async () => {
  const { socket } = await open();
  const { searchParams } = new URL(socket.url);
  expect([searchParams.get('ticket'), socket.options?.headers['Authorization']]).toEqual(['ticket-1', undefined]);
  expect(answers.mock.calls).toMatchObject([[
    'https://pulse.example.com/auth/hub-ticket', { method: 'POST', credentials: 'omit', headers: { authorization: 'Bearer token' } },
  ]]);
});

test.each([404, 405])('the address has the token if the server answers %i', async (status) => {
  answers.mockResolvedValue(new Response(null, { status }));
  const { socket } = await open();
  const { searchParams } = new URL(socket.url);
  expect([searchParams.get('ticket'), socket.options?.headers['Authorization']]).toEqual([null, 'Bearer token']);
});

test('the address has the token after two tickets that failed', async () => {
  FakeSocket.isAnswered = false;
  const openHub = signalRHub('https://pulse.example.com');
  for (let count = 1; count <= 4; count++) {
    const hub = openHub('token', { status: 'online' });
    const started = hub.start().catch(() => undefined);
    await until(() => sockets.length === count);
    await hub.drop();
    await started;
  }
  expect(sockets.map(({ url }) => new URL(url).searchParams.has('ticket'))).toEqual([true, true, false, true]);
});

test('a refused token opens no socket, and the error says so', async () => {
  answers.mockResolvedValue(new Response(null, { status: 401 }));
  await expect(signalRHub('https://pulse.example.com')('token', { status: 'online' }).start()).rejects.toMatchObject({ code: 'invalid-token' });
  expect(sockets).toEqual([]);
});

test('an end during the ticket request aborts the request, and opens no socket', async () => {
  let signal: AbortSignal | undefined;
  answers.mockImplementation((_, init) => {
    signal = init!.signal!;
    return new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason)));
  });
  const hub = signalRHub('https://pulse.example.com')('token', { status: 'online' });
  const started = hub.start().catch((error: Error) => error.name);
  await until(() => signal);
  await hub.stop();
  expect(await started).toBe('AbortError');
  expect(sockets).toEqual([]);
});

test('stop is a goodbye', async () => {
  const { hub, socket, closed } = await open();
  await hub.stop();
  expect(socket.closedWith).toEqual([1000]);
  expect(closed).toHaveBeenCalledOnce();
});

test('no part of drop is a goodbye', async () => {
  const { hub, socket, closed } = await open();
  const sent = [...socket.sent];
  await hub.drop();
  await settle();
  expect(socket.closedWith).toEqual([4000]);
  expect(socket.sent).toEqual(sent);
  expect(socket.sent).not.toContain(closeMessage);
  expect(closed).toHaveBeenCalledOnce();
});

test("SignalR's end of a silent server is no goodbye", async () => {
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
  await until(() => sockets.length === 1);
  expect(hub.isUnanswered).toBe(true);
  await hub[way]();
  expect(sockets[0]!.closedWith).toEqual([code]);
  expect(await started).toBe('Error');
});

test('a socket that is created after the end is closed at once', async () => {
  FakeSocket.isAnswered = false;
  const hub = signalRHub('https://pulse.example.com')('token', { status: 'online' });
  answers.mockResolvedValue(new Response(null, { status: 404 }));
  const started = hub.start().catch((error: Error) => error.name);
  await until(() => answers.mock.results.length === 1);
  await hub.drop();
  expect(await started).toMatch(/Error$/);
  expect(sockets.filter(({ closedWith }) => closedWith.length === 0)).toEqual([]);
});
