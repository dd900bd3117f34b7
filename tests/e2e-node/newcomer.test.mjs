// The first steps with a fresh Pulse, from sign-in to the last disconnect, on both sets of stores.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from './support/client.mjs';
import { somebody, startPulse } from './support/fixture.mjs';
import { noServers } from './support/stores.mjs';
import { until } from './support/until.mjs';

for (const [name, servers] of [['embedded stores', false], ['PostgreSQL and Redis', true]]) {
  const options = { skip: servers && noServers, timeout: 300_000 };

  test(`newcomer on ${name}: signs in, comes online, goes offline`, options, async (t) => {
    const { pulse } = await startPulse(t, { servers });
    const person = somebody();

    const ada = await Client.signIn(pulse, person);
    assert.ok(Date.parse(ada.expiresAt) > Date.now(), `expiresAt ${ada.expiresAt} is in the future`);
    // 200 instead of 201, because signing in has created the user already.
    assert.ok([200, 201].includes(ada.sync.status), `POST /auth/sync answered ${ada.sync.status}`);
    assert.equal(ada.sync.body.email, person.email);
    assert.equal(ada.sync.body.name, person.name);
    assert.equal(ada.sync.body.lastSeen, null);
    assert.deepEqual(await ada.me(), ada.sync.body);

    const { hub, greeting } = await ada.connect();
    t.after(() => hub.stop());
    const { connectionId, logId } = greeting;
    assert.deepEqual(greeting, { userId: ada.id, connectionId, heartbeatSeconds: 30, logId });
    assert.match(logId, /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);
    assert.ok(connectionId, 'Connected carries the connection id');
    await hub.invoke('Heartbeat');
    assert.equal((await ada.presence()).status, 'online');

    // The time must be between those taken before and after, however long a busy machine took. Both are from one clock, shown in milliseconds.
    const before = Date.now();
    await hub.stop();
    const gone = await until('offline, with lastSeen', () => ada.presence(), (p) => p.status === 'offline' && p.lastSeen);
    const after = Date.now();
    const at = Date.parse(gone.lastSeen);
    assert.ok(before <= at && at <= after, `lastSeen ${gone.lastSeen} is between ${new Date(before).toISOString()} and ${new Date(after).toISOString()}`);
    assert.equal((await ada.me()).lastSeen, gone.lastSeen);

    assert.equal(await pulse.stop(), 0, 'Pulse ends with 0 when asked to');
  });

  test(`newcomer on ${name}: requests need a token`, options, async (t) => {
    const { pulse } = await startPulse(t, { servers });
    const stranger = new Client(pulse, somebody());

    const { status, headers } = await stranger.send('GET', '/auth/me');
    assert.equal(status, 401);
    assert.match(headers.get('www-authenticate') ?? '', /^Bearer/);
    stranger.token = 'no.such.token';
    assert.equal((await stranger.send('GET', '/auth/me')).status, 401);
    await assert.rejects(stranger.connect(), 'the hub takes no bad token');
  });

  test(`newcomer on ${name}: is known after a kill -9`, options, async (t) => {
    const { pulse } = await startPulse(t, { servers });
    const ada = await Client.signIn(pulse, somebody());

    await pulse.kill();
    await pulse.start();

    // With the earlier token, because a checkout's own signing key outlives the process too.
    assert.deepEqual(await ada.me(), ada.sync.body);
  });
}
