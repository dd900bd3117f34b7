import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('states from start to stop', async () => {
  const { pulse, ...s } = scene();
  const states: string[] = [];
  pulse.subscribe(() => states.push(pulse.state.name));
  expect(pulse.state).toEqual({ name: 'stopped' });
  pulse.start();
  pulse.start();
  await settle();
  expect(s.hubs).toHaveLength(1);
  expect(s.hubs[0]!.token).toBe('token-1');
  s.hubs[0]!.accept('ada');
  await settle();
  expect(pulse.state).toEqual({ name: 'online', userId: 'ada' });
  await pulse.stop();
  expect(s.hubs[0]!.stopped).toBe(true);
  expect(states).toEqual(['connecting', 'online', 'stopped']);
  await vi.advanceTimersByTimeAsync(3_600_000);
  expect(s.hubs).toHaveLength(1);
});

test('waits longer after each failure, for ever, and in a hidden page at most 30 s', async () => {
  const s = scene();
  s.page.show('hidden');
  s.pulse.start();
  await settle();
  for (const wait of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]) {
    const attempts = s.hubs.length;
    s.hub.refuse();
    await vi.advanceTimersByTimeAsync(wait - 1);
    expect(s.hubs, `before ${wait} ms`).toHaveLength(attempts);
    await vi.advanceTimersByTimeAsync(1);
    expect(s.hubs, `after ${wait} ms`).toHaveLength(attempts + 1);
  }
});

test('waits in a visible page at most 3 s, and after 10 minutes as long as in a hidden one', async () => {
  const s = scene();
  s.pulse.start();
  await settle();
  const startedAt = Date.now();
  for (let wait = 2_000; Date.now() - startedAt < 10 * 60_000; wait = 3_000) {
    const attempts = s.hubs.length;
    s.hub.refuse();
    await vi.advanceTimersByTimeAsync(wait - 1);
    expect(s.hubs).toHaveLength(attempts);
    await vi.advanceTimersByTimeAsync(1);
    expect(s.hubs).toHaveLength(attempts + 1);
  }
  const attempts = s.hubs.length;
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(29_999);
  expect(s.hubs).toHaveLength(attempts);
  await vi.advanceTimersByTimeAsync(1);
  expect(s.hubs).toHaveLength(attempts + 1);
});

test('reconnects within 1 s of losing a connection that had held', async () => {
  const s = scene();
  const hub = await s.online();
  await vi.advanceTimersByTimeAsync(10_000);
  hub.break();
  await settle();
  expect(s.pulse.state).toEqual({ name: 'reconnecting', userId: 'me' });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(s.hubs).toHaveLength(2);
  await s.accept();
  expect(s.pulse.state.name).toBe('online');
});

test('attempts on a server that accepts and drops at once slow down', async () => {
  const s = scene();
  s.pulse.start();
  for (const wait of [2_000, 3_000, 3_000]) {
    await s.accept();
    s.hub.break();
    const attempts = s.hubs.length;
    await vi.advanceTimersByTimeAsync(wait - 1);
    expect(s.hubs).toHaveLength(attempts);
    await vi.advanceTimersByTimeAsync(1);
  }
});

test.each(['online', 'pageshow', 'visible'])('%s: retries at once', async (event) => {
  const s = scene();
  s.pulse.start();
  for (let i = 0; i < 6; i++) {
    await settle();
    s.hub.refuse();
    await vi.advanceTimersByTimeAsync(i < 5 ? 30_000 : 1);
  }
  const attempts = s.hubs.length;
  if (event === 'visible') s.page.show('visible');
  else s.page.window.dispatchEvent(new Event(event));
  await settle();
  expect(s.hubs).toHaveLength(attempts + 1);
});

test('a page that becomes visible gives up a socket that does not answer', async () => {
  const s = scene();
  const hub = await s.online();
  s.page.show('hidden');
  hub.answers['Heartbeat'] = () => new Promise(() => undefined);
  s.page.show('visible');
  await vi.advanceTimersByTimeAsync(4_999);
  expect(s.pulse.state.name).toBe('online');
  await vi.advanceTimersByTimeAsync(1);
  expect(s.pulse.state.name).toBe('reconnecting');
  expect(hub.dropped, 'without a goodbye').toBe(true);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(s.hubs).toHaveLength(2);
});

test('a page that becomes visible keeps a socket whose server sends pings, however slow a call is', async () => {
  const s = scene();
  const hub = await s.online();
  for (const method of ['WatchPresence', 'Heartbeat']) hub.answers[method] = () => new Promise(() => undefined);
  s.pulse.watch('a');
  await settle();
  s.page.show('visible');
  for (let seconds = 0; seconds < 120; seconds += 15) {
    await vi.advanceTimersByTimeAsync(15_000);
    hub.heardAt = Date.now();
    s.page.show('visible');
  }
  expect(s.pulse.state.name).toBe('online');
  expect(hub.dropped).toBe(false);
});

