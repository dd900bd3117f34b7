import type { ConversationSnapshot, Message, Notice, PendingMessage } from '@pulse-presence/client/chat';
import type { Directory } from './directory';
import type { ShownEvent, ShownItem, ShownMessage } from './rows';
import { texts } from './texts';

const shownMessages = new WeakMap<Message, ShownMessage>();
const shownPending = new WeakMap<PendingMessage, ShownMessage>();

/**
 * The items that the timeline shows of a conversation: messages and events by seq, then the user's own pending messages. They are shown even
 * while messages between the window and the end are missing. An offline client cannot load these, and the user must see the own words.
 */
export function shownItems(snapshot: ConversationSnapshot, userId: string, directory: Directory): readonly ShownItem[] {
  const items: ShownItem[] = [];
  let next = 0;
  const { messages, notices, pending } = snapshot;
  const isDirect = snapshot.item?.kind === 'direct';
  for (const message of messages) {
    for (; next < notices.length && notices[next]!.seq < message.seq; next++) addNotice(items, notices[next]!, isDirect, directory);
    items.push(showMessage(message));
  }
  for (; next < notices.length; next++) addNotice(items, notices[next]!, isDirect, directory);

  const echoes = new Set(messages.slice(-pending.length - 20).flatMap(({ clientId }) => clientId ?? []));
  for (const message of pending) if (!echoes.has(message.clientId)) items.push(showPending(message, userId));
  return items;
}

export function showMessage(message: Message): ShownMessage {
  let shown = shownMessages.get(message);
  if (!shown) {
    shown = {
      kind: 'message',
      key: message.clientId ?? `seq-${message.seq}`,
      seq: message.seq,
      senderId: message.senderId,
      text: message.text,
      sentAtMs: Date.parse(message.sentAt),
      replyTo: message.replyTo,
      mentions: message.mentions,
      editedSeq: message.editedSeq,
      reactions: message.reactions,
      fromBlocked: message.fromBlocked,
      state: 'stored',
      failure: undefined,
    };
    shownMessages.set(message, shown);
  }
  return shown;
}

function showPending(message: PendingMessage, userId: string): ShownMessage {
  let shown = shownPending.get(message);
  if (!shown) {
    shown = {
      kind: 'message',
      key: message.clientId,
      seq: undefined,
      senderId: userId,
      text: message.text,
      sentAtMs: Date.parse(message.createdAt),
      replyTo: message.replyTo,
      mentions: message.mentions,
      editedSeq: null,
      reactions: [],
      fromBlocked: false,
      state: message.state === 'failed' || message.state === 'waiting' ? message.state : 'pending',
      failure: message.error?.code,
    };
    shownPending.set(message, shown);
  }
  return shown;
}

function addNotice(items: ShownItem[], notice: Notice, isDirect: boolean, directory: Directory): void {
  // A direct conversation has both members from its first moment.
  const text = isDirect && notice.kind !== 'closed' ? undefined : wordsOf(notice, directory);
  if (text) items.push({ kind: 'event', key: `event-${notice.seq}`, seq: notice.seq, sentAtMs: Date.parse(notice.sentAt), text } satisfies ShownEvent);
}

function wordsOf({ kind, senderId, userId, role, title, newcomersSee }: Notice, directory: Directory): string | undefined {
  const by = directory.nameOf(senderId);
  const user = userId ? directory.nameOf(userId) : '';
  const { events } = texts;
  switch (kind) {
    case 'created': return events.created(by);
    case 'member-added': return userId === senderId ? events.joined(user) : events.added(by, user);
    case 'member-removed': return userId === senderId ? events.left(user) : events.removed(by, user);
    case 'role-changed': return events.role(by, user, texts.rolesWithArticle[role ?? 'member'] ?? role ?? '');
    case 'renamed': return events.renamed(by, title ?? '');
    case 'rules-changed': return newcomersSee === 'all' ? events.rulesAll(by) : events.rulesSince(by);
    case 'closed': return events.closed(by);
    default: return undefined;
  }
}
