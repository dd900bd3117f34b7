import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FakeKeep, scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const leave = (s: ReturnType<typeof scene>) => s.page.window.dispatchEvent(new Event('pagehide'));
const comeBack = (s: ReturnType<typeof scene>) => s.page.window.dispatchEvent(new Event('pageshow'));

/** A tab of the browser that has this storage. */
const keeps = (browser = new FakeKeep(), tab = new FakeKeep()) => ({ browser, tab });

test('a new connection names the previous one of the same page', async () => {
  const s = scene();
  const hub = await s.online('me', 'first');
  expect(hub.opening.previous).toBeUndefined();
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.hub.opening.previous).toBe('first');
  // The same holds after failed attempts in between.
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(s.hub.opening.previous).toBe('first');
  await s.accept('me', 'second');
  s.hub.break();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(s.hub.opening.previous).toBe('second');
});

test('a new connection names the previous one on the next page of the tab, once', async () => {
  const tab = keeps();
  const before = scene({ keeps: tab });
  await before.online('me', 'first');
  leave(before);
  const after = scene({ keeps: tab });
  const hub = await after.online('me', 'second');
  expect(hub.opening.previous).toBe('first');
  expect(tab.tab.items.size, 'nothing is left while the page lives').toBe(0);
});

test('a client that starts again begins with the status of the user that another tab has signed in since', async () => {
  const browser = new FakeKeep();
  const first = scene({ keeps: keeps(browser) });
  await first.online('ada');
  await first.pulse.stop();
  const other = scene({ keeps: keeps(browser), name: 'other' });
  void other.pulse.setStatus('invisible');
  await other.online('grace');
  expect((await first.online('grace')).openedWith).toBe('invisible');
});

test('a duplicated tab does not name the living connection of the original', async () => {
  const original = keeps();
  const before = scene({ keeps: original });
  await before.online('me', 'first');
  leave(before);
  const s = scene({ keeps: original });
  await s.online('me', 'second');
  const duplicate = scene({ keeps: keeps(original.browser, new FakeKeep(original.tab.items)) });
  const hub = await duplicate.online('me', 'third');
  expect(hub.opening.previous).toBeUndefined();
});

test('a restored page names the connection of the page in between', async () => {
  const tab = keeps();
  const first = scene({ keeps: tab });
  const hub = await first.online('me', 'first');
  leave(first);
  const between = scene({ keeps: tab });
  await between.online('me', 'between');
  hub.break();
  leave(between);
  comeBack(first);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(first.hub.opening.previous).toBe('between');
  expect(tab.tab.items.size).toBe(0);
});

test('a stopped client hands no connection on', async () => {
  const tab = keeps();
  const s = scene({ keeps: tab });
  await s.online('me', 'first');
  await s.pulse.stop();
  leave(s);
  expect(tab.tab.items.size).toBe(0);
  const hub = await s.online();
  expect(hub.opening.previous).toBeUndefined();
});

test('the chosen status applies to the next page, before its socket opens', async () => {
  const { browser } = keeps();
  const before = scene({ keeps: keeps(browser) });
  await before.online('ada');
  await before.pulse.setStatus('invisible', 'writing');
  const after = scene({ keeps: keeps(browser) });
  const hub = await after.online('ada');
  expect(hub.openedWith).toBe('invisible');
  expect(hub.callsOf('SetStatus')).toEqual([['invisible', 'writing']]);
});

test("a different user than before: the former user's choice is dropped at once, and the own one counts", async () => {
  const { browser } = keeps();
  const graces = scene({ keeps: keeps(browser) });
  await graces.online('grace');
  await graces.pulse.setStatus('away');
  await vi.advanceTimersByTimeAsync(1_000);
  const adas = scene({ keeps: keeps(browser) });
  await adas.online('ada');
  await adas.pulse.setStatus('invisible');

  const grace = scene({ keeps: keeps(browser) });
  expect((await grace.online('grace')).openedWith).toBe('invisible');
  expect(grace.hub.callsOf('SetStatus')).toEqual([['away', null]]);
  const alan = scene({ keeps: keeps(browser) });
  expect((await alan.online('alan')).openedWith).toBe('away');
  expect(alan.hub.callsOf('SetStatus')).toEqual([['online', null]]);
  const ada = scene({ keeps: keeps(browser) });
  await ada.online('ada');
  expect(ada.hub.callsOf('SetStatus'), 'what others did has not touched it').toEqual([['invisible', null]]);
});

test('a token of another user on the same page: the choice does not pass to them', async () => {
  const s = scene({ keeps: keeps() });
  const hub = await s.online('ada');
  await s.pulse.setStatus('busy');
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  await s.accept('grace');
  expect(s.hub.callsOf('SetStatus')).toEqual([['online', null]]);
});

test('a choice from before the socket opens counts, and is kept', async () => {
  const { browser } = keeps();
  const before = scene({ keeps: keeps(browser) });
  await before.online('ada');
  await before.pulse.setStatus('busy');
  await vi.advanceTimersByTimeAsync(1_000);
  const s = scene({ keeps: keeps(browser) });
  void s.pulse.setStatus('invisible');
  expect((await s.online('ada')).openedWith).toBe('invisible');
  const after = scene({ keeps: keeps(browser) });
  expect((await after.online('ada')).openedWith).toBe('invisible');
});