test('a page that becomes visible waits longer while a call is slow, and asks once', async () => {
  const s = scene();
  const hub = await s.online();
  for (const method of ['WatchPresence', 'Heartbeat']) hub.answers[method] = () => new Promise(() => undefined);
  s.pulse.watch('a');
  await settle();
  s.page.show('visible');
  await vi.advanceTimersByTimeAsync(3_000);
  s.page.show('visible');
  await vi.advanceTimersByTimeAsync(13_499);
  expect(hub.callsOf('Heartbeat')).toHaveLength(1);
  expect(s.pulse.state.name).toBe('online');
  await vi.advanceTimersByTimeAsync(1);
  expect(s.pulse.state.name).toBe('reconnecting');
  expect(hub.dropped).toBe(true);
});

test('stop is a goodbye', async () => {
  const s = scene();
  const hub = await s.online();
  await s.pulse.stop();
  expect([hub.stopped, hub.dropped]).toEqual([true, false]);
});

test.each([
  ['a channel that the browser forbids', () => vi.stubGlobal('BroadcastChannel', class {
    constructor() {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    }
  })],
  ['storage that the browser forbids', () => undefined],
])('%s: the client works without it', async (_, forbid) => {
  onTestFinished(() => void vi.unstubAllGlobals());
  forbid();
  const blocked = (): never => { throw new DOMException('The operation is insecure.', 'SecurityError'); };
  const keep = { getItem: blocked, setItem: blocked, removeItem: blocked };
  const s = scene({ keeps: { browser: keep, tab: keep } });
  const errors = vi.fn();
  s.pulse.on('error', errors);
  s.pulse.watch('a');
  const hub = await s.online();
  await s.pulse.setStatus('busy');
  s.page.window.dispatchEvent(new Event('pagehide'));
  expect(s.pulse.state.name).toBe('online');
  expect(hub.callsOf('SetStatus')).toEqual([['busy', null]]);
  expect(s.pulse.presence('a')?.status).toBe('offline');
  expect(errors).not.toHaveBeenCalled();
});

test('any exception while the connection opens is an error event, and the next attempt follows', async () => {
  const s = scene();
  const errors: string[] = [];
  s.pulse.on('error', ({ code, message }) => errors.push(`${code}: ${message}`));
  const broken = vi.spyOn(globalThis, 'setInterval').mockImplementationOnce(() => { throw new Error('no timers left'); });
  onTestFinished(() => broken.mockRestore());
  const hub = await s.online();
  expect(errors).toEqual(['client-failed: no timers left']);
  expect(hub.dropped).toBe(true);
  expect(s.pulse.state.name).toBe('reconnecting');
  await vi.advanceTimersByTimeAsync(2_000);
  await s.accept();
  expect(s.pulse.state.name).toBe('online');
});

test.each([2 ** 31, 2 ** 40, Infinity])('unknownAfterMs of %s is not at once', async (unknownAfterMs) => {
  const s = scene({ unknownAfterMs });
  s.pulse.watch('a');
  const hub = await s.online();
  hub.break();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(s.pulse.presence('a')?.status).toBe('offline');
});

test('a server that does not greet is given up after 20 s', async () => {
  const s = scene();
  s.pulse.start();
  await settle();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(s.hub.stopped).toBe(true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.hubs).toHaveLength(2);
});

test('messages of an ended socket are ignored', async () => {
  const s = scene();
  s.pulse.watch('a');
  const hub = await s.online();
  hub.break();
  hub.say('PresenceChanged', { userId: 'a', status: 'online', message: null, lastSeen: null, version: 99 });
  hub.say('SessionEnded', { reason: 'signed-out', mayReconnect: false });
  await settle();
  expect(s.pulse.presence('a')?.status).toBe('offline');
  expect(s.pulse.state.name).toBe('reconnecting');
});

test('stop while connecting, and start again', async () => {
  const s = scene();
  s.pulse.start();
  await s.pulse.stop();
  expect(s.pulse.state.name).toBe('stopped');
  await settle();
  await s.online();
  expect(s.pulse.state.name).toBe('online');
  expect(s.hubs.filter((hub) => !hub.stopped)).toHaveLength(1);
});

test('failures reach error listeners only', async () => {
  const log = (['error', 'warn', 'info', 'log', 'debug'] as const).map((level) => vi.spyOn(console, level));
  const s = scene();
  const errors: string[] = [];
  s.pulse.on('error', ({ code }) => errors.push(code));
  s.getToken.mockRejectedValueOnce(new Error('no network'));
  s.pulse.start();
  await vi.advanceTimersByTimeAsync(2_000);
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(4_000);
  s.hub.accept();
  s.hub.break();
  await settle();
  expect(errors).toEqual(['token-unavailable', 'connection-failed', 'connection-lost']);
  for (const spy of log) expect(spy).not.toHaveBeenCalled();
});

