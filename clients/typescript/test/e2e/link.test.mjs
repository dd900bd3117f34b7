// The client reconnects by itself, in a real browser: within five seconds of the end of each fault.
//
// A short form of the faults is part of every run. PULSE_TEST_LINK_RUNS=20 runs all of them in full length, in 20 pages at once.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { Client as Account } from '../../../../tests/e2e-node/support/client.mjs';
import { somebody } from '../../../../tests/e2e-node/support/fixture.mjs';
import { startNetwork } from './network.mjs';
import { bundlePackage, launchBrowser, noBrowser, openClientPage, startPulse, until } from './support.mjs';

const runs = Number(process.env.PULSE_TEST_LINK_RUNS ?? 1);
const isFull = process.env.PULSE_TEST_LINK_RUNS !== undefined;
/** Twice the interval of the server's pings: a fault meets each page in another part of its beat. */
const startsWithinMs = isFull ? 30_000 : 0;
const liveWithinMs = 5_000;
const neverMs = 60_000;
const options = { skip: noBrowser, timeout: isFull ? 3_600_000 : 300_000 };

let browser;
let bundle;
let pulse;
const cleanUp = [];

beforeAll(async () => {
  if (options.skip) return;
  bundle = await bundlePackage();
  browser = await launchBrowser();
  pulse = await startPulse({}, (end) => cleanUp.unshift(end));
}, options.timeout);
afterAll(async () => {
  await browser?.close();
  for (const end of cleanUp) await end();
});

const ofNetwork = (mode) => ({
  begin: (visitors) => visitors.forEach(({ network }) => network.become(mode)),
  end: (visitors) => visitors.forEach(({ network }) => network.become('whole')),
});
const setOffline = (offline) => (visitors) => Promise.all(visitors.map(({ context }) => context.setOffline(offline)));

/** The faults with their durations in seconds, in the short and the full form. */
const faults = [
  { name: 'connections are accepted and never answered', ...ofNetwork('mute'), seconds: [4, 60] },
  { name: 'the server is frozen', begin: () => pulse.freeze(), end: () => pulse.thaw(), seconds: [4, 75] },
  { name: 'a short cut', ...ofNetwork('cut'), seconds: [4, 4] },
  { name: 'a cut', ...ofNetwork('cut'), seconds: [undefined, 20] },
  { name: 'a long cut', ...ofNetwork('cut'), seconds: [undefined, 300] },
  { name: 'connections are refused', ...ofNetwork('refuse'), seconds: [undefined, 20] },
  { name: 'the browser is offline', begin: setOffline(true), end: setOffline(false), seconds: [4, 20] },
  // The end is the first 200 of /health/ready.
  { name: 'the server is killed, and starts again', begin: () => pulse.kill(), end: () => pulse.start(), seconds: [0, 0] },
  { name: 'the server stops, and starts again', begin: () => pulse.stop(), end: () => pulse.start(), seconds: [undefined, 0] },
].filter(({ seconds }) => seconds[isFull ? 1 : 0] !== undefined);

// In the short form a busy machine may spoil one run, but a fault of the package spoils each.
test.each(faults)('$name: live at most 5 s after it is over', { ...options, retry: isFull ? 0 : 2 }, async ({ name, begin, end, seconds }) => {
  const other = await Account.signIn(pulse, somebody());
  // Connected before, because a paused server gives the state of a user that it did not know before as provisional for a while.
  const { hub: earlier } = await other.connect();
  onTestFinished(() => earlier.stop());
  const visitors = [];
  for (let run = 0, firstAt = Date.now(); run < runs; run++) {
    await delay(firstAt + (run / runs) * startsWithinMs - Date.now());
    const network = await startNetwork(pulse);
    const visitor = { network, ...(await openClientPage(browser, bundle, network)) };
    visitors.push(visitor);
    onTestFinished(() => visitor.context.close());
    await visitor.start();
    await visitor.isIn('online');
    await visitor.watch(other.id);
    await visitor.shows(other.id, 'online');
  }

  await begin(visitors);
  await delay(seconds[isFull ? 1 : 0] * 1_000);
  // The first page of a context is visible to itself, and Playwright starts Chromium without the slow timers of pages in the background.
  const before = await Promise.all(visitors.map(({ page }) => page.evaluate(() => ({
    isVisible: document.visibilityState === 'visible',
    state: window.pulse.state.name,
  }))));
  const seeing = visitors.map(({ page }) => page.evaluate(see, other.id));
  await end(visitors);
  const overAt = Date.now();
  const answering = visitors.map(({ page }) => page.evaluate(call));
  // Directly at the server, so that only the pages have to come back.
  const { hub } = await until('the other user connected', () => other.connect());
  await hub.invoke('SetStatus', 'busy', null);
  const changedAt = Date.now();
  onTestFinished(() => hub.stop());
  const never = delay(neverMs, Infinity, { ref: false });
  const took = (await Promise.all(visitors.map(async (_, index) => {
    const [seenAt, answeredAt] = await Promise.all([seeing, answering].map((of) => Promise.race([of[index], never])));
    return Math.max(answeredAt - overAt, seenAt - changedAt);
  }))).sort((a, b) => a - b);

  const late = took.filter((ms) => !(ms <= liveWithinMs));
  const median = took[Math.floor(runs / 2)];
  const noticed = before.filter(({ state }) => state !== 'online').length;
  console.log(`${name}: ${runs - late.length} of ${runs} live within 5 s, median ${median} ms, longest ${took.at(-1)} ms; ${noticed} noticed it`);
  expect(before.filter(({ isVisible }) => !isVisible)).toEqual([]);
  expect(late).toEqual([]);
  for (const { noise } of visitors) expect(noise).toEqual([]);
});

/** Runs in the page. Resolves to the time when the page has shown that the other user is busy. */
async function see(otherId) {
  const { pulse } = window;
  while (pulse.state.name !== 'online' || pulse.presence(otherId)?.status !== 'busy') {
    await new Promise((resolve) => {
      const unsubscribe = pulse.subscribe(() => resolve(unsubscribe()));
    });
  }
  return Date.now();
}

/** Runs in the page. Resolves to the time when the server has answered a call. */
async function call() {
  await window.pulse.setStatus('busy');
  return Date.now();
}

test('the dashboard says that others see a status when they do, and not before', options, async () => {
  const network = await startNetwork(pulse);
  const { page } = await openClientPage(browser, bundle, network);
  await page.goto(`${network.url}/dashboard`);
  const says = (selector, text) => until(text, () => page.textContent(selector), (shown) => shown.includes(text), { withinMs: 30_000 });
  await says('#presence', 'Online');

  network.become('mute');
  await says('#presence', 'Reconnecting');
  await page.selectOption('#own-status', 'busy');
  await page.click('#status button');
  await says('#status-note', 'Not set yet');
  network.become('whole');
  await says('#status-note', 'Set: others see it now.');
  await says('#presence', 'Busy');
});
