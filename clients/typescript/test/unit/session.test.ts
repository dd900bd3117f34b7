import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { AccessToken } from '../../src/tokens.js';
import { hubError } from '../support/fake-hub.js';
import { inMinutes, scene, settle } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('TokenExpiring: a new token, in place', async () => {
  const s = scene();
  const hub = await s.online();
  hub.say('TokenExpiring', { secondsLeft: 60 });
  hub.say('TokenExpiring', { secondsLeft: 55 });
  await settle();
  expect(hub.callsOf('Reauthenticate')).toEqual([['token-2']]);
  expect(s.getToken).toHaveBeenCalledTimes(2);
  expect(s.hubs).toHaveLength(1);
  // The following tokens count too.
  hub.say('TokenExpiring', { secondsLeft: 60 });
  await settle();
  expect(hub.callsOf('Reauthenticate')).toEqual([['token-2'], ['token-3']]);
});

test('TokenExpiring: retries while the token source fails or the server refuses', async () => {
  const s = scene();
  const hub = await s.online();
  s.getToken.mockRejectedValueOnce(new Error('no network'));
  hub.answers['Reauthenticate'] = vi.fn().mockRejectedValueOnce(hubError('invalid-token: too old'));
  hub.say('TokenExpiring', { secondsLeft: 60 });
  await vi.advanceTimersByTimeAsync(2_000);
  expect(hub.callsOf('Reauthenticate')).toEqual([['token-2']]);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(hub.callsOf('Reauthenticate')).toEqual([['token-2'], ['token-3']]);
});

test('token-expired: reconnects with a new token', async () => {
  const s = scene();
  const ended = vi.fn();
  s.pulse.on('sessionEnded', ended);
  const hub = await s.online();
  hub.say('SessionEnded', { reason: 'token-expired', mayReconnect: true });
  expect(hub.stopped).toBe(false);
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(ended).toHaveBeenCalledExactlyOnceWith({ reason: 'token-expired', mayReconnect: true });
  expect(s.hub.token).toBe('token-2');
});

test('server-stopping: reconnects with the same token, and leaves the closing to the server unless it forgets', async () => {
  const s = scene();
  const hub = await s.online();
  hub.say('SessionEnded', { reason: 'server-stopping', mayReconnect: true });
  await vi.advanceTimersByTimeAsync(4_999);
  expect(hub.stopped).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(hub.stopped).toBe(true);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.hub.token).toBe('token-1');
  expect(s.hubs).toHaveLength(2);
});

test.each(['signed-out', 'too-many-connections', 'moved'])('%s for good: stays disconnected, until started again', async (reason) => {
  const s = scene();
  const ended = vi.fn();
  s.pulse.on('sessionEnded', ended);
  s.pulse.watch('a');
  const hub = await s.online();
  const states: string[] = [];
  s.pulse.subscribe(() => states.push(s.pulse.state.name));
  hub.say('SessionEnded', { reason, mayReconnect: false });
  await settle();
  expect(states, 'no word of reconnecting').toEqual(['ended']);
  expect(s.pulse.state).toEqual({ name: 'ended', reason });
  expect(s.pulse.presence('a')?.status).toBe('unknown');
  expect(hub.stopped).toBe(true);
  expect(ended).toHaveBeenCalledExactlyOnceWith({ reason, mayReconnect: false });
  await vi.advanceTimersByTimeAsync(3_600_000);
  s.page.window.dispatchEvent(new Event('online'));
  await settle();
  expect(s.hubs).toHaveLength(1);

  await s.online();
  expect(s.hub.token).toBe('token-2');
  expect(s.pulse.presence('a')?.status).toBe('offline');
});

test('signed out: ends, when connecting and when the token expires', async () => {
  const s = scene();
  s.getToken.mockResolvedValueOnce(null);
  s.pulse.start();
  await settle();
  expect(s.pulse.state).toEqual({ name: 'ended', reason: 'signed-out' });
  expect(s.hubs).toHaveLength(0);

  const hub = await s.online();
  s.getToken.mockResolvedValueOnce(null);
  hub.say('TokenExpiring', { secondsLeft: 60 });
  await settle();
  expect(s.pulse.state).toEqual({ name: 'ended', reason: 'signed-out' });
  expect(hub.stopped).toBe(true);
});

