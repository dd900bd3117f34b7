// The built package, bundled by Vite, in a real browser, signed in by the session cookie.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { somebody } from '../../../../tests/e2e-node/support/fixture.mjs';
import { connect, isIn, launchBrowser, noBrowser, shows, signUp, startPulse, timeout, until } from './support.mjs';

const options = { skip: noBrowser, timeout };

let browser;
let bundle;

beforeAll(async () => {
  if (options.skip) return;
  // Here, and not at the top, so that a run without a browser needs no bundler.
  const { build } = await import('vite');
  const [{ output: [chunk] }] = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry: fileURLToPath(new URL('../../dist/index.js', import.meta.url)), formats: ['iife'], name: 'pulsePresence' } },
  });
  bundle = chunk.code;
  browser = await launchBrowser();
}, timeout);
afterAll(() => browser?.close());

/**
 * A page of Pulse's own origin with the package, signed in as somebody new. It is one of Pulse's answers that run no script of their own: a page
 * that the test makes up is none of the local network to the browser, which keeps it from connecting there.
 */
async function openPage(pulse, person = somebody()) {
  // The policy of that answer forbids what an application's own page allows.
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  const noise = [];
  page.on('pageerror', (error) => noise.push(error.message));
  // What the browser itself says of requests that fail has a place in the network, and none in a script.
  page.on('console', (message) => !/WebSocket connection to|Failed to load resource/.test(message.text()) && noise.push(message.text()));
  await page.goto(`${pulse.url}/health/live`);
  await page.evaluate((fields) => fetch('/auth/signin/dev', { method: 'POST', body: new URLSearchParams(fields) }), person);
  const id = await page.evaluate(() => fetch('/auth/me').then((answer) => answer.json()).then((me) => me.id));
  const sockets = overhear(page);
  await page.addScriptTag({ content: bundle });
  await page.evaluate(() => {
    window.states = [];
    window.start = (options) => {
      window.pulse = pulsePresence.createPulseClient(options);
      window.errors = [];
      window.pulse.on('error', ({ code, message }) => window.errors.push(`${code}: ${message}`));
      window.pulse.subscribe(() => window.states.at(-1) !== window.pulse.state.name && window.states.push(window.pulse.state.name));
      window.pulse.start();
    };
  });
  return {
    id,
    page,
    sockets,
    noise,
    start: (clientOptions = {}) => page.evaluate((given) => window.start(given), clientOptions),
    watch: (userId) => page.evaluate((user) => void window.pulse.watch(user), userId),
    shows: (userId, status) =>
      until(`${userId} ${status}`, () => page.evaluate((user) => window.pulse.presence(user) ?? { ...window.pulse.state, errors: window.errors }, userId), (presence) => presence.status === status, { withinMs: 60_000 }),
    isIn: (name) => until(`state ${name}`, () => page.evaluate(() => window.pulse.state), (state) => state.name === name, { withinMs: 60_000 }),
    states: () => page.evaluate(() => window.states),
  };
}

/** The sockets that the page opens from now on, and the hub's calls on them, in both directions. */
function overhear(page) {
  const sockets = [];
  page.on('websocket', (socket) => {
    const calls = [];
    // The JSON hub protocol: messages end with a record separator, and type 1 is a call.
    const take = ({ payload }) => calls.push(...payload.toString().split('\u001e').filter(Boolean).map((text) => JSON.parse(text)).filter(({ type }) => type === 1));
    socket.on('framereceived', take);
    socket.on('framesent', take);
    sockets.push({
      token: new URL(socket.url()).searchParams.get('access_token'),
      isOpen: () => !socket.isClosed(),
      /** What each of those calls carried. */
      calls: (method) => calls.filter(({ target }) => target === method).map(({ arguments: [argument] }) => argument),
    });
  });
  return sockets;
}

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

test('away without input, online with it, as others see it', options, async () => {
  const pulse = await startPulse();
  const ada = await openPage(pulse);
  const watcher = connect(pulse, await signUp(pulse));
  watcher.watch(ada.id);
  await ada.start({ idleAfterMs: 1_000 });
  await shows(watcher, ada.id, 'away');
  await ada.page.keyboard.press('a');
  await shows(watcher, ada.id, 'online');
  await shows(watcher, ada.id, 'away');
  await ada.page.mouse.move(40, 50);
  await shows(watcher, ada.id, 'online');
  expect(ada.noise).toEqual([]);
});

test('stop is seen within a second, a socket that the page gives up not at all', options, async () => {
  const pulse = await startPulse();
  const ada = await openPage(pulse);
  const watcher = connect(pulse, await signUp(pulse));
  const seen = [];
  watcher.watch(ada.id, ({ status }) => seen.push(status));
  await ada.page.evaluate(() => {
    // A network that swallows what the page sends, from a moment on: the server's word still comes.
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

  const before = Date.now();
  await ada.page.evaluate(() => window.pulse.stop());
  await shows(watcher, ada.id, 'offline');
  expect(Date.now() - before).toBeLessThan(1_000);
  expect(seen).toEqual(['busy', 'offline']);
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

  // The token endpoint says it too.
  await ada.page.evaluate(() => window.pulse.start());
  expect(await ada.isIn('ended')).toEqual({ name: 'ended', reason: 'signed-out' });
  expect(await ada.states()).toEqual(['connecting', 'online', 'ended', 'connecting', 'ended']);
  await isIn(watcher, 'online');
  expect(ada.noise).toEqual([]);
});

test('a token that runs out is replaced on the open socket, which stays the same', options, async () => {
  const pulse = await startPulse({ Pulse__Auth__AccessTokenLifetime: '00:00:10' });
  const ada = await openPage(pulse);
  await ada.start();
  await ada.isIn('online');
  const [socket] = ada.sockets;
  const [{ connectionId }] = socket.calls('Connected');

  // A token that lasts ten seconds is announced when a third of that is left.
  const [{ secondsLeft }] = await until('TokenExpiring', () => socket.calls('TokenExpiring'), ({ length }) => length > 0, { withinMs: 60_000 });
  expect(secondsLeft).toBeGreaterThanOrEqual(0);
  expect(secondsLeft).toBeLessThanOrEqual(3);
  // Times in tokens are whole seconds: the first one may have the same end, and is followed by another.
  await until('Reauthenticate with a later token', () => socket.calls('Reauthenticate').map(expiryMs), (ends) => ends.some((end) => end > expiryMs(socket.token)), { withinMs: 60_000 });

  // The server looks once a second for sockets whose token has run out.
  await until('some seconds past the first token', () => Date.now() - expiryMs(socket.token), (ms) => ms > 3_000, { withinMs: 60_000 });
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

test('a token that runs out with no other to be had: the server says token-expired and closes', options, async () => {
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

  // With tokens to be had again, back on a socket of its own.
  outage = false;
  await ada.isIn('online');
  expect(ada.sockets.at(-1)).not.toBe(socket);
  expect(ada.noise).toEqual([]);
});
