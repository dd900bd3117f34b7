// The chat as docs/chat.md describes it: its shell lines, its client for Node.js, and clients that return after an absence.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ChatLog } from './support/chatlog.mjs';
import { Client, isUnavailable } from './support/client.mjs';
import { somebody, startPulse } from './support/fixture.mjs';
import { Proxy } from './support/proxy.mjs';
import { noServers } from './support/stores.mjs';
import { until } from './support/until.mjs';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const document = readFileSync(new URL('../../docs/chat.md', import.meta.url), 'utf8');
const blocks = (language) => [...document.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, block]) => block);

for (const [name, servers] of [['embedded stores', false], ['PostgreSQL and Redis', true]]) {
  const options = { skip: servers && noServers, timeout: 300_000 };

  test(`chat on ${name}: the document's shell lines and its client work as printed`, options, async (t) => {
    const { pulse } = await startPulse(t, { servers });

    const id = await checkShellLines(pulse);
    const [ada, bob] = await Promise.all(['ada', 'bob'].map((person) => startDocumentedClient(t, pulse, person, id)));
    ada.write('Is the door open?');
    const asked = await bob.line(/^(\d+) message {2}Is the door open\?$/m);
    bob.write('It is.');
    const answered = await ada.line(/^(\d+) message {2}It is\.$/m);
    assert.equal(Number(answered[1]), Number(asked[1]) + 1, 'the answer has the next seq');
    await bob.line(/^\d+ message {2}It is\.$/m);
    assert.equal(await ada.end(), 0, 'the client ends with its input');
    assert.equal(await bob.end(), 0, 'the client ends with its input');
    assert.equal(ada.output, bob.output, 'both clients printed the same log');
  });

  test(`chat on ${name}: a client that missed 1,000 entries has the same log as a client that stayed`, options, async (t) => {
    const { pulse } = await startPulse(t, { servers });
    const people = [];
    while (people.length < 20) people.push(await Client.signIn(pulse, somebody()));
    const [ada, bob] = people;
    const created = await ada.send('POST', '/conversations', {
      kind: 'group', title: 'Team', clientId: randomUUID(), members: people.slice(1).map((person) => person.id),
    });
    assert.equal(created.status, 201, JSON.stringify(created.body));
    const { id } = created.body;

    // Three sockets: two devices of Ada's, and Bob behind a network that is cut.
    const network = await Proxy.start(t, pulse.url);
    const bobAway = Object.assign(Object.create(Client.prototype), bob, { pulse: network });
    const [adaOne, adaTwo, bobOne] = await Promise.all([ada, ada, bobAway].map(async (client) => {
      const { hub, greeting } = await client.connect();
      t.after(() => hub.stop());
      assert.match(greeting.logId, uuid);
      return { hub, greeting };
    }));
    const [stayed, second, missed] = [new ChatLog(), new ChatLog(), new ChatLog()];
    await stayed.follow(ada, adaOne.hub, id);
    await second.follow(ada, adaTwo.hub, id);
    await missed.follow(bob, bobOne.hub, id);
    const first = { clientId: randomUUID(), text: 'Hello from the first device' };
    const sent = await adaOne.hub.invoke('SendMessage', id, first);
    const reply = await bobOne.hub.invoke('SendMessage', id, { clientId: randomUUID(), text: 'Hello Ada', replyTo: sent.seq, after: null });
    for (const log of [stayed, second, missed]) {
      await until(`entry ${reply.seq} on each socket`, () => log.last, (last) => last === reply.seq);
      assert.equal(log.entries.at(-1).replyTo, sent.seq);
    }

    // A client id that is repeated on another connection, and over REST, gets the first answer.
    assert.deepEqual(await adaTwo.hub.invoke('SendMessage', id, first), sent);
    const repeated = await ada.send('POST', `/conversations/${id}/messages`, first);
    assert.deepEqual([repeated.status, repeated.body], [200, sent]);
    await assert.rejects(adaTwo.hub.invoke('SendMessage', id, { ...first, text: 'Another text' }), /client-id-reused: /);

    const closed = new Promise((resolve) => bobOne.hub.onclose(resolve));
    network.cut();
    await closed;
    const before = missed.last;
    await writeEntries(people, id, 1_000);
    const head = before + 1_000;
    assert.equal(missed.last, before, 'the cut client received nothing');
    network.mend();

    const { hub, greeting } = await bobAway.connect();
    t.after(() => hub.stop());
    assert.equal(greeting.logId, bobOne.greeting.logId);
    const [synced] = await hub.invoke('SyncConversations', [{ id, seq: missed.last, read: 0 }]);
    assert.deepEqual({ ...synced, read: 0 }, { id, head, from: 1, read: 0, entries: [], tooFar: true, gone: false, reset: false });
    assert.equal(await missed.load(bob, id), head);
    const opened = await missed.follow(bob, hub, id);
    assert.deepEqual([opened.head, opened.entries, opened.tooFar, opened.reset], [head, [], false, false]);

    // The last entry reaches every socket live.
    const last = await bob.send('POST', `/conversations/${id}/messages`, { clientId: randomUUID(), text: 'I am back' });
    assert.deepEqual([last.status, last.body.seq], [201, head + 1]);
    for (const log of [stayed, second, missed]) {
      await until(`entry ${head + 1} on each socket`, () => log.last, (seq) => seq === head + 1);
      assert.equal(log.error, undefined);
    }
    const stored = new ChatLog();
    await stored.load(ada, id);
    assert.deepEqual(missed.entries, stayed.entries);
    assert.deepEqual(second.entries, stayed.entries);
    assert.deepEqual(stored.entries, stayed.entries);
    for (const kind of ['message', 'edit', 'delete', 'reaction'])
      assert.ok(missed.entries.slice(before).filter((entry) => entry.kind === kind).length >= 50, `at least 50 entries of kind ${kind} were missed`);

    // A shorter absence is one answer.
    const [short] = await hub.invoke('SyncConversations', [{ id, seq: head - 9, read: 0 }]);
    assert.deepEqual(short.entries.map((entry) => entry.seq), Array.from({ length: 10 }, (_, index) => head - 8 + index));
    assert.equal(short.tooFar, false);
  });
}

