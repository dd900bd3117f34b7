// Chat of the built package against a real Pulse.
import { expect, onTestFinished, test } from 'vitest';
import { chat } from '../../dist/chat.js';
import { connect, isIn, noServer, signUp, startPulse, timeout, until } from './support.mjs';

const options = { skip: noServer, timeout };

/** A person with a client that has chat. */
async function join(pulse) {
  const person = await signUp(pulse);
  const client = connect(pulse, person, { chat: chat() });
  await isIn(client, 'online');
  return { ...person, client };
}

function openConversation({ client }, id) {
  const conversation = client.conversation(id);
  onTestFinished(conversation.open());
  return conversation;
}

const texts = (conversation) => conversation.getSnapshot().messages.map(({ text }) => text);
const isLive = (conversation) => until('live', () => conversation.getSnapshot(), ({ state }) => state === 'live', { withinMs: 60_000 });

async function entries(pulse, { getToken }, id) {
  const { accessToken } = await getToken();
  const answer = await fetch(`${pulse.url}/conversations/${id}/entries?after=0&limit=500`, { headers: { authorization: `Bearer ${accessToken}` } });
  return (await answer.json()).entries;
}

test('two clients talk while the server is killed and started again: both logs equal the table', options, async () => {
  const pulse = await startPulse();
  const [ada, grace] = [await join(pulse), await join(pulse)];
  const { id } = await ada.client.conversations.create({ kind: 'direct', members: [grace.id] });
  const adas = openConversation(ada, id);
  await isLive(adas);
  adas.send('Hello, Grace');
  // How the other user learns of a new conversation.
  await until('the conversation in the inbox', () => grace.client.conversations.get(id) ?? null, (item) => item?.you.unread === 1, { withinMs: 20_000 });
  expect(grace.client.conversations.getSnapshot().unread).toEqual({ messages: 1, more: false, mentions: 0, conversations: 1 });
  const graces = openConversation(grace, id);
  await isLive(graces);
  graces.markRead();
  await until('Ada sees it read', () => adas.getSnapshot().markers.get(grace.id) ?? 0, (read) => read >= 2, { withinMs: 20_000 });
  await until('nothing unread', () => grace.client.conversations.getSnapshot().unread.messages, (unread) => unread === 0, { withinMs: 20_000 });
  adas.typing();
  await until('typing', () => graces.getSnapshot().typing, (typing) => typing.includes(ada.id), { withinMs: 20_000 });

  const said = [];
  for (let n = 0; n < 5; n++) for (const [name, own] of [['ada', adas], ['grace', graces]]) said.push(own.send(`${name} ${n}`));
  await pulse.kill();
  for (let n = 5; n < 10; n++) for (const [name, own] of [['ada', adas], ['grace', graces]]) said.push(own.send(`${name} ${n}`));
  expect(adas.getSnapshot().pending.length).toBeGreaterThan(0);
  await pulse.start();

  for (const own of [adas, graces]) {
    await until('all messages', () => own.getSnapshot(), ({ messages, pending, state }) => messages.length === 21 && pending.length === 0 && state === 'live', { withinMs: 60_000 });
  }
  const log = await entries(pulse, ada, id);
  const stored = log.filter(({ kind }) => kind === 'message');
  expect(new Set(stored.map(({ clientId }) => clientId)).size).toBe(21);
  expect(said.every((clientId) => stored.some((message) => message.clientId === clientId))).toBe(true);
  for (const own of [adas, graces]) {
    expect(own.getSnapshot().messages.map(({ seq, text, senderId }) => ({ seq, text, senderId }))).toEqual(stored.map(({ seq, text, senderId }) => ({ seq, text, senderId })));
  }
  for (const name of ['ada', 'grace']) {
    expect(texts(adas).filter((text) => text.startsWith(`${name} `))).toEqual(Array.from({ length: 10 }, (_, n) => `${name} ${n}`));
  }
});

test('edits, reactions, deletions, members and refusals of a real server', options, async () => {
  const pulse = await startPulse();
  const [ada, grace, alan] = [await join(pulse), await join(pulse), await join(pulse)];
  const { id, you } = await ada.client.conversations.create({ kind: 'group', title: 'Engines', members: [grace.id] });
  expect(you.role).toBe('owner');
  const [adas, graces] = [openConversation(ada, id), openConversation(grace, id)];
  await Promise.all([isLive(adas), isLive(graces)]);
  const clientId = adas.send('A draft', { mentions: [grace.id] });
  const { seq } = (await until('the message', () => graces.getSnapshot(), ({ messages }) => messages.length === 1, { withinMs: 20_000 })).messages[0];
  expect(graces.getSnapshot().messages[0]).toMatchObject({ clientId, senderId: ada.id, mentions: [grace.id] });
  await adas.edit(seq, 'A plan');
  await graces.react(seq, '👍');
  await until('edit and reaction', () => adas.getSnapshot().messages[0], ({ text, reactions }) => text === 'A plan' && reactions.length === 1, { withinMs: 20_000 });
  expect(adas.getSnapshot().messages[0].reactions).toEqual([{ emoji: '👍', count: 1, mine: false }]);
  await expect(graces.edit(seq, 'Mine')).rejects.toMatchObject({ code: 'not-yours' });
  await expect(graces.rename('Mine')).rejects.toMatchObject({ code: 'not-yours' });

  await adas.add(alan.id);
  await adas.rename('Difference engines');
  expect((await adas.members()).items.map(({ userId }) => userId).sort()).toEqual([ada.id, grace.id, alan.id].sort());
  await until('the title', () => graces.getSnapshot().item, (item) => item.title === 'Difference engines', { withinMs: 20_000 });
  await adas.mute();
  expect(adas.getSnapshot().item.you.muted).toBe(true);
  const alans = openConversation(alan, id);
  await isLive(alans);
  // A page of history shows edits and reactions too.
  expect(alans.getSnapshot().messages[0]).toMatchObject({ text: 'A plan', reactions: [{ emoji: '👍', count: 1, mine: false }] });
  await adas.delete(seq);
  await until('deleted', () => alans.getSnapshot().messages[0], ({ deletedSeq }) => deletedSeq !== null, { withinMs: 20_000 });
  expect(alans.getSnapshot().messages[0].text).toBe(null);

  await adas.remove(alan.id);
  await until('gone', () => alans.getSnapshot().state, (state) => state === 'gone', { withinMs: 20_000 });
  expect(alan.client.conversations.get(id)).toBe(undefined);
  const refused = alans.send('Still here?');
  const { pending } = await until('refused', () => alans.getSnapshot(), ({ pending: [first] }) => first?.state === 'failed', { withinMs: 20_000 });
  expect(pending[0]).toMatchObject({ clientId: refused, error: { code: 'not-found' } });
  expect(alans.discard(refused)).toBe(true);
  expect(alans.getSnapshot().pending).toEqual([]);
});
