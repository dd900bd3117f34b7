// The data in Redis and PostgreSQL that other programs may rely on: the presence key and users.last_seen.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from './support/client.mjs';
import { somebody, startPulse } from './support/fixture.mjs';
import { liveKey, noKey, noServers, presenceKey } from './support/stores.mjs';
import { until } from './support/until.mjs';

const options = { skip: noServers, timeout: 300_000 };
/** Short, so that a key expires within a test's time. */
const shortLived = { Pulse__Presence__TimeToLive: '00:00:06', Pulse__Presence__HeartbeatInterval: '00:00:02' };

test('presence key: exists while one connection lives, is deleted with the last, and last_seen is written', options, async (t) => {
  const { pulse, database } = await startPulse(t, { servers: true });
  const ada = await Client.signIn(pulse, somebody());
  assert.ok(noKey(await presenceKey(ada.id)), 'no key before the first connection');

  const first = await ada.connect();
  t.after(() => first.hub.stop());
  const second = await ada.connect();
  t.after(() => second.hub.stop());
  const key = await presenceKey(ada.id);
  assert.ok(liveKey(key), `expected true and 0 < TTL <= 60, was ${JSON.stringify(key)}`);

  await first.hub.stop();
  // The second socket makes a round trip after the end of the first one. Then the state must still be the same.
  await second.hub.invoke('Heartbeat');
  assert.ok(liveKey(await presenceKey(ada.id)), 'the key stays while the second connection lives');
  assert.equal((await ada.presence()).status, 'online');
  assert.equal(await database.query(`select last_seen from users where id = '${ada.id}'`), '');

  const before = Date.now();
  await second.hub.stop();
  await until('no key', () => presenceKey(ada.id), noKey);
  // All on one machine, so by one clock.
  const at = Number(await until('users.last_seen', () =>
    database.query(`select floor(extract(epoch from last_seen) * 1000) from users where id = '${ada.id}'`)));
  const after = Date.now();
  assert.ok(before <= at && at <= after, `last_seen ${at} is between ${before} and ${after}`);
});

test('presence key: expires when Pulse is killed and no client reconnects', options, async (t) => {
  const { pulse } = await startPulse(t, { servers: true, settings: shortLived });
  const ada = await Client.signIn(pulse, somebody());
  const { hub } = await ada.connect();
  t.after(() => hub.stop());
  assert.ok(liveKey(await presenceKey(ada.id), 6));

  await pulse.kill();
  await until('no key', () => presenceKey(ada.id), noKey);
  await pulse.start();
  assert.ok(noKey(await presenceKey(ada.id)), 'a restart alone brings no key back');
  assert.equal((await ada.presence()).status, 'offline');
});

test('presence key: set again by a client that reconnects after a kill -9, and renewed', options, async (t) => {
  const { pulse } = await startPulse(t, { servers: true, settings: shortLived });
  const ada = await Client.signIn(pulse, somebody());
  const { hub, greeting } = await ada.connect({ reconnect: true });
  t.after(() => hub.stop());
  const greetings = [greeting];
  hub.on('Connected', (again) => greetings.push(again));

  await pulse.kill();
  await pulse.start();

  await until('a second Connected', () => greetings.length, (n) => n === 2, { withinMs: 60_000 });
  assert.notEqual(greetings[1].connectionId, greeting.connectionId);
  await until('the key', () => presenceKey(ada.id), (key) => liveKey(key, 6));
  assert.equal((await ada.presence()).status, 'online');

  // Longer than the key's own life: only renewals explain a key that exists at every check.
  const looks = [];
  const end = Date.now() + 9_000;
  await until('9 s to pass', async () => {
    looks.push(await presenceKey(ada.id));
    return Date.now() > end;
  }, Boolean, { withinMs: 30_000 });
  assert.deepEqual(looks.filter((key) => !liveKey(key, 6)), [], 'a live key at every look');
});
