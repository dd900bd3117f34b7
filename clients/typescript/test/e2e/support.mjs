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
// The built package, as others get it.
import { createPulseClient } from '../../dist/index.js';

export { until };

const server = fileURLToPath(new URL(`../../../../src/Pulse.Web/bin/${process.env.PULSE_TEST_CONFIGURATION ?? 'Debug'}/net10.0/Pulse.Web.dll`, import.meta.url));

/** Whoever works on this package alone need not build the server. In a run of all tests it must be there. */
export const noServer = !process.env.PULSE_TEST_RUN && !existsSync(server);
const executablePath = process.env.PULSE_TEST_CHROMIUM || '/usr/bin/chromium';
export const noBrowser = noServer || (!process.env.PULSE_TEST_RUN && !existsSync(executablePath));
export const timeout = 300_000;

export async function launchBrowser() {
  // Here, and not at the top, so that a run without a browser does not need it.
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'],
  });
}

/** A running Pulse of this test alone. */
export async function startPulse(settings = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-client-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const pulse = new Pulse(directory, settings);
  onTestFinished(() => pulse.kill());
  return pulse.start();
}

/** Somebody new, with a source of tokens. */
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

/** A client of that person, stopped with the test, that notes the states it has been in. */
export function connect(pulse, person, options = {}) {
  const client = createPulseClient({ url: pulse.url, getToken: person.getToken, ...options });
  onTestFinished(() => client.stop());
  const states = [];
  client.subscribe(() => states.at(-1) !== client.state.name && states.push(client.state.name));
  client.start();
  return Object.assign(client, { states });
}

/** Waits until the client shows that. */
export const shows = (client, userId, status) =>
  until(`${userId} ${status}`, () => client.presence(userId) ?? null, (presence) => presence?.status === status, { withinMs: 60_000 });

export const isIn = (client, state) => until(`state ${state}`, () => client.state.name, (name) => name === state, { withinMs: 60_000 });
