// samples/nextjs in Chromium, built, with Pulse and the local OpenID provider as `npm run preview` starts them.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePort } from './support/ports.mjs';
import { program } from './support/pulse.mjs';
import { manyPeoplePath, readmePath, site as folder } from './support/nextjs.mjs';
import { until } from './support/until.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const skip = process.env.PULSE_TEST_CHROMIUM ? false : 'needs PULSE_TEST_CHROMIUM (./test.sh sets it)';
const secret = randomBytes(33).toString('base64');
const adminKey = randomBytes(33).toString('base64url');
const sessionCookie = 'authjs.session-token';
const cleanups = [];
let site, pulse, browser, encode;
let log = '';
let hasFailed = false;

before(async () => {
  if (skip) return;
  mkdirSync(join(root, 'artifacts'), { recursive: true });
  // The lock is for a second run in this checkout.
  const lock = join(root, 'artifacts/.nextjs-lock');
  await promisify(execFile)('flock', [lock, process.execPath, fileURLToPath(new URL('support/nextjs.mjs', import.meta.url))]);
  ({ site, pulse } = await startSample());
  // The package's own tests have the same one.
  const { chromium } = await import(join(root, 'clients/typescript/node_modules/playwright-core/index.mjs'));
  browser = await chromium.launch({ executablePath: process.env.PULSE_TEST_CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
  cleanups.push(() => browser.close());
  ({ encode } = await import(join(folder, 'node_modules/next-auth/jwt.js')));
}, { timeout: 600_000 });

after(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
  if (hasFailed) console.log(log);
});

// At once, because the tests about time would otherwise only wait.
describe('samples/nextjs', { skip, timeout: 300_000, concurrency: true }, () => {
  check('a user talks to a user of /chat, and leaves nothing behind at the sign-out', async () => {
    const ada = await openPage();
    await ada.goto(`${site}/conversations/1`);
    assert.equal(new URL(ada.url()).pathname, '/signin', 'a page for users leads to the sign-in');
    await signIn(ada, 'Ada');
    await ada.locator('header span', { hasText: /^Ada$/ }).waitFor();
    const profile = await profileOf(ada);
    assert.deepEqual([profile.name, profile.email], ['Ada', 'ada@example.com'], 'Pulse has the profile of the provider');

    // Bob signs in to Pulse itself, finds Ada there and writes first.
    const bob = await openPage();
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

    const unread = () => unreadOf(ada, id);
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

    const other = await openPage(ada.context());
    await other.goto(`${site}/dashboard`);
    await other.locator('section[aria-labelledby=conversations] li', { hasText: 'beside the README, again' }).waitFor();
    await until('stored messages of Ada', () => leftovers(ada), ({ kept }) => kept.some((key) => key.includes(profile.id)));
    await ada.getByRole('button', { name: 'Sign out' }).click();
    for (const page of [ada, other]) await page.waitForURL(`${site}/signin`);
    await until('nothing of Ada in the browser', () => leftovers(ada), (left) => Object.values(left).every((names) => names.length === 0));
    await bob.locator('.entry .seat[data-state=offline]').waitFor();
    await ada.goto(`${site}/dashboard`);
    assert.equal(new URL(ada.url()).pathname, '/signin', 'after the sign-out the dashboard leads to the sign-in');
    assert.equal((await ada.request.post(`${site}/api/pulse-token`)).status(), 401);

    // The next sign-in of the same person is the same user of Pulse.
    await signIn(ada, 'Ada');
    assert.equal((await profileOf(ada)).id, profile.id);
    for (const page of [ada, bob, other]) assert.deepEqual(page.errors, []);
  });

  check('a page renews the session while it is used, and notices another user', async () => {
    // This name is invalid as an address and as a `sub`.
    const name = 'José, 李';
    const [used, unused, former] = [await openPage(), await openPage(), await openPage()];
    for (const [page, user] of [[used, 'Carol'], [unused, name], [former, 'Dan']]) {
      await page.goto(`${site}/signin`);
      await signIn(page, user);
    }
    await used.reload();
    await used.locator('section[aria-labelledby=people] a', { hasText: name }).click();
    await used.waitForURL('**/conversations/*');
    const [carol, jose, dan] = await Promise.all([used, unused, former].map((page) => profileOf(page)));
    for (const page of [used, unused, former]) await keepNoToken(page);
    const [usedSession, unusedSession] = [await sessionOf(used), await sessionOf(unused)];

    await used.getByLabel('Message', { exact: true }).pressSequentially('Written before');
    await reconnect(carol);
    await until('a renewed session', () => sessionOf(used),
      ({ value, expires }) => value !== usedSession.value && expires > usedSession.expires);
    await used.getByLabel('Message', { exact: true }).press('Enter');
    await used.locator('.messages li:not([data-pending])', { hasText: 'Written before' }).waitFor();
    assert.equal(used.tokens.at(-1), (await sessionOf(used)).value, 'the client has the renewed token');

    await reconnect(jose);
    assert.deepEqual(await sessionOf(unused), unusedSession);

    const latter = await openPage(former.context());
    await latter.goto(`${site}/signin`);
    await signIn(latter, 'Erin');
    await closeConnections(dan);
    await former.locator('header span', { hasText: /^Erin$/ }).waitFor();
    for (const page of [used, unused, former, latter]) assert.deepEqual(page.errors, []);
  });

  check('the oldest page above the limit is disconnected, and connects again when its user wants it', async () => {
    const oldest = await openPage();
    await oldest.goto(`${site}/signin`);
    await signIn(oldest, 'Frank');
    await connected(await profileOf(oldest));
    for (let page = 0; page < 3; page++) await (await openPage(oldest.context())).goto(`${site}/dashboard`);
    await oldest.getByText('You have opened too many pages').waitFor();
    assert.equal(new URL(oldest.url()).pathname, '/dashboard');
    await oldest.getByRole('button', { name: 'Connect' }).click();
    await oldest.locator('.banner:empty').waitFor({ state: 'attached' });
    await oldest.getByText('You have opened too many pages').waitFor({ state: 'detached' });
  });

  check('an erased user comes back only by a sign-in', async () => {
    const [open, closed, renewed] = [await openPage(), await openPage(), await openPage()];
    for (const [page, user] of [[open, 'Grace'], [closed, 'Heidi'], [renewed, 'Leo']]) {
      await page.goto(`${site}/signin`);
      await signIn(page, user);
    }
    const [grace, heidi] = [await profileOf(open), await profileOf(closed)];
    await connected(grace);
    await closed.goto(`${site}/signed-out`);
    assert.equal(new URL(closed.url()).pathname, '/dashboard', 'a link signs nobody out');
    await closed.goto('about:blank');
    for (const { id } of [grace, heidi]) assert.equal((await admin(`/users/${id}`, { method: 'DELETE' })).status, 204);

    await open.waitForURL(`${site}/signin?error=user-removed`);
    await open.getByText('disabled or deleted').waitFor();
    // Pulse compares with whole seconds: the page's cookie is renewed in a later one.
    const erasedAt = Math.floor(Date.now() / 1_000);
    await until('the next second', () => Math.floor(Date.now() / 1_000), (second) => second > erasedAt);
    const loads = [];
    for (let load = 0; load < 2; load++) {
      await closed.goto(`${site}/dashboard`);
      loads.push(closed.url().slice(site.length));
    }
    assert.deepEqual(loads, ['/signin?error=user-erased', `/signin?callbackUrl=${encodeURIComponent(`${site}/dashboard`)}`]);
    await closed.goto(site + loads[0]);
    await closed.getByText('This user was deleted.').waitFor();
    for (const { id, email } of [grace, heidi]) {
      assert.equal((await admin(`/users/${id}`)).status, 404);
      assert.deepEqual((await (await admin(`/users?email=${email}`)).json()).items, []);
    }
    await signIn(closed, 'Heidi');
    assert.notEqual((await profileOf(closed)).id, heidi.id);

    // To Pulse, the renewed token of an erased user is one of an unknown user.
    await keepNoToken(renewed);
    const leo = await profileOf(renewed);
    const value = await encode({ token: { sub: 'test:erased' }, secret, salt: sessionCookie, maxAge: 600 });
    await renewed.context().addCookies([{ name: sessionCookie, value, url: site }]);
    await closeConnections(leo);
    await renewed.waitForURL(`${site}/signin?error=not-synced`);
  });

  check('the dashboard shows many people', async () => {
    const page = await openPage();
    await page.goto(`${site}/signin`);
    await signIn(page, 'Ivan');
    assert.equal((await page.request.post(site + manyPeoplePath)).status(), 200);
    await page.reload();
    await page.getByRole('heading', { name: 'People' }).waitFor();
  });

  check('a site behind a proxy with https gets its token too', async () => {
    const salt = `__Secure-${sessionCookie}`;
    const token = await encode({ token: { sub: 'test:judy', email: 'judy@example.com' }, secret, salt, maxAge: 60 });
    const answer = await fetch(`${site}/api/pulse-token`, { method: 'POST', headers: { cookie: `${salt}=${token}` } });
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).accessToken, token);
  });

  check('a site without its secret is closed, and one without Pulse says so', async (t) => {
    const nowhere = `http://localhost:${await freePort()}`;
    const settings = [{ AUTH_SECRET: '' }, { AUTH_SECRET: secret, PULSE_URL: nowhere }];
    const [open, closed] = await Promise.all(settings.map((own) => startSite(t, own)));
    const page = await openPage();
    await page.goto(`${open}/dashboard`);
    assert.equal(new URL(page.url()).pathname, '/signin');
    await page.getByRole('button', { name: 'Continue with a local account' }).click();
    await page.getByText('The sign-in does not work at the moment').waitFor();

    const value = await encode({ token: { sub: 'test:ken', name: 'Ken' }, secret, salt: sessionCookie, maxAge: 60 });
    await page.context().addCookies([{ name: sessionCookie, value, url: closed }]);
    await page.goto(`${closed}/dashboard`);
    await page.getByText('This page is unavailable at the moment.').waitFor();
    await page.goto(`${closed}/welcome`);
    await page.getByText('The chat is unavailable at the moment.').waitFor();
  });
});

