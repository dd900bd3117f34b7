import type { Conversation, ConversationItem, ConversationSnapshot, Member } from '@pulse-presence/client/chat';
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ConversationAvatar } from './avatar';
import { Composer } from './composer';
import { keepPurpose, readDraft, recallDraft, saveEdit, subscribeDrafts } from './drafts';
import { explain } from './failures';
import { useChat, useDirectory, useMinute, usePresence, useStore } from './hooks';
import { Icon } from './icons';
import { MessageRow, type MessageActions, type Quote } from './message';
import { buildRows, type Row, type ShownItem, type ShownMessage } from './rows';
import { shownItems } from './shown';
import { texts } from './texts';
import { Timeline } from './timeline';
import { ago, dayLabel } from './times';

export interface ConversationProps {
  readonly id: string;
  /** A message to show, of a search hit or a link. */
  readonly seq: number | undefined;
  /** Changes when the user asks for the same message again. */
  readonly turn: number;
  readonly areDetailsOpen: boolean;
  readonly onDetails: () => void;
}

const placedWithinMs = 3_000;
/** Above this number the page leaves presence out, and the number of members online stays unknown. */
const maxWatched = 100;

function afterRendering(act: () => void): void {
  requestAnimationFrame(() => requestAnimationFrame(act));
}

/** The name of a conversation as this user sees it. */
export function nameOf(item: Pick<ConversationItem, 'other' | 'title'> | undefined): string {
  return item?.other?.name ?? item?.title ?? texts.unknownUser;
}

