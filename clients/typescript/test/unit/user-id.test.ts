import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the user is known from the first connection on, also while it is lost', async () => {
  const s = scene();
  const seen: (string | undefined)[] = [];
  s.pulse.subscribe(() => seen.push(s.pulse.userId));
  s.pulse.start();
  expect(s.pulse.userId).toBe(undefined);
  const hub = await s.accept('ada');
  expect(s.pulse.userId).toBe('ada');
  expect(seen.at(-1), 'listeners are called').toBe('ada');
  expect(s.pulse.getSnapshot().userId).toBe('ada');
  hub.break();
  await settle();
  expect(s.pulse.state.name).toBe('reconnecting');
  expect(s.pulse.userId).toBe('ada');
});

test('the user stays known after stop, until another user connects', async () => {
  const s = scene();
  await s.online('ada');
  await s.pulse.stop();
  expect(s.pulse.userId).toBe('ada');
  s.pulse.start();
  expect(s.pulse.userId).toBe('ada');
  await s.accept('bob');
  expect(s.pulse.userId).toBe('bob');
  expect(s.pulse.getSnapshot().userId).toBe('bob');
});

test.each([
  ['the server says so', async (s: ReturnType<typeof scene>) => {
    s.hub.say('SessionEnded', { reason: 'signed-out', mayReconnect: false });
    await settle();
  }],
  ['the application says so', (s: ReturnType<typeof scene>) => s.pulse.stop({ forget: true })],
  ['the application says so after stop', async (s: ReturnType<typeof scene>) => {
    await s.pulse.stop();
    await s.pulse.stop({ forget: true });
  }],
])('a signed-out user is forgotten, and listeners are called: %s', async (_, signOut) => {
  const s = scene();
  await s.online('ada');
  expect(s.pulse.userId).toBe('ada');
  let seen: string | undefined = 'ada';
  s.pulse.subscribe(() => (seen = s.pulse.getSnapshot().userId));
  await signOut(s);
  expect(s.pulse.userId).toBe(undefined);
  expect(seen).toBe(undefined);
});
