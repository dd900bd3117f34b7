// @vitest-environment happy-dom
import { act, StrictMode, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PulseProvider, useOnlineCount, useOwnPresence, usePresence, usePresences, usePulse, usePulseState, useUserId } from '../../src/react.js';
import { presence } from '../support/fake-hub.js';
import { scene, settle } from '../support/scene.js';

let root: Root;
let page: HTMLElement;
const drawn = vi.fn<(userId: string) => void>();

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('IS_REACT_ACT_ENVIRONMENT', true);
  drawn.mockClear();
  page = document.createElement('div');
  root = createRoot(page);
});
afterEach(async () => {
  await act(async () => root.unmount());
  vi.useRealTimers();
});

function Dot({ userId }: { userId: string }): ReactNode {
  const shown = usePresence(userId);
  drawn(userId);
  return <i>{`${userId}:${shown?.status ?? '?'} `}</i>;
}

function State(): ReactNode {
  return <b>{usePulseState().name}</b>;
}

test('renders known presences, and again only changed ones', async () => {
  const s = scene();
  await act(async () => root.render(<PulseProvider client={s.pulse}><Dot userId="a" /><Dot userId="b" /><State /></PulseProvider>));
  expect(page.textContent).toBe('a:? b:? stopped');
  let hub = s.hub;
  await act(async () => void (hub = await s.online()));
  expect(page.textContent).toBe('a:offline b:offline online');
  expect(hub.callsOf('WatchPresence')).toEqual([[['a', 'b']]]);
  drawn.mockClear();
  await act(async () => hub.say('PresenceChanged', presence('a', 'busy', 2)));
  expect(page.textContent).toBe('a:busy b:offline online');
  expect(drawn.mock.calls).toEqual([['a']]);
});

test('in strict mode and with changing ids, only the needed users are watched', async () => {
  const s = scene();
  const hub = await s.online();
  const show = (userId: string) => act(async () => root.render(<StrictMode><PulseProvider client={s.pulse}><Dot userId={userId} /></PulseProvider></StrictMode>));
  await show('a');
  await show('b');
  await act(async () => vi.advanceTimersByTimeAsync(5_000));
  expect(page.textContent).toBe('b:offline ');
  expect(hub.callsOf('WatchPresence')).toEqual([[['a']], [['b']]]);
  expect(hub.callsOf('UnwatchPresence')).toEqual([[['a']]]);
});

function List({ userIds }: { userIds: string[] }): ReactNode {
  const presences = usePresences(userIds);
  drawn('list');
  return <p>{userIds.map((userId) => `${userId}:${presences.get(userId)?.status ?? '?'}`).join(' ')}</p>;
}

test('a list watches all of its users, and is rendered once for each change of one of them', async () => {
  const s = scene();
  const hub = await s.online();
  const show = (...userIds: string[]) => act(async () => root.render(<PulseProvider client={s.pulse}><List userIds={userIds} /></PulseProvider>));
  await show('a', 'B');
  await act(async () => settle());
  expect(page.textContent).toBe('a:offline B:offline');
  expect(hub.callsOf('WatchPresence')).toEqual([[['a', 'b']]]);
  drawn.mockClear();
  await act(async () => hub.say('PresenceChanged', presence('b', 'busy', 2)));
  expect(page.textContent).toBe('a:offline B:busy');
  expect(drawn).toHaveBeenCalledTimes(1);
  s.pulse.watch('c');
  await act(async () => settle());
  await act(async () => hub.say('PresenceChanged', presence('c', 'busy', 2)));
  expect(drawn, 'nothing to do with the list').toHaveBeenCalledTimes(1);

  await show('a', 'B');
  await show('B', 'd');
  await act(async () => vi.advanceTimersByTimeAsync(5_000));
  expect(page.textContent).toBe('B:busy d:offline');
  expect(hub.callsOf('WatchPresence').at(-1)).toEqual([['d']]);
  expect(hub.callsOf('UnwatchPresence')).toEqual([[['a']]]);
});

function Counts(): ReactNode {
  const { status, message, isSet } = useOwnPresence();
  return <u>{`${useOnlineCount()} ${useOnlineCount(['A'])} ${status} ${message} ${isSet}`}</u>;
}

test('the number of online users, and the own choice', async () => {
  const s = scene();
  s.pulse.watch(['a', 'b']);
  await act(async () => root.render(<PulseProvider client={s.pulse}><Counts /></PulseProvider>));
  expect(page.textContent).toBe('0 0 online null false');
  let hub = s.hub;
  await act(async () => void (hub = await s.online()));
  await act(async () => hub.say('PresenceChanged', presence('a', 'away', 2)));
  expect(page.textContent).toBe('1 1 online null true');
  await act(async () => hub.say('PresenceChanged', presence('b', 'online', 2)));
  await act(async () => s.pulse.setStatus('busy', 'writing'));
  expect(page.textContent).toBe('2 1 busy writing true');
  await act(async () => hub.break());
  await act(async () => vi.advanceTimersByTimeAsync(0));
  expect(page.textContent).toBe('2 1 busy writing false');
  expect(renderToString(<PulseProvider client={s.pulse}><Counts /></PulseProvider>)).toBe('<u>0 0 online null false</u>');
});

function Self(): ReactNode {
  return <u>{useUserId() ?? '?'}</u>;
}

test('the own id, from the first connection on', async () => {
  const s = scene();
  await act(async () => root.render(<PulseProvider client={s.pulse}><Self /></PulseProvider>));
  expect(page.textContent).toBe('?');
  await act(async () => void (await s.online('ada')));
  expect(page.textContent).toBe('ada');
  expect(renderToString(<PulseProvider client={s.pulse}><Self /></PulseProvider>)).toBe('<u>?</u>');
});

test('on a server: presences are unknown, and the client stays stopped', async () => {
  const s = scene();
  expect(renderToString(<PulseProvider client={s.pulse}><Dot userId="a" /><State /></PulseProvider>)).toBe('<i>a:? </i><b>stopped</b>');
  await settle();
  expect(s.hubs).toEqual([]);
});

test('a missing provider is an error that says so', () => {
  const Lost = (): ReactNode => (usePulse(), null);
  expect(() => renderToString(<Lost />)).toThrow('PulseProvider');
});
