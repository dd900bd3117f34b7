import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { Client as Account } from '../../../../tests/e2e-node/support/client.mjs';
import { somebody } from '../../../../tests/e2e-node/support/fixture.mjs';
import { Pulse } from '../../../../tests/e2e-node/support/pulse.mjs';
import { until } from '../../../../tests/e2e-node/support/until.mjs';
// The built package, as applications get it.
import { createPulseClient } from '../../dist/index.js';

export { until };

const server = fileURLToPath(new URL(`../../../../src/Pulse.Web/bin/${process.env.PULSE_TEST_CONFIGURATION ?? 'Debug'}/net10.0/Pulse.Web.dll`, import.meta.url));

/** A developer that works only on this package need not build the server. In a run of all tests it must exist. */
export const noServer = !process.env.PULSE_TEST_RUN && !existsSync(server);
const executablePath = process.env.PULSE_TEST_CHROMIUM || '/usr/bin/chromium';
export const noBrowser = noServer || (!process.env.PULSE_TEST_RUN && !existsSync(executablePath));
export const timeout = 300_000;

export async function launchBrowser() {
  // Imported here, because only runs with a browser need it.
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  });
}

/** A Pulse process for this test, which runs until the test ends or `atEnd` calls its callback. */
export async function startPulse(settings = {}, atEnd = onTestFinished) {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-client-'));
  atEnd(() => rm(directory, { recursive: true, force: true }));
  const pulse = new Pulse(directory, settings);
  atEnd(() => pulse.kill());
  return pulse.start();
}

/** A new user, with a source of tokens. */
export async function signUp(pulse) {
  const person = somebody();
  const { id } = await Account.signIn(pulse, person);
  const tokens = [];
  return {
    id,
    tokens,
    getToken: async () => {
      const { token: accessToken, expiresAt } = await Account.signIn(pulse, person);
      tokens.push({ accessToken, expiresAt });
      return { accessToken, expiresAt };
    },
  };
}

/** A client of that person, stopped with the test, that records its states. */
export function connect(pulse, person, options = {}) {
  const client = createPulseClient({ url: pulse.url, getToken: person.getToken, ...options });
  onTestFinished(() => client.stop());
  const states = [];
  client.subscribe(() => states.at(-1) !== client.state.name && states.push(client.state.name));
  client.start();
  return Object.assign(client, { states });
}

/** Waits until the client shows that status. */
export const shows = (client, userId, status) =>
  until(`${userId} ${status}`, () => client.presence(userId) ?? null, (presence) => presence?.status === status, { withinMs: 60_000 });

export const isIn = (client, state) => until(`state ${state}`, () => client.state.name, (name) => name === state, { withinMs: 60_000 });

/** The built package as one script, which makes it `pulsePresence`. */
export async function bundlePackage() {
  // Imported here, because only runs with a browser need a bundler.
  const { build } = await import('vite');
  const [{ output: [chunk] }] = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry: fileURLToPath(new URL('../../dist/index.js', import.meta.url)), formats: ['iife'], name: 'pulsePresence' } },
  });
  return chunk.code;
}

/**
 * A page of Pulse's own origin with the package, signed in as a new user. It is one of Pulse's answers that have no script of their own,
 * because the browser treats a page that the test makes up as outside of the local network and blocks its connections.
 */
export async function openClientPage(browser, bundle, pulse, person = somebody()) {
  // The policy of that answer forbids what an application's own page allows.
  const context = await browser.newContext({ bypassCSP: true });
  const page = await context.newPage();
  const noise = [];
  page.on('pageerror', (error) => noise.push(error.message));
  // The browser's messages about failed requests belong to the network, and not to a script.
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
    context,
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
      isOpen: () => !socket.isClosed(),
      /** The first argument of each of those calls. */
      calls: (method) => calls.filter(({ target }) => target === method).map(({ arguments: [argument] }) => argument),
    });
  });
  return sockets;
}
