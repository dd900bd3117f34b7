import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Presence } from '../../src/presence.js';
import { hubError, presence } from '../support/fake-hub.js';
import { scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lingerMs = 5_000;

test('calls are counted: the last one to end ends the watch, after a moment', async () => {
  const s = scene();
  const first = s.pulse.watch(['a', 'b']);
  const second = s.pulse.watch('A');
  const hub = await s.online();
  expect(hub.callsOf('WatchPresence')).toEqual([[['a', 'b']]]);
  first();
  first();
  await vi.advanceTimersByTimeAsync(lingerMs);
  expect(hub.callsOf('UnwatchPresence')).toEqual([[['b']]]);
  expect(s.pulse.presence('b')).toBeUndefined();
  expect(s.pulse.presence('a')?.status).toBe('offline');
  second();
  await vi.advanceTimersByTimeAsync(lingerMs);
  expect(hub.callsOf('UnwatchPresence')).toEqual([[['b']], [['a']]]);
});

test('a user that is unwatched and watched again at once causes no call', async () => {
  const s = scene();
  const hub = await s.online();
  s.pulse.watch('a')();
  await vi.advanceTimersByTimeAsync(lingerMs - 1);
  s.pulse.watch('a');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(hub.callsOf('WatchPresence')).toEqual([[['a']]]);
  expect(hub.callsOf('UnwatchPresence')).toEqual([]);
});

test('rows that are watched one by one are asked for together, and many in chunks of 200', async () => {
  const s = scene();
  const hub = await s.online();
  for (let i = 0; i < 450; i++) s.pulse.watch(`u${i}`);
  await settle();
  expect(hub.callsOf('WatchPresence').map(([ids]) => (ids as string[]).length)).toEqual([200, 200, 50]);
  expect(s.pulse.getSnapshot().presences.size).toBe(450);
});

test('a change that overtakes the answer counts', async () => {
  const s = scene();
  const hub = await s.online();
  hub.answers['WatchPresence'] = (ids: string[]) => {
    hub.say('PresenceChanged', presence('a', 'online', 8));
    return ids.map((id) => presence(id, 'offline', 7));
  };
  s.pulse.watch('a');
  await settle();
  expect(s.pulse.presence('a')?.status).toBe('online');
});

test('a change of an unwatched user is dropped', async () => {
  const s = scene();
  const hub = await s.online();
  hub.say('PresenceChanged', presence('stranger', 'online', 8));
  expect(s.pulse.presence('stranger')).toBeUndefined();
});

test('onChange: the known presence, then each change once, and nothing after the end', async () => {
  const s = scene();
  const hub = await s.online();
  s.pulse.watch('a');
  await settle();
  const seen: string[] = [];
  const unwatch = s.pulse.watch(['a', 'b'], ({ userId, status }: Presence) => seen.push(`${userId} ${status}`));
  await settle();
  hub.say('PresenceChanged', presence('a', 'online', 2));
  hub.say('PresenceChanged', presence('a', 'online', 3));
  unwatch();
  hub.say('PresenceChanged', presence('a', 'busy', 4));
  expect(seen).toEqual(['a offline', 'b offline', 'a online']);
});

test('subscribe: to everything, or to one user', async () => {
  const s = scene();
  const hub = await s.online();
  s.pulse.watch(['a', 'b']);
  await settle();
  const [all, one] = [vi.fn(), vi.fn()];
  s.pulse.subscribe(all);
  const end = s.pulse.subscribe(one, 'B');
  const before = s.pulse.getSnapshot();
  expect(s.pulse.getSnapshot()).toBe(before);
  hub.say('PresenceChanged', presence('a', 'online', 2));
  expect([all.mock.calls.length, one.mock.calls.length]).toEqual([1, 0]);
  hub.say('PresenceChanged', presence('b', 'online', 2));
  end();
  hub.say('PresenceChanged', presence('b', 'busy', 3));
  expect([all.mock.calls.length, one.mock.calls.length]).toEqual([3, 1]);
  expect(s.pulse.getSnapshot()).not.toBe(before);
  expect(before.presences.get('a')?.status).toBe('offline');
});

test('a listener that throws is reported as uncaught, and the others are called', async () => {
  const uncaught = vi.fn();
  process.once('uncaughtException', uncaught);
  const s = scene();
  const told = vi.fn();
  s.pulse.subscribe(() => {
    throw new Error('mine');
  });
  s.pulse.subscribe(told);
  // The error that the page's own error handler would get. Fake timers hand it to the test instead.
  await expect(async () => {
    s.pulse.start();
    await settle();
  }).rejects.toThrow('mine');
  process.removeListener('uncaughtException', uncaught);
  expect(told).toHaveBeenCalled();
  await s.pulse.stop().catch(() => undefined);
  vi.clearAllTimers();
});

test('after a reconnect all users are watched again, and during a loss they are unknown from 10 s on', async () => {
  const s = scene();
  const hub = await s.online();
  hub.answers['WatchPresence'] = (ids: string[]) => ids.map((id) => presence(id, 'online', 5));
  s.pulse.watch(['a', 'b']);
  await settle();
  const before = s.pulse.presence('a');
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(4_000);
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(3_999);
  expect(s.pulse.presence('a')).toBe(before);
  await vi.advanceTimersByTimeAsync(1);
  expect(s.pulse.presence('a')).toEqual({ ...before, status: 'unknown' });
  await vi.advanceTimersByTimeAsync(4_000);

  const again = s.hub;
  again.answers['WatchPresence'] = (ids: string[]) => ids.map((id) => presence(id, id === 'a' ? 'online' : 'offline', 6));
  await s.accept();
  expect(again.callsOf('WatchPresence')).toEqual([[['a', 'b']]]);
  expect(s.pulse.presence('a')).toBe(before);
  expect(s.pulse.presence('b')?.status).toBe('offline');
});

test('a short loss is not shown', async () => {
  const s = scene();
  const seen: string[] = [];
  s.pulse.watch('a', ({ status }) => seen.push(status));
  const hub = await s.online();
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  await s.accept();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(seen).toEqual(['offline']);
});

test('if the answer after a reconnect is missing, users are unknown after 10 s', async () => {
  const s = scene();
  s.pulse.watch('a');
  const hub = await s.online();
  hub.say('PresenceChanged', presence('a', 'online', 9));
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  s.hub.answers['WatchPresence'] = () => new Promise(() => undefined);
  await s.accept();
  s.hub.break();
  await vi.advanceTimersByTimeAsync(7_999);
  expect(s.pulse.presence('a')?.status).toBe('online');
  await vi.advanceTimersByTimeAsync(1);
  expect(s.pulse.presence('a')?.status).toBe('unknown');
});

test('a call that fails is repeated', async () => {
  const s = scene();
  const hub = await s.online();
  hub.answers['WatchPresence'] = vi.fn((ids: string[]) => ids.map((id) => presence(id, 'busy', 1))).mockImplementationOnce(() => {
    throw new Error('An unexpected error occurred invoking WatchPresence on the server.');
  });
  s.pulse.watch('a');
  await settle();
  expect(s.pulse.presence('a')).toBeUndefined();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.pulse.presence('a')?.status).toBe('busy');
});

