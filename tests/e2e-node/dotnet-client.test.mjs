// samples/dotnet-client as a process, with a plain client as the other user.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ChatLog } from './support/chatlog.mjs';
import { Client } from './support/client.mjs';
import { startPulse } from './support/fixture.mjs';
import { until } from './support/until.mjs';

const program = fileURLToPath(new URL(
  `../../samples/dotnet-client/bin/${process.env.PULSE_TEST_CONFIGURATION ?? 'Debug'}/net10.0/Pulse.Samples.Client.dll`, import.meta.url));

test('the .NET client chats, renews its token, and loses nothing when Pulse is killed', { timeout: 300_000 }, async (t) => {
  // Pulse warns about a token of 40 s after 27 s. The other user's token is as short, and is replaced like the one of the sample.
  const { pulse } = await startPulse(t, { settings: { Pulse__Auth__AccessTokenLifetime: '00:00:40' } });
  const person = { email: 'bob@example.com', name: 'bob' };
  let bob = await Client.signIn(pulse, person);
  let socket = await connect(bob);

  const ada = startSample(t, pulse, 'ada', 'bob');
  await ada.line(/^\* bob is online\.$/m);
  await ada.line(/^\* Connected\.$/m);
  ada.write('Is the door open?');
  const { id } = await until('the conversation in the list of bob', async () => (await bob.send('GET', '/conversations')).body.items[0]);
  const log = new ChatLog();
  await log.follow(bob, socket, id);
  await until('the first message at bob', () => texts(log).includes('Is the door open?'));
  await socket.invoke('SendMessage', id, { clientId: randomUUID(), text: 'It is.' });
  await ada.line(/^#3 bob: It is\.$/m);

  // A conversation outside of the sample's screen.
  const members = (await bob.send('GET', `/conversations/${id}/members`)).body.items;
  const group = (await bob.send('POST', '/conversations', {
    kind: 'group', title: 'Team', members: members.map(({ userId }) => userId).filter((userId) => userId !== bob.id), clientId: randomUUID(),
  })).body;
  await bob.send('POST', `/conversations/${group.id}/messages`, { clientId: randomUUID(), text: 'Welcome' });
  await ada.line(new RegExp(`^\\[${group.id}\\] #\\d+ bob: Welcome$`, 'm'));

  await pulse.kill();
  await ada.line(/^\* The connection is lost\.$/m);
  for (const text of ['Are you there?', 'Pulse is not', 'I wait']) ada.write(text);
  await pulse.start();
  bob = await Client.signIn(pulse, person);
  await bob.send('POST', `/conversations/${id}/messages`, { clientId: randomUUID(), text: 'Pulse is back' });
  await bob.send('POST', `/conversations/${group.id}/messages`, { clientId: randomUUID(), text: 'Missed' });
  await ada.line(/^#\d+ bob: Pulse is back$/m);
  await ada.line(new RegExp(`^\\[${group.id}\\] #\\d+ bob: Missed$`, 'm'));
  await ada.line(/^#\d+ ada: I wait$/m);

  const before = ada.count(/^\* The token is renewed/gm);
  await until('a renewed token', () => ada.count(/^\* The token is renewed/gm) > before);
  // The wait may have been longer than the life of a token.
  bob = await Client.signIn(pulse, person);
  socket = await connect(bob);
  t.after(() => socket.stop());
  await log.follow(bob, socket, id);
  ada.write('Goodbye');
  assert.equal(await ada.end(), 0, ada.output);
  assert.equal(ada.count(/^\* The connection is lost\.$/gm), 1, `the connection survives its token:\n${ada.output}`);

  await until('the last message at bob', () => texts(log).includes('Goodbye'));
  const printed = [...ada.output.matchAll(/^#(\d+) (\w+): (.*)$/gm)].map(([, seq, sender, text]) => [Number(seq), sender, text]);
  const stored = log.entries.map(({ seq, kind, senderId, text }) => [seq, senderId === bob.id ? 'bob' : 'ada', kind === 'message' ? text : `(${kind})`]);
  // The sample ends at the answer to its last message, which can come before the entry.
  assert.deepEqual(printed.slice(0, stored.length - 1), stored.slice(0, -1), 'the printed log is the stored log');
  assert.deepEqual(stored.filter(([, sender]) => sender === 'ada').map(([, , text]) => text).filter((text) => text !== '(created)'),
    ['Is the door open?', 'Are you there?', 'Pulse is not', 'I wait', 'Goodbye'], 'each message is stored once, in the order of its sender');
});

/** Opens a live socket that gets another token before its token expires. */
async function connect(client) {
  const { hub } = await client.connect();
  hub.on('TokenExpiring', async () => {
    client.token = (await Client.signIn(client.pulse, client.person)).token;
    await hub.invoke('Reauthenticate', client.token);
  });
  return hub;
}

const texts = (log) => log.entries.map(({ text }) => text);

function startSample(t, pulse, ...people) {
  const running = spawn('dotnet', [program, ...people], { env: { ...process.env, PULSE: pulse.url }, stdio: 'pipe' });
  t.after(() => running.kill('SIGKILL'));
  const ended = new Promise((resolve) => running.once('exit', (code, signal) => resolve(code ?? signal)));
  const sample = { output: '' };
  for (const stream of [running.stdout, running.stderr]) stream.on('data', (data) => (sample.output += data));
  sample.write = (line) => running.stdin.write(`${line}\n`);
  sample.count = (pattern) => [...sample.output.matchAll(pattern)].length;
  sample.line = (pattern) => until(`${pattern} in the output of the sample`, () => pattern.exec(sample.output)).catch((error) => {
    throw new Error(`${error.message}\n${sample.output}`);
  });
  sample.end = () => {
    running.stdin.end();
    return ended;
  };
  return sample;
}
