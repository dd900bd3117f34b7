import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { PulseError } from '../../src/errors.js';
import { hubError } from '../support/fake-hub.js';
import { scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const minute = 60_000;

test('without input for 5 minutes: away, no more beats, and online at the next input', async () => {
  const s = scene();
  const hub = await s.online();
  // Heartbeats are sent, and the user still counts as idle.
  await vi.advanceTimersByTimeAsync(4 * minute + 10_000);
  s.page.input();
  await vi.advanceTimersByTimeAsync(5 * minute - 1);
  expect(hub.callsOf('SetStatus')).toEqual([]);
  const beats = hub.callsOf('Heartbeat').length;
  expect(beats).toBe(18);
  await vi.advanceTimersByTimeAsync(30 * minute);
  expect(hub.callsOf('SetStatus')).toEqual([['away', null]]);
  expect(hub.callsOf('Heartbeat')).toHaveLength(beats);
  s.page.input('pointerdown');
  await settle();
  expect(hub.callsOf('SetStatus')).toEqual([['away', null], ['online', null]]);
  await vi.advanceTimersByTimeAsync(minute);
  expect(hub.callsOf('Heartbeat')).toHaveLength(beats + 2);
});

test('a page that moves under a resting pointer does not count as input', async () => {
  const s = scene();
  const hub = await s.online();
  for (let i = 0; i < 6; i++) {
    s.page.input('pointermove', { screenX: 5, screenY: 5 });
    await vi.advanceTimersByTimeAsync(minute);
  }
  expect(hub.callsOf('SetStatus')).toEqual([['away', null]]);
  s.page.input('pointermove', { screenX: 6, screenY: 5 });
  await settle();
  expect(hub.callsOf('SetStatus').at(-1)).toEqual(['online', null]);
});

test('returning to the page counts as input', async () => {
  const s = scene();
  const hub = await s.online();
  s.page.show('hidden');
  await vi.advanceTimersByTimeAsync(6 * minute);
  s.page.show('visible');
  await settle();
  expect(hub.callsOf('SetStatus')).toEqual([['away', null], ['online', null]]);
});

test('timers that fire a minute late, as in a hidden page, change nothing but that minute', async () => {
  const s = scene();
  const hub = await s.online();
  vi.setSystemTime(Date.now() + 7 * minute);
  s.page.input();
  await vi.advanceTimersByTimeAsync(5 * minute - 1);
  expect(hub.callsOf('SetStatus')).toEqual([]);
});

test('never idle with Infinity', async () => {
  const s = scene({ idleAfterMs: Infinity });
  const hub = await s.online();
  await vi.advanceTimersByTimeAsync(60 * minute);
  expect(hub.callsOf('SetStatus')).toEqual([]);
  expect(hub.callsOf('Heartbeat')).toHaveLength(120);
});

test.each([2 ** 32, 2 ** 40])('idleAfterMs of %s, more than a timer takes: one timer at a time', async (idleAfterMs) => {
  const s = scene({ idleAfterMs });
  const timers = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timers.mockRestore());
  const hub = await s.online();
  timers.mockClear();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(timers.mock.calls.length).toBeLessThan(5);
  expect(hub.callsOf('SetStatus')).toEqual([]);
});

test('idleAfterMs of 30 days is as long', async () => {
  const s = scene({ idleAfterMs: 30 * 24 * 60 * minute });
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  const hub = await s.online();
  await vi.advanceTimersByTimeAsync(30 * 24 * 60 * minute - 1);
  expect(hub.callsOf('SetStatus')).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(hub.callsOf('SetStatus')).toEqual([['away', null]]);
});

test.each(['busy', 'invisible', 'away'] as const)('a chosen %s stays, with input and without', async (status) => {
  const s = scene();
  const hub = await s.online();
  await s.pulse.setStatus(status, 'writing');
  await vi.advanceTimersByTimeAsync(10 * minute);
  s.page.input();
  await settle();
  expect(hub.callsOf('SetStatus')).toEqual([[status, 'writing']]);
  await s.pulse.setStatus('online');
  expect(hub.callsOf('SetStatus').at(-1)).toEqual(['online', null]);
});

test('the message stays while the user is away', async () => {
  const s = scene();
  const hub = await s.online();
  await s.pulse.setStatus('online', 'in Paris');
  await vi.advanceTimersByTimeAsync(5 * minute);
  expect(hub.callsOf('SetStatus')).toEqual([['online', 'in Paris'], ['away', 'in Paris']]);
});

