// Tests the built package, bundled by Vite, in a real browser that is signed in by the session cookie.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startProxyWithoutSockets } from './network.mjs';
import { bundlePackage, connect, isIn, launchBrowser, noBrowser, openClientPage, shows, signUp, startPulse, timeout, until } from './support.mjs';

const options = { skip: noBrowser, timeout };
// Tokens that live for seconds may run out early on a busy machine; a fault of the package spoils each run.
const withShortTokens = { ...options, retry: 2 };

let browser;
let bundle;

beforeAll(async () => {
  if (options.skip) return;
  bundle = await bundlePackage();
  browser = await launchBrowser();
}, timeout);
afterAll(() => browser?.close());

const openPage = (pulse) => openClientPage(browser, bundle, pulse);

const expiryMs = (token) => JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).exp * 1_000;

test('presence live, through a kill -9 of the server, without a reload', options, async () => {
  const pulse = await startPulse();
  const ada = await openPage(pulse);
  const grace = await signUp(pulse);
  await ada.start();
  await ada.watch(grace.id);
  await ada.shows(grace.id, 'offline');
  const other = connect(pulse, grace);
  other.watch(ada.id);
  await ada.shows(grace.id, 'online');
  await shows(other, ada.id, 'online');
  await other.setStatus('busy');
  await ada.shows(grace.id, 'busy');

  await pulse.kill();
  await ada.isIn('reconnecting');
  await pulse.start();
  await ada.isIn('online');
  await ada.shows(grace.id, 'busy');
  await shows(other, ada.id, 'online');
  await other.stop();
  await ada.shows(grace.id, 'offline');
  expect(await ada.states()).toEqual(['connecting', 'online', 'reconnecting', 'online']);
  expect(ada.noise).toEqual([]);
});

test('others see away without input, and online with input', options, async () => {
  const pulse = await startPulse();
  const ada = await openPage(pulse);
  const watcher = connect(pulse, await signUp(pulse));
  // The page collects each status, because "online" lasts only a second.
  const seen = [];
  watcher.watch(ada.id, ({ status }) => seen.push(status));
  const sees = (status) => until(`${status} at the watcher`, () => seen, () => seen.includes(status), { withinMs: 60_000 })
    .then(() => seen.splice(0, seen.indexOf(status) + 1));
  await ada.start({ idleAfterMs: 1_000 });
  await sees('away');
  await ada.page.keyboard.press('a');
  await sees('online');
  await sees('away');
  await ada.page.mouse.move(40, 50);
  await sees('online');
  expect(ada.noise).toEqual([]);
});

// A busy machine may spoil one run, a fault of the package spoils each.
test('stop is seen without the grace period, a socket that the page gives up not at all', { ...options, retry: 2 }, async () => {
  const pulse = await startPulse();
  const ada = await openPage(pulse);
  const watcher = connect(pulse, await signUp(pulse));
  const seen = [];
  let seenAt;
  watcher.watch(ada.id, ({ status }) => {
    seen.push(status);
    seenAt = Date.now();
  });
  await ada.page.evaluate(() => {
    // From a certain moment on the network swallows what the page sends, while the server's messages still arrive.
    const send = WebSocket.prototype.send;
    WebSocket.prototype.send = function (data) {
      if (!window.swallows || this !== window.latest) send.call(window.latest = this, data);
    };
  });
  await ada.start();
  await shows(watcher, ada.id, 'online');
  seen.length = 0;
  await ada.page.evaluate(() => {
    window.swallows = true;
    window.dispatchEvent(new Event('online'));
  });
  await until('another socket', () => ada.sockets.length, (count) => count === 2, { withinMs: 60_000 });
  await ada.page.evaluate(() => void (window.swallows = false));
  await ada.isIn('online');
  await ada.page.evaluate(() => window.pulse.setStatus('busy'));
  await shows(watcher, ada.id, 'busy');
  expect(seen).toEqual(['busy']);

  const stoppedAt = await ada.page.evaluate(() => {
    const at = Date.now();
    return window.pulse.stop().then(() => at);
  });
  await shows(watcher, ada.id, 'offline');
  expect(seen).toEqual(['busy', 'offline']);
  // The grace period is 10 s.
  expect(seenAt - stoppedAt).toBeLessThan(5_000);
  expect(ada.noise).toEqual([]);
});

test('signed out elsewhere: ends, says why, and stays so', options, async () => {
  const pulse = await startPulse();
  const ada = await openPage(pulse);
  const watcher = connect(pulse, await signUp(pulse));
  watcher.watch(ada.id);
  await ada.start();
  await ada.isIn('online');
  await shows(watcher, ada.id, 'online');
  await ada.page.evaluate(() => fetch('/auth/signout', { method: 'POST' }));
  expect(await ada.isIn('ended')).toEqual({ name: 'ended', reason: 'signed-out' });
  await shows(watcher, ada.id, 'offline');

  // The token endpoint answers "signed out" too.
  await ada.page.evaluate(() => window.pulse.start());
  expect(await ada.isIn('ended')).toEqual({ name: 'ended', reason: 'signed-out' });
  expect(await ada.states()).toEqual(['connecting', 'online', 'ended', 'connecting', 'ended']);
  await isIn(watcher, 'online');
  expect(ada.noise).toEqual([]);
});

