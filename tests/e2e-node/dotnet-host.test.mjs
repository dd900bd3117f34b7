// samples/dotnet-host: an ASP.NET Core application that hosts Pulse, with its own policies and its own route.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from './support/client.mjs';
import { startPulse } from './support/fixture.mjs';
import { until } from './support/until.mjs';

const project = { folder: fileURLToPath(new URL('../../samples/dotnet-host/', import.meta.url)), name: 'Pulse.Samples.Host' };

test('an application hosts Pulse: its policies decide about users, and its route knows the caller', { timeout: 120_000 }, async (t) => {
  const { pulse: host } = await startPulse(t, { project });
  const [ada, bob, eve] = await Promise.all(['ada@one.example', 'bob@one.example', 'eve@two.example'].map((email) =>
    Client.signIn(host, { email, name: email.split('@')[0] })));
  const { hub } = await ada.connect();
  t.after(() => hub.stop());

  const statusFor = async (viewer) => (await viewer.send('GET', `/presence?ids=${ada.id}`)).body[0].status;
  await until('Ada online for her colleague', () => statusFor(bob), (status) => status === 'online');
  assert.equal(await statusFor(eve), 'offline', 'Ada is hidden from users of another company');

  const start = (from, to) => from.send('POST', '/conversations', { kind: 'direct', members: [to.id], clientId: randomUUID() });
  assert.equal((await start(bob, ada)).status, 201);
  const refused = await start(eve, ada);
  assert.deepEqual([refused.status, refused.body.type], [403, 'urn:pulse:problem:cannot-message']);
  const group = await ada.send('POST', '/conversations', { kind: 'group', title: 'One', members: [bob.id], clientId: randomUUID() });
  const added = await ada.send('PUT', `/conversations/${group.body.id}/members/${eve.id}`, {});
  assert.deepEqual([added.status, added.body.type], [403, 'urn:pulse:problem:cannot-message']);

  // Channels are of the company of their creator.
  const channel = await ada.send('POST', '/conversations', { kind: 'channel', title: 'News of One', clientId: randomUUID() });
  const channelsFor = async (user) => (await user.send('GET', '/channels')).body.items.map(({ title }) => title);
  assert.deepEqual([await channelsFor(bob), await channelsFor(eve)], [['News of One'], []]);
  const join = async (user, id) => {
    const { status, body: { traceId, ...body } } = await user.send('PUT', `/conversations/${id}/members/${user.id}`, {});
    return { status, body };
  };
  const hidden = await join(eve, channel.body.id);
  assert.equal(hidden.status, 404);
  assert.deepEqual(hidden, await join(eve, randomUUID()));
  assert.equal((await join(bob, channel.body.id)).status, 200);

  // The route of the application, with Pulse's authentication and its error answers.
  assert.deepEqual((await eve.send('GET', '/company')).body, { company: 'two.example' });
  const unknown = await new Client(host).send('GET', '/company');
  assert.deepEqual([unknown.status, unknown.body.type], [401, 'urn:pulse:problem:token-missing']);

  // Pulse's pages come with their files.
  const page = await (await fetch(`${host.url}/signin`)).text();
  const assets = [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path);
  assert.ok(assets.length >= 2, page);
  for (const path of assets) assert.equal((await fetch(host.url + path)).status, 200, path);
});
