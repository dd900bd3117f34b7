// Tests the built package against a real Pulse.
import { expect, test } from 'vitest';
import { connect, isIn, noServer, shows, signUp, startPulse, timeout, until } from './support.mjs';

const options = { skip: noServer, timeout };
// Tokens that live for seconds may run out early on a busy machine; a fault of the package spoils each run.
const withShortTokens = { ...options, retry: 2 };

test('online, busy, away with a message and offline are seen live', options, async () => {
  const pulse = await startPulse();
  const [ada, grace] = [await signUp(pulse), await signUp(pulse)];
  const watcher = connect(pulse, ada);
  watcher.watch([grace.id, ada.id]);
  await shows(watcher, grace.id, 'offline');
  await shows(watcher, ada.id, 'online');

  const seen = [];
  watcher.watch(grace.id, ({ status, message }) => seen.push([status, message]));
  const watched = connect(pulse, grace);
  await shows(watcher, grace.id, 'online');
  await watched.setStatus('busy', 'In a meeting');
  await shows(watcher, grace.id, 'busy');
  await watched.setStatus('invisible');
  await shows(watcher, grace.id, 'offline');
  await watched.setStatus('away');
  await shows(watcher, grace.id, 'away');
  await watched.stop();
  const { lastSeen } = await shows(watcher, grace.id, 'offline');
  expect(Date.parse(lastSeen)).toBeGreaterThan(Date.now() - 60_000);
  expect(seen).toEqual([['offline', null], ['online', null], ['busy', 'In a meeting'], ['offline', null], ['away', null], ['offline', null]]);

  await expect(watcher.setStatus('busy', 'x'.repeat(141))).rejects.toMatchObject({ code: 'invalid-argument' });
  const errors = [];
  watcher.on('error', ({ code }) => errors.push(code));
  watcher.watch(['nobody', '00000000-0000-7000-8000-000000000001']);
  await shows(watcher, '00000000-0000-7000-8000-000000000001', 'offline');
  await until('an error', () => errors, ({ length }) => length > 0);
  expect(errors).toEqual(['invalid-argument']);
});

test('kill -9 and a new start: the client restores status and watches', options, async () => {
  const pulse = await startPulse();
  const [ada, grace] = [await signUp(pulse), await signUp(pulse)];
  const watcher = connect(pulse, ada, { unknownAfterMs: 200 });
  watcher.watch(grace.id);
  const watched = connect(pulse, grace);
  await watched.setStatus('busy', 'Writing');
  await shows(watcher, grace.id, 'busy');

  await pulse.kill();
  await isIn(watcher, 'reconnecting');
  expect(await shows(watcher, grace.id, 'unknown')).toMatchObject({ message: 'Writing' });
  await pulse.start();

  // The status comes with the connection, the message with the first call.
  await until('busy, and writing', () => watcher.presence(grace.id), ({ status, message }) => status === 'busy' && message === 'Writing', { withinMs: 60_000 });
  await watched.setStatus('online');
  await shows(watcher, grace.id, 'online');
  expect(watcher.states).toEqual(['connecting', 'online', 'reconnecting', 'online']);
});

test('the client waits for a server that stops regularly', options, async () => {
  const pulse = await startPulse();
  const ada = connect(pulse, await signUp(pulse));
  const ended = [];
  ada.on('sessionEnded', (session) => ended.push(session));
  await isIn(ada, 'online');
  await pulse.stop();
  await isIn(ada, 'reconnecting');
  await pulse.start();
  await isIn(ada, 'online');
  // A host that stops quickly may cut the socket first. If it sends a reason, it must be this one.
  expect(ended.filter(({ reason, mayReconnect }) => reason !== 'server-stopping' || !mayReconnect)).toEqual([]);
});

test('an expiring token is replaced in place', withShortTokens, async () => {
  // The server asks for the next token a minute before the end, here at once. On a busy machine renewing may take the whole lifetime.
  const pulse = await startPulse({ Pulse__Auth__AccessTokenLifetime: '00:00:20' });
  const ada = await signUp(pulse);
  const client = connect(pulse, ada);
  await isIn(client, 'online');
  // The socket was opened with one of these tokens, and the last of them expires last.
  const before = ada.tokens.length;
  const { expiresAt } = ada.tokens.at(-1);
  await until('a later token after those of the start have run out', () => ada.tokens.length, (n) => n > before && Date.now() > Date.parse(expiresAt) + 2_000, { withinMs: 60_000 });
  // The hub answers, so the socket is open: the same one since the start.
  await client.setStatus('busy');
  expect(client.states).toEqual(['connecting', 'online']);
});

test('a token that was not replaced in time: the client reconnects with a new one', withShortTokens, async () => {
  // Long enough for a busy machine to be online before it expires, at first and again after the outage.
  const pulse = await startPulse({ Pulse__Auth__AccessTokenLifetime: '00:00:15' });
  const ada = await signUp(pulse);
  let outage = false;
  const client = connect(pulse, { getToken: () => (outage ? Promise.reject(new Error('away')) : ada.getToken()) });
  const ended = [];
  client.on('sessionEnded', ({ reason }) => {
    ended.push(reason);
    outage = false;
  });
  await isIn(client, 'online');
  outage = true;
  await until('token-expired', () => ended, ([reason]) => reason === 'token-expired', { withinMs: 60_000 });
  await isIn(client, 'online');
  expect(client.states).toEqual(['connecting', 'online', 'reconnecting', 'online']);
});

test('a session that the server ends for good', options, async () => {
  const pulse = await startPulse({ Pulse__Presence__MaxConnectionsPerUser: '1' });
  const ada = await signUp(pulse);
  const first = connect(pulse, ada);
  await isIn(first, 'online');
  const second = connect(pulse, ada);
  await isIn(first, 'ended');
  expect(first.state).toEqual({ name: 'ended', reason: 'too-many-connections' });
  await isIn(second, 'online');
});