/** An open conversation: its head, its messages, and the composer. */
export function ConversationView({ id, seq, turn, areDetailsOpen, onDetails }: ConversationProps) {
  const chat = useChat();
  const { pulse, me, say } = chat;
  const directory = useDirectory();
  const conversation = useMemo(() => pulse.conversation(id), [id]);
  const snapshot = useStore(conversation.subscribe, conversation.getSnapshot);
  useMemo(() => recallDraft(me.userId, id), [id]);
  const purpose = useStore(subscribeDrafts, () => readDraft(me.userId, id).purpose);
  const [isAtEnd, setIsAtEnd] = useState(true);
  const [marked, setMarked] = useState<number>();
  const [newAfter, setNewAfter] = useState<number>();
  const timeline = useRef<Timeline<Row>>(null);
  const { item, state, messages } = snapshot;
  const fail = (error: unknown) => chat.toast(explain(error), true);
  const name = nameOf(item);
  const isDirect = item?.kind === 'direct';
  const { members, needMembers } = useMembers(conversation, item);

  useEffect(() => conversation.open(), [conversation]);

  const isOpening = useRef(false);
  const hasWritten = useRef(false);
  // Marking starts when the view is at its place. Until then the view is at the end, which the reader has yet to see.
  const isOpened = useRef(false);
  // The view is hidden until it is at its place, because rows that are replaced at once would be a flash, and a jump under the reader's hand.
  const [isPlaced, setIsPlaced] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsPlaced(true), placedWithinMs);
    return () => clearTimeout(timer);
  }, []);
  const visible = useRef({ seq: 0, atEnd: false });
  const markSeen = useCallback(() => {
    if (document.visibilityState !== 'visible' || !isOpened.current) return;
    const { hasAfter, state: present } = conversation.getSnapshot();
    if (present !== 'live' && present !== 'offline') return;
    if (visible.current.atEnd && !hasAfter) conversation.markRead();
    else if (visible.current.seq > 0) conversation.markRead(visible.current.seq);
  }, [conversation]);

  /** Moves the view, and forgets the rows that were visible before: the timeline reports those that the reader sees after the move. */
  const place = useCallback((move: () => boolean): boolean => {
    const before = visible.current;
    visible.current = { seq: 0, atEnd: false };
    isOpened.current = true;
    setIsPlaced(true);
    const hasMoved = move();
    if (!hasMoved) {
      visible.current = before;
      markSeen();
    }
    return hasMoved;
  }, [markSeen]);

  // The line of new messages is where the user had read up to when the conversation was opened, and stays there. The view begins at it.
  useEffect(() => {
    if (isOpening.current || !item || state !== 'live') return;
    isOpening.current = true;
    const { read } = snapshot;
    const isUnread = messages.some((message) => message.seq > read && message.senderId !== me.userId);
    if (isUnread) setNewAfter(read);
    // The view goes to the message of the address, see `show`.
    if (seq !== undefined) return;
    if (isUnread) {
      const isBeyond = snapshot.hasBefore && messages[0]!.seq > read + 1;
      void (isBeyond ? conversation.loadAround(read + 1) : Promise.resolve()).catch(() => undefined).then(() => afterRendering(() => {
        // A user that has written meanwhile looks at the end.
        if (hasWritten.current) toEnd();
        else place(() => timeline.current?.toRow('new') ?? false);
      }));
    } else {
      place(() => false);
    }
  }, [item, state, messages]);

  // Messages that arrive while the page is hidden begin a new line.
  useEffect(() => {
    const onHide = () => {
      if (document.visibilityState === 'hidden') setNewAfter(conversation.getSnapshot().read);
    };
    document.addEventListener('visibilitychange', onHide);
    return () => document.removeEventListener('visibilitychange', onHide);
  }, [conversation]);

  useEffect(markSeen, [snapshot.head, state, isAtEnd]);
  useEffect(() => {
    document.addEventListener('visibilitychange', markSeen);
    return () => document.removeEventListener('visibilitychange', markSeen);
  }, [markSeen]);

  useAnnouncements(snapshot.messages, state, me.userId, (message) => directory.nameOf(message), say);

  const items = useMemo(() => shownItems(snapshot, me.userId, directory), [snapshot.messages, snapshot.notices, snapshot.pending, snapshot.hasAfter, directory.getVersion()]);
  // The beginning of the conversation is unknown until a page of the log has arrived.
  const isKnown = messages.length > 0 || state === 'live' || state === 'offline';
  const rows = useMemo(
    () => buildRows(items, { isComplete: isKnown && !snapshot.hasBefore, newAfter, userId: me.userId }),
    [items, isKnown, snapshot.hasBefore, newAfter],
  );

  const show = useCallback(async (wanted: number) => {
    const keyOf = () => {
      const found = conversation.getSnapshot().messages.find((message) => message.seq === wanted);
      return found ? (found.clientId ?? `seq-${found.seq}`) : undefined;
    };
    try {
      if (!keyOf()) await conversation.loadAround(wanted);
    } catch (error) {
      fail(error);
      if (!isOpened.current) place(() => false);
      return;
    }
    afterRendering(() => {
      const key = keyOf();
      if (place(() => key !== undefined && (timeline.current?.toRow(key) ?? false))) setMarked(wanted);
    });
  }, [conversation]);
  useEffect(() => {
    if (seq !== undefined && isKnown) void show(seq);
  }, [seq, turn, isKnown, show]);
  useEffect(() => {
    if (marked === undefined) return undefined;
    const timer = setTimeout(() => setMarked(undefined), 2_500);
    return () => clearTimeout(timer);
  }, [marked]);

  // While the connection is lost the newest messages cannot be loaded. The view goes to them when it is back.
  const wantsEnd = useRef(false);
  const toEnd = () => {
    isOpened.current = true;
    setIsPlaced(true);
    timeline.current?.toEnd();
    wantsEnd.current = conversation.getSnapshot().hasAfter;
    if (!wantsEnd.current) return;
    void conversation.loadNewest().then(() => requestAnimationFrame(() => {
      wantsEnd.current = false;
      timeline.current?.toEnd();
    }), (error) => {
      if (conversation.getSnapshot().state !== 'live') return;
      wantsEnd.current = false;
      fail(error);
    });
  };
  // Loads that have failed are repeated as soon as the conversation is live again.
  const [loadError, setLoadError] = useState<unknown>();
  const loadBefore = () => {
    setLoadError(undefined);
    conversation.loadBefore().catch(setLoadError);
  };
  useEffect(() => {
    if (state !== 'live') return;
    if (wantsEnd.current) {
      setLoadError(undefined);
      toEnd();
    } else if (loadError !== undefined) loadBefore();
    else timeline.current?.look();
  }, [state]);
  const open = () => void conversation.loadAround(Math.max(1, item?.head ?? 1)).catch(fail);
  // A log that was replaced lacks the rows that were in view.
  useEffect(() => {
    if (snapshot.resets > 0) timeline.current?.toEnd();
  }, [snapshot.resets]);

  const begin = (kind: 'reply' | 'edit', { key, seq: at, senderId, text, mentions, editedSeq, fromBlocked }: ShownMessage) => {
    const present = readDraft(me.userId, id).purpose;
    if (kind === 'edit' && present?.kind === 'edit' && present.message.key === key) {
      document.querySelector<HTMLElement>('.composer textarea')?.focus();
      return;
    }
    const message = { key, seq: at!, senderId, text, mentions, editedSeq, fromBlocked };
    keepPurpose(me.userId, id, { kind, message }, kind === 'edit'
      ? { text: text ?? '', chosen: mentions.map((userId) => [directory.nameOf(userId), userId] as const) }
      : undefined);
  };
  const actions = useMemo<MessageActions>(() => ({
    reply: (message) => begin('reply', message),
    edit: (message) => begin('edit', message),
    remove: (message) => chat.ask({
      title: texts.deleteTitle, hint: texts.deleteHint, action: texts.remove,
      run: () => void conversation.delete(message.seq!).catch(fail),
    }),
    react: (message, emoji, on) => void conversation.react(message.seq!, emoji, on).catch(fail),
    retry: (message) => conversation.retry(message.key),
    discard: (message) => void conversation.discard(message.key),
    jump: (target) => void show(target),
  }), [conversation]);

  const send = (text: string, mentions: readonly string[]) => {
    if (purpose?.kind === 'edit') {
      saveEdit(me.userId, conversation, purpose, text, mentions, fail);
      return;
    }
    conversation.send(text, { mentions, ...(purpose ? { replyTo: purpose.message.seq } : undefined) });
    keepPurpose(me.userId, id, undefined);
    hasWritten.current = true;
    requestAnimationFrame(toEnd);
  };
  const editLast = () => {
    const own = items.findLast((shown): shown is ShownMessage => shown.kind === 'message' && shown.senderId === me.userId && shown.seq !== undefined && shown.text !== null);
    if (own) begin('edit', own);
  };

  const role = snapshot.role ?? item?.you.role;
  // The message that the composer shows may have been edited or deleted since.
  const purposeNow = useMemo(() => {
    const present = purpose && items.find(({ key }) => key === purpose.message.key);
    return purpose?.kind === 'reply' && present?.kind === 'message' ? { ...purpose, message: { ...present, seq: purpose.message.seq } } : purpose;
  }, [purpose, items]);
  const canWrite = role !== 'reader' && !item?.closedAt && state !== 'gone';
  const isModerator = role === 'owner' || role === 'moderator';
  const quotes = useQuotes(conversation, snapshot);
  const { seenKey, seenText, seenUpTo } = readSeen(snapshot.markers, items, me.userId, isDirect, (userId) => directory.nameOf(userId));
  const unreadBelow = messages.filter((message) => message.seq > snapshot.read && message.senderId !== me.userId).length;

  const renderRow = (row: Row) => {
    switch (row.kind) {
      case 'begin':
        return (
          <div class="begin">
            {item && <ConversationAvatar item={item} size="large" />}
            <p>{(item?.you.from ?? 1) > 1 ? texts.beginningForYou : <bdi>{isDirect ? texts.beginningDirect(name) : texts.beginning(name)}</bdi>}</p>
            {items.length === 0 && canWrite && <p class="note">{texts.emptyHint}</p>}
          </div>
        );
      case 'loading': return loadError === undefined
        ? <p class="loading-row"><span class="spinner" />{texts.loadingMessages}</p>
        : <p class="loading-row">{explain(loadError)} <button type="button" class="linkish" onClick={loadBefore}>{texts.retry}</button></p>;
      case 'day': return <Day atMs={row.atMs} />;
      case 'new': return <div class="new-line"><span>{texts.newMessages}</span></div>;
      case 'event': return <p class="event"><bdi>{row.event.text}</bdi></p>;
      default: {
        const { message } = row;
        const isOwn = message.senderId === me.userId;
        return (
          <MessageRow message={message} isFirst={row.isFirst} isLast={row.isLast} isOwn={isOwn} isDirect={isDirect} canWrite={canWrite}
            canDelete={canWrite && (isOwn || (isModerator && !isDirect))} isMarked={marked !== undefined && message.seq === marked}
            quote={message.replyTo === null ? undefined : quotes.get(message.replyTo)} seen={message.key === seenKey ? seenText : undefined}
            isSeen={isOwn && message.seq !== undefined && message.seq <= seenUpTo} isNewest={message.key === items.at(-1)?.key} actions={actions} namesVersion={directory.getVersion()} />
        );
      }
    }
  };

  return (
    <section class="talk" aria-label={name} onKeyDown={(event) => onMessageKeys(event, items, actions, { canWrite, isModerator, isDirect, userId: me.userId })}>
      <header class="talk-head">
        <button type="button" class="tool back" aria-label={texts.back} onClick={() => chat.go(undefined)}><Icon name="back" /></button>
        {item && <ConversationAvatar item={item} size="mid" />}
        <div class="talk-title">
          <h2 tabIndex={-1}><bdi>{name}</bdi></h2>
          <Subtitle item={item} members={members} />
        </div>
        <button type="button" class="tool" aria-label={texts.details} title={texts.details} data-act="details" aria-expanded={areDetailsOpen} onClick={onDetails}><Icon name="info" /></button>
      </header>
      {state === 'gone' ? (
        <div class="talk-blank">
          <p>{texts.failures[snapshot.error?.code ?? ''] ?? texts.gone}</p>
          {snapshot.error?.code === 'not-a-member' && <button type="button" class="small" onClick={() => void pulse.conversations.join(id).catch(fail)}>{texts.join}</button>}
        </div>
      ) : !isKnown && snapshot.pending.length === 0 ? (
        <div class="talk-blank" role="status"><span class="spinner" /><p>{texts.loadingMessages}</p></div>
      ) : (
        <div class={isPlaced || !item?.hasUnread || seq !== undefined ? 'timeline-box' : 'timeline-box placing'}>
          <Timeline key={id} handle={timeline} rows={rows} label={texts.messagesOf(name)} render={renderRow}
            onNearStart={() => {
              const present = conversation.getSnapshot();
              if (present.hasBefore && !present.isLoadingBefore && loadError === undefined) loadBefore();
            }}
            onNearEnd={() => {
              const present = conversation.getSnapshot();
              if (present.hasAfter && !present.isLoadingAfter) void conversation.loadAfter().catch(() => undefined);
            }}
            onAtEnd={(atEnd) => {
              // The reader has gone elsewhere.
              if (!atEnd) wantsEnd.current = false;
              visible.current.atEnd = atEnd;
              setIsAtEnd(atEnd);
            }}
            onVisible={(shown) => {
              const last = shown.findLast((row) => row.kind === 'message' && row.message.seq !== undefined);
              if (last?.kind === 'message') visible.current.seq = last.message.seq!;
              markSeen();
            }} />
          {(!isAtEnd || snapshot.hasAfter) && (
            <button type="button" class="to-end" aria-label={unreadBelow > 0 ? texts.jumpWithCount(unreadBelow) : texts.jumpToNewest} title={texts.jumpToNewest} onClick={toEnd}>
              {unreadBelow > 0 && <span class="badge">{unreadBelow > 99 ? '99+' : unreadBelow}</span>}<Icon name="down" />
            </button>
          )}
        </div>
      )}
      {state === 'failed' && (
        <p class="trouble" role="status"><span>{explain(snapshot.error)}</span><button type="button" class="linkish" onClick={open}>{texts.retry}</button></p>
      )}
      {state !== 'gone' && <Typing userIds={snapshot.typing} />}
      {state !== 'gone' && item && (canWrite ? (
        <Composer key={id} conversation={conversation} name={name} purpose={purposeNow} isLive={state === 'live'} members={members} onSend={send} onEditLast={editLast} onNeedMembers={needMembers} />
      ) : <p class="no-composer">{item.closedAt ? texts.closedNotice : texts.readOnly}</p>)}
    </section>
  );
}