test('a socket is probed when the server has missed a ping, and given up when the answer is missing', async () => {
  const s = scene();
  s.pulse.start();
  await settle();
  s.hub.heardAt = Date.now();
  const hub = await s.accept();
  hub.answers['Heartbeat'] = () => void (hub.heardAt = Date.now());
  await vi.advanceTimersByTimeAsync(16_499);
  expect(hub.callsOf('Heartbeat')).toHaveLength(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(hub.callsOf('Heartbeat')).toHaveLength(1);
  hub.answers['Heartbeat'] = () => new Promise(() => undefined);
  await vi.advanceTimersByTimeAsync(16_500 + 4_999);
  expect(s.pulse.state.name).toBe('online');
  await vi.advanceTimersByTimeAsync(1);
  expect([s.pulse.state.name, hub.dropped]).toEqual(['reconnecting', true]);
});

/** A health route that answers, or stays silent like a network that swallows packets. */
function healthRoute() {
  const route = { answers: false, requests: 0, reach: () => {
    route.requests++;
    return route.answers ? Promise.resolve() : new Promise(() => undefined);
  } };
  return route;
}

test('a hanging attempt is cut when the server can be reached again, and the next one follows at once', async () => {
  const route = healthRoute();
  const s = scene({ reach: route.reach });
  s.pulse.start();
  await vi.advanceTimersByTimeAsync(6_000);
  expect(s.hubs).toHaveLength(1);
  route.answers = true;
  await vi.advanceTimersByTimeAsync(4_000);
  expect(s.hubs).toHaveLength(2);
  expect(s.hubs[0]!.dropped).toBe(true);
  await s.accept();
  expect(s.pulse.state.name).toBe('online');
});

test('an attempt that the server answers late, when it can be reached again, is kept', async () => {
  const route = healthRoute();
  const s = scene({ reach: route.reach });
  s.pulse.start();
  await vi.advanceTimersByTimeAsync(6_000);
  route.answers = true;
  await s.accept();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(s.hubs).toHaveLength(1);
  expect(s.pulse.state.name).toBe('online');
});

test('an unanswered handshake of a reachable server is cut once per outage', async () => {
  const route = healthRoute();
  route.answers = true;
  const s = scene({ reach: route.reach });
  s.pulse.start();
  await settle();
  s.hub.isUnanswered = true;
  await vi.advanceTimersByTimeAsync(2_999);
  expect(s.hubs).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(s.hubs).toHaveLength(2);
  s.hub.isUnanswered = true;
  await vi.advanceTimersByTimeAsync(19_999);
  expect(s.hubs).toHaveLength(2);
  expect(route.requests, 'of two attempts').toBeLessThan(8);
});

test('an open socket that waits for the greeting of a reachable server is kept', async () => {
  const route = healthRoute();
  route.answers = true;
  const s = scene({ reach: route.reach });
  s.pulse.start();
  await vi.advanceTimersByTimeAsync(19_999);
  expect(s.hubs).toHaveLength(1);
});

test.each(['online', 'pageshow', 'visible', 'probe'])('%s: a hanging attempt is cut, and a young one is kept', async (event) => {
  const s = scene({ reach: () => new Promise(() => undefined) });
  const wake = (): void => {
    if (event === 'probe') s.pulse.probe();
    else if (event === 'visible') s.page.show('visible');
    else s.page.window.dispatchEvent(new Event(event));
  };
  s.pulse.start();
  wake();
  await vi.advanceTimersByTimeAsync(4_999);
  wake();
  await settle();
  expect(s.hubs).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1);
  wake();
  await settle();
  expect(s.hubs).toHaveLength(2);
  wake();
  await vi.advanceTimersByTimeAsync(4_999);
  expect(s.hubs).toHaveLength(2);
});

test('a token request that hangs is given up when the network is back', async () => {
  const s = scene({ reach: () => new Promise(() => undefined) });
  let signal: AbortSignal | undefined;
  s.getToken.mockImplementationOnce((request) => {
    ({ signal } = request);
    return new Promise(() => undefined);
  });
  s.pulse.start();
  await vi.advanceTimersByTimeAsync(10_000);
  s.page.window.dispatchEvent(new Event('online'));
  await settle();
  expect(signal?.aborted).toBe(true);
  await s.accept();
  expect(s.pulse.state.name).toBe('online');
});

test('a slow network does not count as one that is back', async () => {
  const s = scene({ reach: () => new Promise((resolve) => setTimeout(resolve, 1_900)) });
  s.pulse.start();
  await vi.advanceTimersByTimeAsync(19_999);
  expect(s.hubs).toHaveLength(1);
  await s.accept();
  expect(s.pulse.state.name).toBe('online');
});

test('stop while a token request hangs: no further request is sent', async () => {
  const route = healthRoute();
  const s = scene({ reach: route.reach });
  s.getToken.mockImplementationOnce(() => new Promise(() => undefined));
  s.pulse.start();
  await vi.advanceTimersByTimeAsync(5_000);
  await s.pulse.stop();
  const { requests } = route;
  expect(requests).toBeGreaterThan(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(route.requests).toBe(requests);
});