test('each socket is opened with the status, and a message is the first call', async () => {
  const s = scene();
  s.pulse.watch('a');
  void s.pulse.setStatus('invisible');
  const hub = await s.online();
  expect(hub.openedWith).toBe('invisible');
  expect(hub.calls.map(([method]) => method)).toEqual(['WatchPresence']);
  await s.pulse.setStatus('busy', 'writing');
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  const again = await s.accept();
  expect(again.openedWith).toBe('busy');
  expect(again.calls.map(([method]) => method)).toEqual(['SetStatus', 'WatchPresence']);
  expect(again.callsOf('SetStatus')).toEqual([['busy', 'writing']]);
});

test('away is sent the same way, and an online page sends nothing', async () => {
  const s = scene();
  const hub = await s.online();
  expect(hub.openedWith).toBe('online');
  expect(hub.callsOf('SetStatus')).toEqual([]);
  await vi.advanceTimersByTimeAsync(5 * minute);
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  const again = await s.accept();
  expect(again.openedWith).toBe('away');
  expect(again.callsOf('SetStatus')).toEqual([]);
});

test('away when the socket began to open, and used before it is open: online is sent', async () => {
  const s = scene();
  const hub = await s.online();
  await vi.advanceTimersByTimeAsync(5 * minute);
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  s.page.input();
  const again = await s.accept();
  expect(again.openedWith).toBe('away');
  expect(again.callsOf('SetStatus')).toEqual([['online', null]]);
});

test.each(['busy', 'invisible', 'away'] as const)('%s, undone while the socket opens', async (status) => {
  const s = scene();
  const hub = await s.online();
  await s.pulse.setStatus(status);
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  void s.pulse.setStatus('online');
  const again = await s.accept();
  expect(again.openedWith).toBe(status);
  expect(again.callsOf('SetStatus')).toEqual([['online', null]]);
});

test('each socket with the status of its own moment', async () => {
  const s = scene();
  void s.pulse.setStatus('busy');
  s.pulse.start();
  await settle();
  void s.pulse.setStatus('invisible');
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(2_000);
  const hub = await s.accept();
  expect(s.hubs.map(({ openedWith }) => openedWith)).toEqual(['busy', 'invisible']);
  expect(hub.callsOf('SetStatus')).toEqual([]);
});

test('refused: rejects, and the former choice counts', async () => {
  const s = scene();
  const hub = await s.online();
  await s.pulse.setStatus('busy');
  hub.answers['SetStatus'] = () => {
    throw hubError('invalid-argument: message has at most 140 characters.');
  };
  await expect(s.pulse.setStatus('away', 'x'.repeat(141))).rejects.toMatchObject({ name: 'PulseError', code: 'invalid-argument' });
  // This call leaves the rejection to the client. If it were unhandled, it would fail this run.
  void s.pulse.setStatus('away', 'x'.repeat(141));
  await settle();
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  const again = await s.accept();
  expect(again.openedWith).toBe('busy');
  expect(again.callsOf('SetStatus')).toEqual([]);
  await expect(s.pulse.setStatus('offline' as never)).rejects.toMatchObject({ code: 'invalid-argument' });
});

const refuseLongMessages = (_: string, message: string | null): void => {
  if (message && message.length > 140) throw hubError('invalid-argument: message has at most 140 characters.');
};

test('refused, on a socket that was opened with it: the former choice is sent', async () => {
  const s = scene();
  const refused = expect(s.pulse.setStatus('busy', 'x'.repeat(141))).rejects.toMatchObject({ code: 'invalid-argument' });
  s.pulse.start();
  await settle();
  s.hub.answers['SetStatus'] = refuseLongMessages;
  const hub = await s.accept();
  expect(hub.openedWith).toBe('busy');
  expect(hub.callsOf('SetStatus')).toEqual([['busy', 'x'.repeat(141)], ['online', null]]);
  await refused;
});

test('the status that opened the socket counts as accepted: a later refusal returns to it', async () => {
  const s = scene();
  void s.pulse.setStatus('invisible');
  const hub = await s.online();
  hub.answers['SetStatus'] = refuseLongMessages;
  await expect(s.pulse.setStatus('invisible', 'x'.repeat(141))).rejects.toMatchObject({ code: 'invalid-argument' });
  await settle();
  expect(hub.callsOf('SetStatus')).toHaveLength(1);
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  await s.accept();
  expect(s.hub.openedWith).toBe('invisible');
});