test('a tab that missed a later choice opens its next socket with it', async () => {
  const { browser } = keeps();
  const stale = scene({ keeps: keeps(browser) });
  const hub = await stale.online('ada');
  await stale.pulse.setStatus('busy');
  await vi.advanceTimersByTimeAsync(1_000);
  const other = scene({ keeps: keeps(browser), url: 'https://pulse.example.com' });
  // Another channel, as if its message had been lost, and the same storage.
  browser.setItem('pulse  status ada', JSON.stringify({ status: 'invisible', message: null, at: Date.now() }));
  expect(other.hubs).toHaveLength(0);
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  await stale.accept('ada');
  expect(stale.hub.openedWith).toBe('invisible');
  expect(stale.hub.callsOf('SetStatus')).toEqual([]);
});

test.each([
  ['the server says so', (s: ReturnType<typeof scene>) => s.hub.say('SessionEnded', { reason: 'signed-out', mayReconnect: false })],
  ['there are no tokens any more', (s: ReturnType<typeof scene>) => {
    s.getToken.mockResolvedValueOnce(null);
    s.hub.say('TokenExpiring', { secondsLeft: 60 });
  }],
  ['the application says so', (s: ReturnType<typeof scene>) => void s.pulse.stop({ forget: true })],
])('signed out (%s): nothing of the user stays', async (_, signOut) => {
  const { browser } = keeps();
  const s = scene({ keeps: keeps(browser) });
  await s.online('ada');
  await s.pulse.setStatus('invisible');
  expect(browser.items.size).toBe(2);
  signOut(s);
  await settle();
  expect(s.pulse.state.name).not.toBe('online');
  expect([...browser.items]).toEqual([]);
});

test.each([
  ['stopped', (s: ReturnType<typeof scene>) => void s.pulse.stop()],
  ['in too many places', (s: ReturnType<typeof scene>) => s.hub.say('SessionEnded', { reason: 'too-many-connections', mayReconnect: false })],
])('%s: the choice stays', async (_, end) => {
  const s = scene({ keeps: keeps() });
  await s.online('ada');
  await s.pulse.setStatus('invisible');
  end(s);
  await settle();
  expect((await s.online('ada')).openedWith).toBe('invisible');
});

test('a choice that the server refuses is dropped, both when chosen and when read from storage', async () => {
  const { browser } = keeps();
  const refuse = (_: string, message: string | null): void => {
    if (message) throw new Error('HubException: invalid-argument: message has at most 140 characters.');
  };
  const s = scene({ keeps: keeps(browser) });
  const hub = await s.online('ada');
  await s.pulse.setStatus('busy');
  hub.answers['SetStatus'] = refuse;
  await vi.advanceTimersByTimeAsync(1_000);
  await expect(s.pulse.setStatus('away', 'too long')).rejects.toMatchObject({ code: 'invalid-argument' });
  await settle();
  expect(JSON.parse(browser.getItem('pulse  status ada')!)).toMatchObject({ status: 'busy' });
  await s.pulse.stop();

  browser.setItem('pulse  status ada', JSON.stringify({ status: 'away', message: 'too long', at: Date.now() }));
  const next = scene({ keeps: keeps(browser) });
  next.pulse.start();
  await settle();
  next.hub.answers['SetStatus'] = refuse;
  next.hub.accept('ada');
  await settle();
  expect(browser.getItem('pulse  status ada')).toBeNull();
  expect(next.hub.callsOf('SetStatus').at(-1)).toEqual(['online', null]);
});

test.each(['', 'rubbish', 'null', '{"status":"offline","at":1}', '{"status":"busy"}', '[]'])('a kept status that reads %j is ignored', async (text) => {
  const browser = new FakeKeep([['pulse  user', 'ada'], ['pulse  status ada', text]]);
  const s = scene({ keeps: keeps(browser) });
  expect((await s.online('ada')).openedWith).toBe('online');
});

test('a kept status of the future, as after a clock that was set back, gives way to the next choice', async () => {
  const browser = new FakeKeep([['pulse  user', 'ada'], ['pulse  status ada', JSON.stringify({ status: 'busy', message: null, at: Date.now() + 1e9 })]]);
  const s = scene({ keeps: keeps(browser) });
  const hub = await s.online('ada');
  expect(hub.openedWith).toBe('busy');
  await vi.advanceTimersByTimeAsync(1);
  await s.pulse.setStatus('online');
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.hub.openedWith).toBe('online');
});

test('a choice after the clock was set back outlives the older choice of another tab', async () => {
  const browser = new FakeKeep();
  const [former, latter] = [scene({ keeps: keeps(browser) }), scene({ keeps: keeps(browser) })];
  await former.online('ada');
  await latter.online('ada');
  await former.pulse.setStatus('online');
  latter.hub.break();
  await vi.advanceTimersByTimeAsync(30_000);
  await latter.accept('ada');
  vi.setSystemTime(Date.now() - 3_600_000);
  await latter.pulse.setStatus('invisible');

  // The other tab reconnects first, then this one.
  former.hub.break();
  await vi.advanceTimersByTimeAsync(30_000);
  await former.accept('ada');
  latter.hub.break();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(latter.hub.openedWith).toBe('invisible');
  await latter.accept('ada');
  latter.hub.break();
  await vi.advanceTimersByTimeAsync(30_000);
  expect(latter.hub.openedWith).toBe('invisible');
});