test('one bad id leaves the other users watched', async () => {
  const s = scene();
  const errors: string[] = [];
  s.pulse.on('error', ({ code }) => errors.push(code));
  const hub = await s.online();
  hub.answers['WatchPresence'] = (ids: string[]) => {
    if (ids.includes('bad')) throw hubError('invalid-argument: bad is no id.');
    return ids.map((id) => presence(id, 'online', 1));
  };
  s.pulse.watch(['a', 'b', 'bad', 'c', 'd']);
  await settle();
  expect([...s.pulse.getSnapshot().presences.keys()]).toEqual(['a', 'b', 'c', 'd']);
  expect(errors).toEqual(['invalid-argument']);
});

test('too many users: one error event, and a retry when there is room', async () => {
  const s = scene();
  const errors: string[] = [];
  s.pulse.on('error', ({ code }) => errors.push(code));
  const hub = await s.online();
  let full = false;
  const answer = hub.answers['WatchPresence']!;
  hub.answers['WatchPresence'] = (ids: never) => {
    if (full) throw hubError('too-many-watched: a connection may watch 1000 users.');
    return answer(ids);
  };
  const unwatch = s.pulse.watch(Array.from({ length: 1_000 }, (_, i) => `u${i}`));
  await settle();
  full = true;
  s.pulse.watch(Array.from({ length: 500 }, (_, i) => `more${i}`));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(errors).toEqual(['too-many-watched']);
  // Five chunks, and halves of the sixth down to a single user: the 499 other users are left out.
  expect(hub.callsOf('WatchPresence').map(([ids]) => (ids as string[]).length)).toEqual([200, 200, 200, 200, 200, 200, 100, 50, 25, 12, 6, 3, 1]);
  full = false;
  unwatch();
  await vi.advanceTimersByTimeAsync(lingerMs);
  expect(s.pulse.getSnapshot().presences.size).toBe(500);
});

test.each([1, 100, 300])('too many users: of %i beyond the limit, as many as fit are watched', async (more) => {
  const s = scene();
  const errors: string[] = [];
  s.pulse.on('error', ({ code }) => errors.push(code));
  const hub = await s.online();
  const watched = new Set<string>();
  const answer = hub.answers['WatchPresence']!;
  hub.answers['WatchPresence'] = (ids: never) => {
    const all = new Set([...watched, ...(ids as string[])]);
    if (all.size > 1_000) throw hubError('too-many-watched: a connection may watch 1000 users.');
    for (const id of all) watched.add(id);
    return answer(ids);
  };
  hub.answers['UnwatchPresence'] = (ids: string[]) => ids.forEach((id) => watched.delete(id));
  const room = Math.floor(more / 2);
  const few = s.pulse.watch(Array.from({ length: 1_000 - room }, (_, i) => `u${i}`));
  await settle();
  const asked = hub.callsOf('WatchPresence').length;
  s.pulse.watch(Array.from({ length: more }, (_, i) => `more${i}`));
  await vi.advanceTimersByTimeAsync(60_000);
  expect(watched.size).toBe(1_000);
  expect(s.pulse.getSnapshot().presences.size).toBe(1_000);
  expect(s.pulse.presence(`more${room}`)).toBeUndefined();
  expect(errors).toEqual(['too-many-watched']);
  // At most two per halving of a chunk.
  expect(hub.callsOf('WatchPresence').length - asked).toBeLessThanOrEqual(18);

  few();
  await vi.advanceTimersByTimeAsync(lingerMs);
  expect(watched.size).toBe(more);
  expect(errors).toHaveLength(1);
});

test('a server whose versions are lower: its first answer on a new connection counts', async () => {
  const s = scene();
  s.pulse.watch('a');
  const hub = await s.online();
  hub.say('PresenceChanged', presence('a', 'online', 1_000));
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  await s.accept();
  expect(s.pulse.presence('a')?.status).toBe('offline');
});
