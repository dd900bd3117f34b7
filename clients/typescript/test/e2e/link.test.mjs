// The client reconnects by itself, in a real browser: within five seconds of the end of each fault.
//
// A short form of each fault is part of every run. PULSE_TEST_LINK_RUNS=20 runs each of them in full length, in 20 pages at once.
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startNetwork } from './network.mjs';
import { bundlePackage, launchBrowser, noBrowser, openClientPage, startPulse, until } from './support.mjs';

const runs = Number(process.env.PULSE_TEST_LINK_RUNS ?? 1);
const isFull = process.env.PULSE_TEST_LINK_RUNS !== undefined;
const liveWithinMs = 5_000;
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
  { name: 'the browser is offline', begin: setOffline(true), end: setOffline(false), seconds: [4, 20] },
  { name: 'the server starts anew', begin: () => pulse.kill(), end: () => pulse.start(), seconds: [0, 0] },
].filter(({ seconds }) => seconds[isFull ? 1 : 0] !== undefined);

// In the short form a busy machine may spoil one run, but a fault of the package spoils each.
test.each(faults)('$name: live at most 5 s after it is over', { ...options, retry: isFull ? 0 : 2 }, async ({ name, begin, end, seconds }) => {
  const visitors = [];
  for (let run = 0; run < runs; run++) {
    const network = await startNetwork(pulse);
    visitors.push({ network, ...(await openClientPage(browser, bundle, network)) });
  }
  await Promise.all(visitors.map(({ start }) => start()));
  await Promise.all(visitors.map(({ isIn }) => isIn('online')));

  await begin(visitors);
  await delay(seconds[isFull ? 1 : 0] * 1_000);
  await end(visitors);
  const overAt = Date.now();
  const took = await Promise.all(visitors.map(async ({ page }) => (await page.evaluate(becomeLive)) - overAt));
  console.log(`${name}: live after ${took.sort((a, b) => a - b).join(', ')} ms`);
  for (const { context } of visitors) await context.close();
  expect(took.filter((ms) => ms > liveWithinMs)).toEqual([]);
  for (const { noise } of visitors) expect(noise).toEqual([]);
});

/**
 * Runs in the page. Resolves to the time when the server had accepted a message of the page and the page had its answer. The wait ends
 * after a minute.
 */
async function becomeLive() {
  const { pulse } = window;
  const live = async () => {
    await pulse.setStatus('busy');
    while (pulse.state.name !== 'online') await new Promise((resolve) => pulse.subscribe(resolve));
  };
  await Promise.race([live(), new Promise((resolve) => setTimeout(resolve, 60_000))]);
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
