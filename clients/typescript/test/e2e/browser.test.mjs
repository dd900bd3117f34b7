// The built package, bundled by Vite, in a real browser, signed in by the session cookie.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { somebody } from '../../../../tests/e2e-node/support/fixture.mjs';
import { connect, isIn, noServer, shows, signUp, startPulse, timeout, until } from './support.mjs';

const executablePath = process.env.PULSE_TEST_CHROMIUM || '/usr/bin/chromium';
const options = { skip: noServer || (!process.env.PULSE_TEST_RUN && !existsSync(executablePath)), timeout };

let browser;
let bundle;

beforeAll(async () => {
  if (options.skip) return;
  // Here, and not at the top, so that a run without a browser needs neither.
  const { build } = await import('vite');
  const [{ output: [chunk] }] = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry: fileURLToPath(new URL('../../dist/index.js', import.meta.url)), formats: ['iife'], name: 'pulsePresence' } },
  });
  bundle = chunk.code;
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  });
}, timeout);
afterAll(() => browser?.close());

/** A page of Pulse's own origin that holds nothing but the package, signed in as somebody new. */
async function openPage(pulse, person = somebody()) {
  const context = await browser.newContext();
  const page = await context.newPage();
  const noise = [];
  page.on('pageerror', (error) => noise.push(error.message));
  // What the browser itself says of requests that fail has a place in the network, and none in a script.
  page.on('console', (message) => !/WebSocket connection to|Failed to load resource/.test(message.text()) && noise.push(message.text()));
  await page.route('**/empty', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Test</title><input>' }));
  await page.goto(`${pulse.url}/empty`);
  await page.evaluate((fields) => fetch('/auth/signin/dev', { method: 'POST', body: new URLSearchParams(fields) }), person);
  const id = await page.evaluate(() => fetch('/auth/me').then((answer) => answer.json()).then((me) => me.id));
  await page.addScriptTag({ content: bundle });
  await page.evaluate(() => {
    window.states = [];
    window.start = (options) => {
      window.pulse = pulsePresence.createPulseClient(options);
      window.pulse.subscribe(() => window.states.at(-1) !== window.pulse.state.name && window.states.push(window.pulse.state.name));
      window.pulse.start();
    };
  });
  return {
    id,
    page,
    noise,
    start: (clientOptions = {}) => page.evaluate((given) => window.start(given), clientOptions),
    watch: (userId) => page.evaluate((user) => void window.pulse.watch(user), userId),
    shows: (userId, status) =>
      until(`${userId} ${status}`, () => page.evaluate((user) => window.pulse.presence(user) ?? null, userId), (presence) => presence?.status === status, { withinMs: 60_000 }),
    isIn: (name) => until(`state ${name}`, () => page.evaluate(() => window.pulse.state), (state) => state.name === name, { withinMs: 60_000 }),
    states: () => page.evaluate(() => window.states),
  };
}

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