function Day({ atMs }: { readonly atMs: number }) {
  useMinute();
  return <div class="day"><span>{dayLabel(atMs)}</span></div>;
}

function Subtitle({ item, members }: { readonly item: ConversationItem | undefined; readonly members: readonly Member[] }) {
  const { pulse } = useChat();
  useMinute();
  const presence = usePresence(item?.other?.userId);
  const online = useStore(pulse.subscribe, () => pulse.countOnline(members.map(({ userId }) => userId)));
  if (!item) return null;
  if (item.kind === 'direct') {
    if (!presence || presence.status === 'unknown') return null;
    const words = presence.status === 'offline' && presence.lastSeen ? texts.lastSeen(ago(Date.parse(presence.lastSeen))) : texts.statuses[presence.status];
    return <p class="note">{words}{presence.message && <> · <bdi>{presence.message}</bdi></>}</p>;
  }
  return <p class="note">{members.length === 0 ? texts.kinds[item.kind] : online > 0 && members.length <= maxWatched ? texts.membersOnline(members.length, online) : texts.members(members.length)}</p>;
}

function Typing({ userIds }: { readonly userIds: readonly string[] }) {
  const directory = useDirectory();
  return (
    <p class="typing" aria-hidden="true">
      {userIds.length > 0 && <><span class="typing-dots"><i /><i /><i /></span><bdi>{texts.typing(userIds.map((userId) => directory.nameOf(userId)))}</bdi></>}
    </p>
  );
}