test('stopped during a token request: the next person connects with their own token', async () => {
  const s = scene();
  let answer!: (token: AccessToken) => void;
  s.getToken.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  s.pulse.start();
  await s.pulse.stop();
  const hub = await s.online('grace');
  expect(hub.token).toBe('token-1');
  answer({ accessToken: 'adas', expiresAt: inMinutes(15) });
  await settle();
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.hub.token).toBe('token-1');
  expect(s.hubs).toHaveLength(2);
});

test('token-expired during a token request: reconnects with the requested token', async () => {
  const s = scene();
  const hub = await s.online();
  let answer!: (token: AccessToken) => void;
  s.getToken.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
  hub.say('TokenExpiring', { secondsLeft: 60 });
  hub.say('SessionEnded', { reason: 'token-expired', mayReconnect: true });
  hub.break();
  await vi.advanceTimersByTimeAsync(2_000);
  answer({ accessToken: 'later', expiresAt: inMinutes(15) });
  await settle();
  expect(s.hub.token).toBe('later');
  expect(s.getToken).toHaveBeenCalledTimes(2);
});

test('a token that the server refuses, whatever its clock says, is replaced after the second failure', async () => {
  const s = scene();
  s.pulse.start();
  await settle();
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(s.hub.token).toBe('token-1');
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(4_000);
  expect(s.hub.token).toBe('token-2');
});

test('a source that keeps its token: the same token is sent once only, and the source is called again near the end', async () => {
  const s = scene();
  let token = 'kept';
  s.getToken.mockImplementation(async () => ({ accessToken: token, expiresAt: inMinutes(15) }));
  const hub = await s.online();
  hub.say('TokenExpiring', { secondsLeft: 60 });
  await vi.advanceTimersByTimeAsync(49_999);
  expect(hub.callsOf('Reauthenticate')).toEqual([]);
  expect(s.getToken, 'when connecting and when warned').toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(1);
  expect(s.getToken, 'and 10 s before the end').toHaveBeenCalledTimes(3);
  token = 'next';
  await vi.advanceTimersByTimeAsync(5_000);
  expect(hub.callsOf('Reauthenticate')).toEqual([['next']]);

  // From now on it is the connection's own token.
  hub.say('TokenExpiring', { secondsLeft: 20 });
  await vi.advanceTimersByTimeAsync(20_000);
  expect(hub.callsOf('Reauthenticate')).toEqual([['next']]);
  expect(s.getToken.mock.calls.length).toBeLessThanOrEqual(9);
});

test('a token whose user is unknown to the server: the console says once what to do', async () => {
  const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  const s = scene();
  const errors: string[] = [];
  s.pulse.on('error', ({ code }) => errors.push(code));
  s.pulse.start();
  for (let attempt = 0; attempt < 3; attempt++) {
    await settle();
    s.hub.break(hubError("user-not-synced: this token's user is not known here yet. Call POST /auth/sync with it, then connect again."));
    await vi.advanceTimersByTimeAsync(3_000);
  }
  expect(errors).toEqual(['user-not-synced', 'user-not-synced', 'user-not-synced']);
  expect(log).toHaveBeenCalledOnce();
  expect(log.mock.calls[0]![0]).toContain('POST /auth/sync');
});

test('whatever a listener throws, the client goes on, and the fault is reported', async () => {
  const thrown: unknown[] = [];
  const { setTimeout: timer } = globalThis;
  const caught = (action: () => void, ms?: number) => timer(() => {
    try {
      action();
    } catch (error) {
      thrown.push(error);
    }
  }, ms);
  const uncaught = vi.spyOn(globalThis, 'setTimeout').mockImplementation(caught as typeof setTimeout);
  onTestFinished(() => uncaught.mockRestore());
  const s = scene();
  const fail = (): never => {
    throw new Error('the application');
  };
  s.pulse.subscribe(fail);
  s.pulse.subscribe(fail, 'a');
  s.pulse.on('error', fail);
  s.pulse.on('sessionEnded', fail);
  s.pulse.watch('a', fail);
  const hub = await s.online();
  expect(() => s.pulse.watch('a', fail), 'known already').not.toThrow();
  hub.say('SessionEnded', { reason: 'server-stopping', mayReconnect: true });
  hub.break();
  await vi.advanceTimersByTimeAsync(1_000);
  s.hub.refuse();
  await vi.advanceTimersByTimeAsync(3_000);
  await s.accept();
  expect(s.pulse.state.name).toBe('online');
  expect(s.pulse.presence('a')?.status).toBe('offline');
  await s.pulse.stop();
  await settle();
  expect(thrown.length).toBeGreaterThan(5);
});
