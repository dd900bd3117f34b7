// samples/nextjs in Chromium, built, with Pulse and the local OpenID provider as `npm run preview` starts them.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './support/ports.mjs';
import { program } from './support/pulse.mjs';
import { readmePath, site as folder } from './support/nextjs.mjs';
import { until } from './support/until.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const skip = process.env.PULSE_TEST_CHROMIUM ? false : 'needs PULSE_TEST_CHROMIUM (./test.sh sets it)';

before(async () => {
  if (skip) return;
  mkdirSync(join(root, 'artifacts'), { recursive: true });
  // The lock is for a second run in this checkout.
  const lock = join(root, 'artifacts/.nextjs-lock');
  await promisify(execFile)('flock', [lock, process.execPath, fileURLToPath(new URL('support/nextjs.mjs', import.meta.url))]);
}, { timeout: 600_000 });

const options = { skip, timeout: 300_000 };

test('a user of the Next.js sample talks to a user of /chat, and leaves nothing behind at the sign-out', options, async (t) => {
  const { site, pulse } = await startSample(t);
  // The package's own tests have the same one.
  const { chromium } = await import(join(root, 'clients/typescript/node_modules/playwright-core/index.mjs'));
  const browser = await chromium.launch({ executablePath: process.env.PULSE_TEST_CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  t.after(() => browser.close());

  const ada = await openPage(browser);
  await ada.goto(`${site}/conversations/1`);
  assert.equal(new URL(ada.url()).pathname, '/signin', 'a page for users leads to the sign-in');
  await signIn(ada, 'Ada');
  await ada.locator('header span', { hasText: /^Ada$/ }).waitFor();
  const profile = await profileOf(ada, { site, pulse });
  assert.deepEqual([profile.name, profile.email], ['Ada', 'ada@example.com'], 'Pulse has the profile of the provider');

  // Bob signs in to Pulse itself, finds Ada there and writes first.
  const bob = await openPage(browser);
  await bob.goto(`${pulse}/signin`);
  await bob.evaluate(() =>
    fetch('/auth/signin/dev', { method: 'POST', body: new URLSearchParams({ name: 'Bob', email: 'bob@example.net' }) }));
  await bob.goto(`${pulse}/chat`);
  const { id } = await bob.evaluate(async (body) => {
    const headers = { 'content-type': 'application/json' };
    return await (await fetch('/conversations', { method: 'POST', headers, body: JSON.stringify(body) })).json();
  }, { kind: 'direct', members: [profile.id], clientId: randomUUID() });
  await bob.goto(`${pulse}/chat#${id}`);
  await say(bob, 'Hello Ada');

  const entry = ada.locator('section[aria-labelledby=conversations] li', { hasText: 'Hello Ada' });
  await entry.getByLabel('1 unread').waitFor();
  await entry.locator('.status[data-status=online]').waitFor();
  await entry.getByRole('link', { name: 'Bob' }).click();
  await ada.getByRole('heading', { name: 'Bob' }).waitFor();
  await ada.locator('.messages li', { hasText: 'Hello Ada' }).waitFor();
  await ada.getByLabel('Message', { exact: true }).fill('Hello <b>Bob</b>');
  await ada.getByLabel('Message', { exact: true }).press('Enter');
  await bob.locator('.message.stored', { hasText: 'Hello <b>Bob</b>' }).waitFor();
  await say(bob, 'Are you there?');
  await ada.locator('.messages li', { hasText: 'Are you there?' }).waitFor();
  const texts = (await ada.locator('.messages li').allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(texts, ['Hello Ada', 'Hello <b>Bob</b>', 'Are you there?']);

  const unread = () => unreadOf(ada, { site, pulse, id });
  await until('all read', unread, (count) => count === 0);
  await show(ada, 'hidden');
  await sayTwice(bob, ada, 'in the background');
  assert.equal(await unread(), 2, 'a hidden page reads nothing');
  await show(ada, 'visible');
  await until('all read', unread, (count) => count === 0);

  // The chat example of the package's README, in another tab of Ada.
  await show(ada, 'hidden');
  const tab = await ada.context().newPage();
  tab.setDefaultTimeout(60_000);
  await tab.goto(`${site}${readmePath}?pulse=${pulse}`);
  await tab.getByRole('button', { name: /^Bob: in the background, again/ }).click();
  await tab.locator('li', { hasText: 'Hello <b>Bob</b>' }).waitFor();
  await tab.locator('input').fill(' ');
  await tab.locator('input').press('Enter');
  await tab.locator('input').fill('From the README');
  await tab.locator('input').press('Enter');
  await bob.locator('.message.stored', { hasText: 'From the README' }).waitFor();
  assert.deepEqual(await tab.locator('li').allInnerTexts(), [
    'Hello Ada', 'Hello <b>Bob</b>', 'Are you there?', 'in the background', 'in the background, again', 'From the README',
  ], 'an empty message is not sent');
  await show(tab, 'hidden');
  await sayTwice(bob, tab, 'beside the README');
  assert.equal(await unread(), 2, 'a hidden page of the README reads nothing');
  await show(tab, 'visible');
  await until('all read', unread, (count) => count === 0);
  await tab.close();

  await until('stored messages of Ada', () => leftovers(ada), ({ kept }) => kept.some((key) => key.includes(profile.id)));
  await ada.getByRole('button', { name: 'Sign out' }).click();
  await ada.waitForURL(`${site}/signin`);
  await until('nothing of Ada in the browser', () => leftovers(ada), (left) => Object.values(left).every((names) => names.length === 0));
  await bob.locator('.entry .seat[data-state=offline]').waitFor();
  await ada.goto(`${site}/dashboard`);
  assert.equal(new URL(ada.url()).pathname, '/signin', 'after the sign-out the dashboard leads to the sign-in');
  assert.equal((await ada.request.post(`${site}/api/pulse-token`)).status(), 401);

  // The next sign-in of the same person is the same user of Pulse.
  await signIn(ada, 'Ada');
  assert.equal((await profileOf(ada, { site, pulse })).id, profile.id);
  for (const page of [ada, bob]) assert.deepEqual(page.errors, []);
});

async function openPage(browser) {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(60_000);
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(error.message));
  return page;
}

async function signIn(page, name) {
  await page.getByRole('button', { name: 'Continue with a local account' }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.waitForURL('**/dashboard');
}

/** Types into the composer of Pulse's own chat page. */
async function say(page, text) {
  await page.locator('.composer textarea').fill(text);
  await page.locator('.composer textarea').press('Enter');
  await page.locator('.message.stored', { hasText: text }).waitFor();
}

/** Hides or shows a page as its script sees it: pages of a headless browser are always visible. */
async function show(page, visibility) {
  await page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => state });
    document.dispatchEvent(new Event('visibilitychange'));
  }, visibility);
}