/** Members of a group or channel, for names and mentions; of the first pages only, because a channel can have thousands. */
export function useMembers(conversation: Conversation, item: ConversationItem | undefined) {
  const { directory, pulse } = useChat();
  const [members, setMembers] = useState<readonly Member[]>([]);
  const [hasFailed, setHasFailed] = useState(false);
  const loadedAt = useRef(0);
  const notices = useStore(conversation.subscribe, () => conversation.getSnapshot().notices);
  const load = useCallback(async () => {
    loadedAt.current = Date.now();
    setHasFailed(false);
    try {
      const all: Member[] = [];
      for (let page = await conversation.members(); ; page = await conversation.members(page.after)) {
        all.push(...page.items);
        if (!page.after || all.length >= 1_000) break;
      }
      directory.learn(all);
      setMembers(all);
    } catch {
      // The next need asks again.
      loadedAt.current = 0;
      setHasFailed(true);
    }
  }, [conversation]);
  useEffect(() => {
    setMembers([]);
    if (item) void load();
  }, [conversation, item?.kind]);
  useEffect(() => {
    if (notices.length > 0 && loadedAt.current > 0) void load();
  }, [notices]);
  useEffect(() => (members.length > 0 ? pulse.watch(members.slice(0, maxWatched).map(({ userId }) => userId)) : undefined), [members]);
  return {
    members,
    hasFailed,
    reload: load,
    needMembers: () => {
      if (Date.now() - loadedAt.current > 60_000) void load();
    },
  };
}