test('an expiring token is replaced on the open socket, which stays the same', withShortTokens, async () => {
  const pulse = await startPulse({ Pulse__Auth__AccessTokenLifetime: '00:00:10' });
  const ada = await openPage(pulse);
  let token;
  ada.page.on('response', async (response) => {
    if (response.url().endsWith('/auth/token')) token ??= (await response.json()).accessToken;
  });
  await ada.start();
  await ada.isIn('online');
  const [socket] = ada.sockets;
  const [{ connectionId }] = socket.calls('Connected');

  // A token that lasts ten seconds is announced when a third of that is left.
  const [{ secondsLeft }] = await until('TokenExpiring', () => socket.calls('TokenExpiring'), ({ length }) => length > 0, { withinMs: 60_000 });
  expect(secondsLeft).toBeGreaterThanOrEqual(0);
  expect(secondsLeft).toBeLessThanOrEqual(3);
  // Times in tokens are whole seconds: the first token may have the same end, and is followed by another.
  await until('Reauthenticate with a later token', () => socket.calls('Reauthenticate').map(expiryMs), (ends) => ends.some((end) => end > expiryMs(token)), { withinMs: 60_000 });

  // The server checks once a second for sockets whose token has expired.
  await until('some seconds past the first token', () => Date.now() - expiryMs(token), (ms) => ms > 3_000, { withinMs: 60_000 });
  const watcher = connect(pulse, await signUp(pulse));
  watcher.watch(ada.id);
  await ada.page.evaluate(() => window.pulse.setStatus('busy'));
  await shows(watcher, ada.id, 'busy');
  expect(socket.isOpen()).toBe(true);
  expect(socket.calls('SessionEnded')).toEqual([]);
  expect(ada.sockets.flatMap((one) => one.calls('Connected')).map((greeting) => greeting.connectionId)).toEqual([connectionId]);
  expect(await ada.states()).toEqual(['connecting', 'online']);
  expect(ada.noise).toEqual([]);
});

test('an expiring token without a successor: the server says token-expired and closes', withShortTokens, async () => {
  const pulse = await startPulse({ Pulse__Auth__AccessTokenLifetime: '00:00:09' });
  const ada = await openPage(pulse);
  let outage = false;
  await ada.page.route('**/auth/token', (route) => (outage ? route.fulfill({ status: 503 }) : route.continue()));
  await ada.start();
  await ada.isIn('online');
  await ada.page.evaluate(() => {
    window.ended = [];
    window.pulse.on('sessionEnded', (session) => window.ended.push(session));
  });
  outage = true;

  const [socket] = ada.sockets;
  await until('the socket closed', () => socket.isOpen(), (open) => !open, { withinMs: 60_000 });
  expect(socket.calls('TokenExpiring').length).toBeGreaterThan(0);
  expect(socket.calls('SessionEnded')).toEqual([{ reason: 'token-expired', mayReconnect: true }]);
  expect(await ada.page.evaluate(() => window.ended)).toEqual([{ reason: 'token-expired', mayReconnect: true }]);
  await ada.isIn('reconnecting');

  // When tokens are available again, the page is live on a new socket.
  outage = false;
  await ada.isIn('online');
  expect(ada.sockets.at(-1)).not.toBe(socket);
  expect(ada.noise).toEqual([]);
});

test('a network that blocks WebSockets: other transports, where the page allows them', options, async () => {
  const pulse = await startPulse();
  const watcher = connect(pulse, await signUp(pulse));
  for (const [answers, transport] of [[true, 'serverSentEvents'], [false, 'longPolling']]) {
    const proxy = await startProxyWithoutSockets(pulse, { answers });
    const ada = await openPage(proxy);
    const seen = [];
    watcher.watch(ada.id, ({ status }) => seen.push(status));
    await shows(watcher, ada.id, 'offline');
    await ada.start({ transports: ['webSockets', transport] });
    await ada.isIn('online');
    await shows(watcher, ada.id, 'online');
    await ada.page.evaluate(() => window.pulse.setStatus('busy'));
    await shows(watcher, ada.id, 'busy');
    await ada.page.evaluate(() => window.pulse.stop());
    await shows(watcher, ada.id, 'offline');
    expect(seen).toEqual(['offline', 'online', 'busy', 'offline']);
    expect(ada.noise).toEqual([]);
    expect(proxy.refused).toBe(1);
  }
});