function check(name, run) {
  test(name, { timeout: 300_000 }, async (t) => {
    try {
      await run(t);
    } catch (error) {
      hasFailed = true;
      throw error;
    }
  });
}

/** A page of a new browser window, or of an open one. */
async function openPage(context) {
  const page = await (context ?? (await browser.newContext())).newPage();
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
async function unreadOf(page, id) {
  const { accessToken } = await (await page.request.post(`${site}/api/pulse-token`)).json();
  const answer = await fetch(`${pulse}/conversations/${id}`, { headers: { authorization: `Bearer ${accessToken}` } });
  return (await answer.json()).you.unread;
}

/** The profile in Pulse of the user of a page, by the token that the page's script gets. */
async function profileOf(page) {
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

/** Loads a page again whose client fetches a token for each use, as it does shortly before a token expires: after an hour. */
async function keepNoToken(page) {
  page.tokens = [];
  await page.route('**/api/pulse-token', async (route) => {
    const response = await route.fetch();
    if (!response.ok()) return await route.fulfill({ response });
    const { accessToken } = await response.json();
    page.tokens.push(accessToken);
    await route.fulfill({ response, json: { accessToken, expiresAt: new Date().toISOString() } });
  });
  await page.reload();
}

async function sessionOf(page) {
  const { value, expires } = (await page.context().cookies(site)).find(({ name }) => name === sessionCookie);
  return { value, expires };
}

function admin(path, request = {}) {
  return fetch(`${pulse}/admin${path}`, { ...request, headers: { authorization: `Bearer ${adminKey}` } });
}

const connected = (user, accept = () => true) =>
  until('a connection', async () => await (await admin(`/users/${user.id}/connections`)).json(), (all) => all.length > 0 && accept(all));

async function closeConnections(user) {
  const all = await connected(user);
  for (const { id } of all) await admin(`/users/${user.id}/connections/${id}`, { method: 'DELETE' });
  return all;
}

/** Closes all connections of the user. The client then fetches a token and connects again. */
async function reconnect(user) {
  const closed = (await closeConnections(user)).map(({ id }) => id);
  await connected(user, (all) => all.every(({ id }) => !closed.includes(id)));
}

/** Runs the application alone, as `npm start` does. The settings here replace or complete its own. */
async function startSite(t, settings) {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const running = spawn(process.execPath, ['node_modules/next/dist/bin/next', 'start', '--hostname', 'localhost'], {
    cwd: folder,
    env: {
      ...process.env,
      PORT: port,
      AUTH_URL: url,
      AUTH_LOCAL_ISSUER: 'http://localhost:1',
      AUTH_LOCAL_ID: 'test',
      AUTH_LOCAL_SECRET: 'test',
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  await answers(running, [`${url}/signin`]);
  t.after(() => end(running));
  return url;
}

async function startSample() {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-nextjs-'));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  const [sitePort, providerPort, pulsePort] = [await freePort(), await freePort(), await freePort()];
  const [site, pulse] = [sitePort, pulsePort].map((port) => `http://localhost:${port}`);
  const running = spawn(process.execPath, ['scripts/dev.mjs', 'start'], {
    cwd: folder,
    env: {
      ...process.env,
      PORT: sitePort,
      PROVIDER_PORT: providerPort,
      // As users may write it.
      PULSE_URL: `${pulse}/`,
      AUTH_SECRET: secret,
      PULSE_PROGRAM: program,
      ASPNETCORE_ENVIRONMENT: 'Development',
      Pulse__Admin__Key: adminKey,
      Pulse__Presence__MaxConnectionsPerUser: '3',
      Pulse__DataDirectory: join(directory, 'data'),
      Pulse__Cluster__SiloPort: '0',
      Pulse__Cluster__GatewayPort: '0',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanups.push(() => end(running));
  await answers(running, [`${pulse}/health/ready`, `${site}/signin`]);
  return { site, pulse };
}

async function answers(running, urls) {
  for (const stream of [running.stdout, running.stderr]) stream.on('data', (data) => (log += data));
  for (const url of urls) {
    await until(`200 from ${url}`, async () => {
      if (running.exitCode !== null) throw new Error(`the process ended with code ${running.exitCode}:\n${log}`);
      return (await fetch(url)).status;
    }, (status) => status === 200, { withinMs: 120_000 });
  }
}

async function end(running) {
  if (running.exitCode !== null || running.signalCode !== null) return;
  running.kill();
  await once(running, 'exit');
}