/** The quoted messages: from those in the window, otherwise asked for, once each. The client keeps both as the log changes them. */
function useQuotes(conversation: Conversation, { messages, pending, quotes: loaded }: ConversationSnapshot): ReadonlyMap<number, Quote> {
  const asked = useRef(new Set<number>());
  const quotes = useMemo(() => {
    const bySeq = new Map(messages.map((message) => [message.seq, message]));
    const wanted = [...messages, ...pending].flatMap(({ replyTo }) => replyTo ?? []);
    return new Map<number, Quote | undefined>(wanted.map((seq) => [seq, bySeq.get(seq) ?? loaded.get(seq)]));
  }, [messages, pending, loaded]);
  useEffect(() => {
    for (const [seq, quote] of quotes) {
      if (quote) {
        // It may leave the window again.
        asked.current.delete(seq);
      } else if (!asked.current.has(seq)) {
        asked.current.add(seq);
        conversation.loadQuote(seq).catch(() => undefined);
      }
    }
  }, [quotes]);
  return quotes as ReadonlyMap<number, Quote>;
}

/** Announces the messages of other users that arrive while the conversation is live: each once, several at once as a number. */
function useAnnouncements(
  messages: readonly { readonly seq: number; readonly senderId: string; readonly text: string | null; readonly fromBlocked: boolean }[],
  state: string,
  userId: string,
  nameOfUser: (userId: string) => string,
  say: (text: string) => void,
) {
  const last = useRef<number | undefined>(undefined);
  const wasLive = useRef(false);
  useEffect(() => {
    const newest = messages.at(-1)?.seq ?? 0;
    const from = last.current;
    last.current = Math.max(newest, from ?? 0);
    const isLive = state === 'live';
    const begins = !wasLive.current;
    wasLive.current = isLive;
    if (!isLive || begins || from === undefined) return;
    const arrived = messages.filter((message) => message.seq > from && message.senderId !== userId && message.text !== null && !message.fromBlocked);
    if (arrived.length > 2) say(texts.announceMany(arrived.length));
    else for (const message of arrived) say(texts.announce(nameOfUser(message.senderId), message.text!));
  }, [messages, state]);
}