test('a call that fails is repeated, with the choice of that moment', async () => {
  const s = scene();
  const hub = await s.online();
  hub.answers['SetStatus'] = vi.fn().mockRejectedValueOnce(new Error('An unexpected error occurred.'));
  const first = s.pulse.setStatus('busy');
  await settle();
  const second = s.pulse.setStatus('invisible');
  await vi.advanceTimersByTimeAsync(4_000);
  await Promise.all([first, second]);
  expect(hub.callsOf('SetStatus').at(-1)).toEqual(['invisible', null]);
});

test('a connection that ends leaves the choice to the next one', async () => {
  const s = scene();
  const hub = await s.online();
  hub.answers['SetStatus'] = () => Promise.reject(new Error('Invocation canceled due to the underlying connection being closed.'));
  const chosen = s.pulse.setStatus('busy');
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  const again = await s.accept();
  await chosen;
  expect(again.openedWith).toBe('busy');
  expect(again.callsOf('SetStatus')).toEqual([]);
});

test('the next person does not inherit a status', async () => {
  const s = scene();
  await s.online();
  await s.pulse.setStatus('busy');
  await s.pulse.stop();
  const hub = await s.online('grace');
  expect(hub.openedWith).toBe('online');
  expect(hub.callsOf('SetStatus')).toEqual([]);
});

/** The present outcome of a promise. */
async function outcome(promise: Promise<void>): Promise<string> {
  const pending = Promise.resolve('pending');
  return Promise.race([promise.then(() => 'resolved', (error: PulseError) => error.code), settle().then(() => pending)]);
}

test('while disconnected, setStatus is pending until the server has the choice', async () => {
  const s = scene();
  const first = s.pulse.setStatus('busy');
  expect(s.pulse.own).toEqual({ status: 'busy', message: null, isSet: false });
  expect(await outcome(first)).toBe('pending');
  const hub = await s.online();
  expect(await outcome(first)).toBe('resolved');
  expect(s.pulse.own).toEqual({ status: 'busy', message: null, isSet: true });

  hub.break();
  await settle();
  expect(s.pulse.own.isSet).toBe(false);
  const second = s.pulse.setStatus('away', 'at lunch');
  expect(await outcome(second)).toBe('pending');
  await vi.advanceTimersByTimeAsync(2_000);
  let accept: (() => void) | undefined;
  s.hub.answers['SetStatus'] = () => new Promise<void>((resolve) => (accept = resolve));
  await s.accept();
  expect(s.pulse.state.name).toBe('online');
  expect([await outcome(second), s.pulse.own.isSet]).toEqual(['pending', false]);
  accept!();
  expect([await outcome(second), s.pulse.own.isSet]).toEqual(['resolved', true]);
});

test('a call that ends with the connection is pending until the next connection', async () => {
  const s = scene();
  const hub = await s.online();
  hub.answers['SetStatus'] = () => new Promise(() => undefined);
  const set = s.pulse.setStatus('busy');
  hub.break();
  expect(await outcome(set)).toBe('pending');
  await vi.advanceTimersByTimeAsync(2_000);
  await s.accept();
  expect(await outcome(set)).toBe('resolved');
});

test('a later choice that the server has resolves the earlier one too', async () => {
  const s = scene();
  const choices = [s.pulse.setStatus('busy'), s.pulse.setStatus('away')];
  await s.online();
  expect(await Promise.all(choices.map(outcome))).toEqual(['resolved', 'resolved']);
});

test('stopped before the server has it: rejects', async () => {
  const s = scene();
  const set = s.pulse.setStatus('busy');
  s.pulse.start();
  await s.pulse.stop();
  expect(await outcome(set)).toBe('stopped');
});

test('subscribers get the choice and whether it is set, as a new object', async () => {
  const s = scene();
  const seen: unknown[] = [];
  s.pulse.subscribe(() => seen.at(-1) !== s.pulse.own && seen.push(s.pulse.own));
  await s.online();
  await s.pulse.setStatus('busy', 'writing');
  expect(seen).toEqual([
    { status: 'online', message: null, isSet: false },
    { status: 'online', message: null, isSet: true },
    { status: 'busy', message: 'writing', isSet: false },
    { status: 'busy', message: 'writing', isSet: true },
  ]);
  expect(s.pulse.getSnapshot().own).toBe(s.pulse.own);
});
