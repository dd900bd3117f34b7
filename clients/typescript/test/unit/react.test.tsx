// @vitest-environment happy-dom
import { act, StrictMode, type ReactNode } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { PulseProvider, usePresence, usePulse, usePulseState } from '../../src/react.js';
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

test('draws what is known, and only who has changed', async () => {
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

test('in strict mode and with changing ids, nobody is watched in vain', async () => {
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

test('on a server: nobody is known, nothing starts', async () => {
  const s = scene();
  expect(renderToString(<PulseProvider client={s.pulse}><Dot userId="a" /><State /></PulseProvider>)).toBe('<i>a:? </i><b>stopped</b>');
  await settle();
  expect(s.hubs).toEqual([]);
});

test('without a provider: says so', () => {
  const Lost = (): ReactNode => (usePulse(), null);
  expect(() => renderToString(<Lost />)).toThrow('PulseProvider');
});