function readSeen(
  markers: ReadonlyMap<string, number>,
  items: readonly ShownItem[],
  userId: string,
  isDirect: boolean,
  nameOfUser: (userId: string) => string,
) {
  const own = items.findLast((shown): shown is ShownMessage => shown.kind === 'message' && shown.senderId === userId && shown.seq !== undefined);
  const others = [...markers].filter(([member]) => member !== userId);
  const seenUpTo = Math.max(0, ...others.map(([, read]) => read));
  if (!own || isDirect) return { seenKey: undefined, seenText: undefined, seenUpTo };
  const names = others.filter(([, read]) => read >= own.seq!).map(([member]) => nameOfUser(member));
  return { seenKey: own.key, seenText: names.length > 0 ? texts.seenBy(names.slice(0, 3), Math.max(0, names.length - 3)) : undefined, seenUpTo };
}

interface KeyRights {
  readonly canWrite: boolean;
  readonly isModerator: boolean;
  readonly isDirect: boolean;
  readonly userId: string;
}

/** The keys of a focused message: arrows to its neighbours, and a letter for each action. */
function onMessageKeys(
  event: KeyboardEvent, items: readonly ({ readonly kind: string; readonly key: string })[], actions: MessageActions, rights: KeyRights,
): void {
  const target = event.target as HTMLElement;
  const view = event.currentTarget as HTMLElement;
  const messages = () => [...view.querySelectorAll<HTMLElement>('.message')];
  if (event.key === 'Tab' && event.shiftKey && target.matches('textarea')) {
    const last = messages().at(-1);
    if (last) {
      event.preventDefault();
      last.focus();
    }
    return;
  }
  if (!target.matches('.message') || event.ctrlKey || event.metaKey || event.altKey) return;
  const all = messages();
  const at = all.indexOf(target);
  const message = items.find(({ key }) => key === target.dataset['key']) as ShownMessage | undefined;
  const isOwn = message?.senderId === rights.userId;
  const isStored = message?.seq !== undefined && message.text !== null;
  const moves: Readonly<Record<string, HTMLElement | undefined>> = { ArrowUp: all[at - 1], ArrowDown: all[at + 1], Home: all[0], End: all.at(-1) };
  const keys: Readonly<Record<string, (() => void) | undefined>> = {
    r: isStored && rights.canWrite ? () => actions.reply(message) : undefined,
    e: isStored && rights.canWrite && isOwn ? () => actions.edit(message) : undefined,
    Delete: isStored && rights.canWrite && (isOwn || (rights.isModerator && !rights.isDirect)) ? () => actions.remove(message) : undefined,
    '+': () => target.querySelector<HTMLElement>('[data-act=react]')?.click(),
    Escape: () => view.querySelector<HTMLElement>('.composer textarea')?.focus(),
  };
  const move = moves[event.key];
  const act = keys[event.key];
  if (!move && !act && !(event.key in moves)) return;
  event.preventDefault();
  if (move) {
    move.focus({ preventScroll: true });
    move.scrollIntoView({ block: 'nearest' });
  } else if (event.key === 'ArrowDown') view.querySelector<HTMLElement>('.composer textarea')?.focus();
  else act?.();
}
