import { expect, test, vi } from 'vitest';
import { createPulseClient } from '../../src/index.js';

test('the session cookie is for pages of the same origin, other pages need getToken', () => {
  vi.stubGlobal('location', new URL('https://app.example.com/chat'));
  expect(createPulseClient().state).toEqual({ name: 'stopped' });
  createPulseClient({ url: 'https://app.example.com/' });
  createPulseClient({ url: 'https://pulse.example.com', getToken: async () => null });
  expect(() => createPulseClient({ url: 'https://pulse.example.com' })).toThrow('getToken');
});

test('times are numbers of milliseconds', () => {
  expect(() => createPulseClient({ idleAfterMs: -1 })).toThrow('idleAfterMs is -1');
  expect(() => createPulseClient({ unknownAfterMs: NaN })).toThrow('unknownAfterMs is NaN');
});

test('the functions need no this', async () => {
  const { subscribe, getSnapshot, watch, presence, stop } = createPulseClient({ getToken: async () => null });
  subscribe(() => undefined)();
  watch('a')();
  expect(presence('a')).toBeUndefined();
  expect(getSnapshot().presences.size).toBe(0);
  await stop();
});

test('start has no effect where both page and url are missing, as on a server that renders pages', async () => {
  const request = vi.fn();
  vi.stubGlobal('fetch', request);
  for (const pulse of [createPulseClient(), createPulseClient({ getToken: request })]) {
    pulse.start();
    await new Promise(setImmediate);
    expect(pulse.state).toEqual({ name: 'stopped' });
  }
  expect(request).not.toHaveBeenCalled();
});

test('outside of pages start asks for getToken, and creating a client does not', () => {
  const pulse = createPulseClient({ url: 'https://pulse.example.com' });
  expect(() => pulse.start()).toThrow(TypeError);
  expect(() => pulse.start()).toThrow('getToken');
  expect(pulse.state).toEqual({ name: 'stopped' });
});

test('transports are one or more of the known ones', () => {
  expect(() => createPulseClient({ transports: [] })).toThrow('transports');
  expect(() => createPulseClient({ transports: ['carrierPigeons' as never] })).toThrow('carrierPigeons');
  createPulseClient({ transports: ['webSockets', 'serverSentEvents', 'longPolling'] });
});