/** When the second message is shown, the reader's page has handled the first one. */
async function sayTwice(speaker, reader, text) {
  for (const message of [text, `${text}, again`]) {
    await say(speaker, message);
    await reader.locator('li', { hasText: message }).last().waitFor();
  }
}

/** The unread messages of the page's user in a conversation, as Pulse counts them. */
async function unreadOf(page, { site, pulse, id }) {
  const { accessToken } = await (await page.request.post(`${site}/api/pulse-token`)).json();
  const answer = await fetch(`${pulse}/conversations/${id}`, { headers: { authorization: `Bearer ${accessToken}` } });
  return (await answer.json()).you.unread;
}

/** The profile in Pulse of the user of a page, by the token that the page's script gets. */
async function profileOf(page, { site, pulse }) {
  const answer = await page.request.post(`${site}/api/pulse-token`);
  assert.equal(answer.headers()['cache-control'], 'no-store');
  const { accessToken } = await answer.json();
  return await (await fetch(`${pulse}/auth/me`, { headers: { authorization: `Bearer ${accessToken}` } })).json();
}

/** Names of what the client package stores, and of the session's cookie. */
function leftovers(page) {
  return page.evaluate(async () => ({
    kept: await new Promise((resolve, reject) => {
      const request = indexedDB.open('pulse-chat', 1);
      request.onupgradeneeded = () => request.result.createObjectStore('kept');
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const keys = request.result.transaction('kept').objectStore('kept').getAllKeys();
        keys.onsuccess = () => {
          request.result.close();
          resolve(keys.result);
        };
      };
    }),
    browser: Object.keys(localStorage).filter((key) => key.startsWith('pulse ')),
    tab: Object.keys(sessionStorage).filter((key) => key.startsWith('pulse ')),
  })).then(async (stored) => ({
    ...stored,
    session: (await page.context().cookies(page.url())).map(({ name }) => name).filter((name) => name.includes('session-token')),
  }));
}

async function startSample(t) {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-nextjs-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [sitePort, providerPort, pulsePort] = [await freePort(), await freePort(), await freePort()];
  const [site, pulse] = [sitePort, pulsePort].map((port) => `http://localhost:${port}`);
  const running = spawn(process.execPath, ['scripts/dev.mjs', 'start'], {
    cwd: folder,
    env: {
      ...process.env,
      PORT: sitePort,
      PROVIDER_PORT: providerPort,
      PULSE_URL: pulse,
      PULSE_PROGRAM: program,
      ASPNETCORE_ENVIRONMENT: 'Development',
      Pulse__DataDirectory: join(directory, 'data'),
      Pulse__Cluster__SiloPort: '0',
      Pulse__Cluster__GatewayPort: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let log = '';
  for (const stream of [running.stdout, running.stderr]) stream.on('data', (data) => (log += data));
  t.after(async () => {
    if (running.exitCode === null && running.signalCode === null) {
      running.kill();
      await once(running, 'exit');
    }
    if (!t.passed) console.log(log);
  });
  for (const url of [`${pulse}/health/ready`, `${site}/signin`]) {
    await until(`200 from ${url}`, async () => {
      if (running.exitCode !== null) throw new Error(`the sample ended with code ${running.exitCode}:\n${log}`);
      return (await fetch(url)).status;
    }, (status) => status === 200, { withinMs: 120_000 });
  }
  return { site, pulse };
}