test("the document's client gives up a message only after an error that a repetition would get again", () => {
  const refusals = /^const refusals = \[(.*?)\];/ms.exec(blocks('js')[0])?.[1].match(/[a-z-]+/g);
  const rows = [...document.matchAll(/^\| ((?:`[a-z-]+`(?:, )?)+) \| (\d{3}|hub only) \|/gm)];
  const final = rows.filter(([, , status]) => !['429', '503', 'hub only'].includes(status)).flatMap(([, codes]) => codes.match(/[a-z-]+/g));
  // These codes belong to other requests, and `predecessor-missing` to a message with `after`.
  const others = ['not-yours', 'not-synced', 'last-owner', 'not-for-direct', 'edit-conflict', 'predecessor-missing', 'too-many-members', 'too-large'];
  assert.deepEqual(refusals, final.filter((code) => !others.includes(code)));
});

/** Runs the document's shell lines against that Pulse and checks their answers. Returns the id of the conversation. */
async function checkShellLines(pulse) {
  const script = blocks('sh').join('').replaceAll('http://localhost:5080', pulse.url);
  const { stdout } = await promisify(execFile)('bash', ['-euo', 'pipefail', '-c', script], { timeout: 60_000 });
  const answers = stdout.trim().split('\n').map((line) => [Number(line.slice(-3)), JSON.parse(line.slice(0, -4))]);
  const statuses = answers.map(([status]) => status);
  assert.deepEqual(statuses, [201, 201, 200, 200, 200, 200, 200, 200, 200], stdout);
  const [created, sent, repeated, unread, history, read, edited, deleted, log] = answers.map(([, body]) => body);

  assert.equal(created.kind, 'direct');
  assert.equal(sent.seq, 2);
  assert.deepEqual(repeated, sent);
  assert.deepEqual([unread.you.read, unread.you.unread, unread.last.text], [1, 1, 'Hello, Bob']);
  assert.equal(history.items.length, 1);
  assert.deepEqual([history.items[0].seq, history.items[0].text, history.items[0].sentAt], [2, 'Hello, Bob', sent.sentAt]);
  assert.deepEqual(read, { read: 2, unread: 0, unreadMore: false, mentions: 0 });
  assert.deepEqual([edited.seq, deleted.seq], [3, 4]);
  assert.deepEqual(log.entries.map(({ seq, kind, text }) => [seq, kind, text]),
    [[1, 'created', undefined], [2, 'message', null], [3, 'edit', null], [4, 'delete', undefined]]);
  assert.equal(log.entries[0].conversationKind, 'direct');
  return created.id;
}

/** Starts the client that the document prints. */
async function startDocumentedClient(t, pulse, person, id) {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-chat-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  await symlink(fileURLToPath(new URL('node_modules', import.meta.url)), join(directory, 'node_modules'));
  await writeFile(join(directory, 'chat.mjs'), blocks('js')[0]);
  const running = spawn(process.execPath, ['chat.mjs', person, id], { cwd: directory, env: { ...process.env, PULSE: pulse.url }, stdio: 'pipe' });
  t.after(() => running.kill());
  const ended = new Promise((resolve) => running.once('exit', (code, signal) => resolve(code ?? signal)));
  const client = { output: '', faults: '' };
  running.stdout.on('data', (data) => (client.output += data));
  running.stderr.on('data', (data) => (client.faults += data));
  client.write = (line) => running.stdin.write(`${line}\n`);
  client.line = async (pattern) =>
    (await until(`${pattern} from the client of ${person}`, () => pattern.exec(client.output)).catch((error) => {
      throw new Error(`${error.message}\n${client.output}${client.faults}`);
    }));
  client.end = () => {
    running.stdin.end();
    return ended;
  };
  await client.line(/^4 delete/m);
  return client;
}

/** Writes exactly that many entries, by all people at once: messages, edits, deletions and reactions. */
async function writeEntries(people, id, count) {
  const share = count / people.length;
  await Promise.all(people.map(async (person) => {
    const own = [];
    for (let i = 0; i < share; i++) {
      const target = own.at(-1);
      if (i % 5 === 2) await write(person, 'PATCH', `/conversations/${id}/messages/${target}`, { text: `Edited ${i}` });
      else if (i % 10 === 3) await write(person, 'DELETE', `/conversations/${id}/messages/${own.pop()}`);
      else if (i % 10 === 8) await write(person, 'PUT', `/conversations/${id}/messages/${target}/reactions/${encodeURIComponent('👍')}`);
      else own.push((await write(person, 'POST', `/conversations/${id}/messages`, { clientId: randomUUID(), text: `Message ${i}` })).seq);
    }
  }));
}

/**
 * Writes one entry. Two refusals come before any change and are repeated when Pulse says: one for the number of sends, and one because the
 * store timed out. If the outcome is unknown, only a message is repeated, because its client id makes it one message.
 */
async function write(person, method, path, body) {
  const answer = await person.sendUntilAvailable(method, path, body, (last) =>
    last.status === 429 || isUnavailable(last) || (Boolean(body?.clientId) && last.body?.type === 'urn:pulse:problem:unknown-outcome'));
  assert.ok([200, 201].includes(answer.status), `${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
