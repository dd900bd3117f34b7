// Two nodes over one Redis and one PostgreSQL, and a kill -9 of the node that holds the watched users' grains and sockets.
import { existsSync } from 'node:fs';
import { connect as connectTcp, createServer } from 'node:net';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { expect, onTestFinished, test } from 'vitest';
import { somebody } from '../../../../tests/e2e-node/support/fixture.mjs';
import { Database, noServers, serverSettings } from '../../../../tests/e2e-node/support/stores.mjs';
import { connect, isIn, noServer, signUp, startPulse, timeout, until } from './support.mjs';

const executablePath = process.env.PULSE_TEST_CHROMIUM || '/usr/bin/chromium';
const options = { skip: noServer || noServers || (!process.env.PULSE_TEST_RUN && !existsSync(executablePath)), timeout };
const lastSeenMs = 60_000;

/** Replaces a load balancer: an address that outlives the nodes behind it. */
async function startBalancer(node) {
  const balancer = { node };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    if (!balancer.node) return socket.destroy();
    const { hostname, port } = new URL(balancer.node.url);
    const onward = connectTcp(Number(port), hostname);
    onward.on('error', () => undefined);
    onward.on('close', () => socket.destroy());
    socket.on('close', () => onward.destroy());
    socket.pipe(onward).pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return Object.assign(balancer, { url: `http://127.0.0.1:${server.address().port}` });
}

/** A page of the node's own origin, signed in as a new user, that watches these users and records every presence that it shows. */
async function openWatcher(node, userIds) {
  const { build } = await import('vite');
  const [{ output: [chunk] }] = await build({
    configFile: false,
    logLevel: 'silent',
    build: { write: false, lib: { entry: fileURLToPath(new URL('../../dist/index.js', import.meta.url)), formats: ['iife'], name: 'pulsePresence' } },
  });
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'] });
  onTestFinished(() => browser.close());
  const page = await (await browser.newContext({ bypassCSP: true })).newPage();
  await page.goto(`${node.url}/health/live`);
  await page.evaluate((fields) => fetch('/auth/signin/dev', { method: 'POST', body: new URLSearchParams(fields) }), somebody());
  await page.addScriptTag({ content: chunk.code });
  await page.evaluate((ids) => {
    window.shown = Object.fromEntries(ids.map((id) => [id, []]));
    window.states = [];
    window.pulse = pulsePresence.createPulseClient({});
    window.pulse.subscribe(() => window.states.at(-1) !== window.pulse.state.name && window.states.push(window.pulse.state.name));
    for (const id of ids) window.pulse.watch(id, ({ status, message, lastSeen }) => window.shown[id].push({ status, message, lastSeen }));
    window.pulse.start();
  }, userIds);
  return {
    shown: (id) => page.evaluate((user) => window.shown[user], id),
    states: () => page.evaluate(() => window.states),
  };
}

test('kill -9 of the node that holds watched users: a page on the other node shows the right state in the end', options, async () => {
  const database = await Database.create();
  onTestFinished(() => database.drop());
  const settings = { ...serverSettings(database), Pulse__Auth__SigningKey: 'a signing key that both nodes of this test have' };
  const a = await startPulse(settings);
  const balancer = await startBalancer(a);

  // While A is the only node, it holds all their grains.
  const [returning, leaving] = [await signUp(balancer), await signUp(balancer)];
  const returns = connect(balancer, returning);
  const leaves = connect(a, leaving);
  await Promise.all([isIn(returns, 'online'), isIn(leaves, 'online')]);

  const b = await startPulse(settings);
  const watcher = await openWatcher(b, [returning.id, leaving.id]);
  const shows = async (person, status, message = null) => {
    const [from, ms] = [Date.now(), 60_000];
    await until(`${status} ${message}`, () => watcher.shown(person.id), (shown) => shown.at(-1)?.status === status && shown.at(-1).message === message, { withinMs: ms });
    return Date.now() - from;
  };
  await Promise.all([shows(returning, 'online'), shows(leaving, 'online')]);

  const killedAt = Date.now();
  balancer.node = b;
  await a.kill();
  const back = isIn(returns, 'reconnecting').then(() => isIn(returns, 'online')).then(() => Date.now() - killedAt);
  const told = back.then(() => returns.setStatus('busy', 'Back')).then(() => shows(returning, 'busy', 'Back'));
  const [backMs, , goneMs] = await Promise.all([back, told, shows(leaving, 'offline')]);
  console.log(`after the kill: reconnected ${backMs} ms, change after that seen within ${await told} ms, gone seen offline ${goneMs} ms`);

  expect((await watcher.shown(returning.id)).map(({ status }) => status)).toEqual(['online', 'busy']);
  const left = await watcher.shown(leaving.id);
  expect(left.map(({ status }) => status)).toEqual(['online', 'offline']);
  expect(Math.abs(Date.parse(left.at(-1).lastSeen) - killedAt)).toBeLessThan(lastSeenMs);
  console.log(`lastSeen is ${Date.parse(left.at(-1).lastSeen) - killedAt} ms after the kill`);

  // The page keeps one socket throughout, because a reload would have lost the records.
  expect(await watcher.states()).toEqual(['connecting', 'online']);
});
