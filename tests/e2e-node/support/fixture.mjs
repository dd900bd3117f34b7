import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pulse } from './pulse.mjs';
import { Database, serverSettings } from './stores.mjs';

/**
 * A Pulse process of this test, on embedded stores or (`servers`) PostgreSQL and Redis. It is removed with its data when the test ends.
 * @param project an application that hosts Pulse, instead of Pulse.Web.
 */
export async function startPulse(t, { servers = false, settings = {}, project } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-e2e-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const database = servers ? await Database.create() : undefined;
  if (database) t.after(() => database.drop());

  const pulse = new Pulse(directory, { ...(database && serverSettings(database)), ...settings }, project);
  t.after(() => pulse.kill());
  await pulse.start();
  return { pulse, database };
}

/** A person that is unique to the calling test. */
export function somebody() {
  const nonce = Math.random().toString(36).slice(2, 10);
  return { email: `ada.${nonce}@example.com`, name: `Ada ${nonce}` };
}
