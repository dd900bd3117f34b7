import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakePage, scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a client that starts ends the client that a hot reload has left, and replaces its connection', async () => {
  const page = new FakePage();
  const before = scene({ page });
  const hub = await before.online('ada', 'first');
  const after = scene({ page });
  after.pulse.start();
  await settle();
  expect(before.pulse.state).toEqual({ name: 'ended', reason: 'replaced' });
  expect(hub.dropped, 'without a goodbye: others do not see the user leave').toBe(true);
  expect(after.hub.opening.previous).toBe('first');
  await after.accept('ada', 'second');
  await vi.advanceTimersByTimeAsync(600_000);
  expect([before.hubs.length, after.hubs.length]).toEqual([1, 1]);
});

test('a client that is still connecting is ended too', async () => {
  const page = new FakePage();
  const before = scene({ page });
  before.pulse.start();
  await settle();
  const after = scene({ page });
  await after.online();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(before.hubs.map(({ dropped }) => dropped)).toEqual([true]);
  expect(after.pulse.state.name).toBe('online');
});

test.each([
  ['another name', { name: 'widget' }, new FakePage()],
  ['another server', { url: 'https://other.example.com' }, new FakePage()],
  ['another page', {}, undefined],
])('%s: both go on', async (_, options, page) => {
  const first = scene({ page: page ?? new FakePage() });
  await first.online();
  const second = scene({ ...options, page: page ?? new FakePage() });
  await second.online();
  expect([first.pulse.state.name, second.pulse.state.name]).toEqual(['online', 'online']);
});

test('a client that has stopped, or has not started, is left alone', async () => {
  const page = new FakePage();
  const first = scene({ page });
  await first.online();
  await first.pulse.stop();
  const second = scene({ page });
  await second.online();
  expect(first.pulse.state.name).toBe('stopped');
  scene({ page });
  await first.pulse.stop();
  expect(second.pulse.state.name).toBe('online');
  first.pulse.start();
  await settle();
  expect(second.pulse.state).toEqual({ name: 'ended', reason: 'replaced' });
});
