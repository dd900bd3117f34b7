import { PulseError } from '@pulse-presence/client';
import type { ConversationItem, InboxSnapshot, SearchHit } from '@pulse-presence/client/chat';
import { useEffect, useRef, useState } from 'preact/hooks';
import { findConversation } from './api';
import { ConversationAvatar } from './avatar';
import { nameOf } from './conversation';
import { peekDraft } from './drafts';
import { codeOf } from './failures';
import { memo, useChat, useDirectory, useMinute, useStore } from './hooks';
import { Icon } from './icons';
import { texts } from './texts';
import { exactTime, shortTime } from './times';

const pauseMs = 250;
const refreshMs = 2_000;

export interface SidebarProps {
  readonly openId: string | undefined;
  readonly onNew: () => void;
  readonly onChannels: () => void;
  readonly onHelp: () => void;
}

/** The conversations, and the search through them and their messages. */
export function Sidebar({ openId, onNew, onChannels, onHelp }: SidebarProps) {
  const { pulse } = useChat();
  const inbox = useStore(pulse.conversations.subscribe, pulse.conversations.getSnapshot);
  const [query, setQuery] = useState('');
  const field = useRef<HTMLInputElement>(null);
  const wanted = query.trim();

  return (
    <nav class="side" aria-label={texts.conversations}>
      <div class="side-head">
        <h2>{texts.title}</h2>
        <button type="button" class="tool" aria-label={texts.help} title={texts.help} onClick={onHelp}><Icon name="keyboard" /></button>
        <button type="button" class="tool" aria-label={texts.browseChannels} title={texts.browseChannels} onClick={onChannels}><Icon name="compass" /></button>
        <button type="button" class="tool strong" aria-label={texts.newConversation} title={texts.newConversation} onClick={onNew}><Icon name="plus" /></button>
      </div>
      <div class="search" role="search">
        <Icon name="search" />
        <input ref={field} id="chat-search" type="text" inputMode="search" autocomplete="off" value={query} placeholder={texts.searchPlaceholder} aria-label={texts.searchLabel}
          onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Escape' && query) {
              event.stopPropagation();
              setQuery('');
            }
          }} />
        {query && <button type="button" class="tool" aria-label={texts.clearSearch} title={texts.clearSearch} onClick={() => {
          setQuery('');
          field.current?.focus();
        }}><Icon name="close" /></button>}
      </div>
      {wanted ? <Found query={wanted} inbox={inbox} openId={openId} /> : <Inbox inbox={inbox} openId={openId} onNew={onNew} onChannels={onChannels} />}
    </nav>
  );
}

function Inbox({ inbox, openId, onNew, onChannels }: { readonly inbox: InboxSnapshot; readonly openId: string | undefined; readonly onNew: () => void; readonly onChannels: () => void }) {
  const { pulse } = useChat();
  const onScroll = (event: Event) => {
    const { scrollHeight, scrollTop, clientHeight } = event.currentTarget as HTMLElement;
    if (inbox.hasMore && !inbox.isLoadingMore && scrollHeight - scrollTop - clientHeight < 400) void pulse.conversations.loadMore().catch(() => undefined);
  };
  if (inbox.items.length === 0) {
    return inbox.state === 'loading' ? (
      <div class="side-list" role="status" aria-label={texts.loadingConversations}>
        {[1, 2, 3, 4, 5].map((row) => <div class="bone-row" key={row}><span class="bone round" /><span class="bone" /></div>)}
      </div>
    ) : (
      <div class="side-list side-empty">
        <p><b>{texts.noConversations}</b></p>
        <p class="note">{texts.noConversationsHint}</p>
        <button type="button" class="small" onClick={onNew}>{texts.newConversation}</button>
        <button type="button" class="small quiet" onClick={onChannels}>{texts.browseChannels}</button>
      </div>
    );
  }
  return (
    <ul class="side-list" onScroll={onScroll}>
      {inbox.items.map((item) => <li key={item.id}><Entry item={item} isOpen={item.id === openId} /></li>)}
      {inbox.hasMore && <li class="loading-row"><span class="spinner" /></li>}
    </ul>
  );
}

const Entry = memo(function Entry({ item, isOpen }: { readonly item: ConversationItem; readonly isOpen: boolean }) {
  const { pulse, me, go } = useChat();
  const directory = useDirectory();
  useMinute();
  const conversation = pulse.conversation(item.id);
  const typing = useStore(conversation.subscribe, () => conversation.getSnapshot().typing);
  const { you, last, kind } = item;
  const name = nameOf(item);
  const stored = isOpen ? undefined : peekDraft(me.userId, item.id);
  const draft = stored?.purpose?.kind === 'edit' ? stored.edit.text : stored?.message.text;
  const text = !last ? texts.noMessagesYet : last.fromBlocked && kind !== 'direct' ? texts.blockedHidden : last.text ?? texts.deletedPreview;
  const preview =
    typing.length > 0 ? <span class="is-typing">{texts.typingShort}</span>
    : draft ? <><span class="is-draft">{texts.draft}</span> {draft}</>
    : last && last.senderId === me.userId ? texts.youPrefix(text)
    : last && kind !== 'direct' ? `${directory.nameOf(last.senderId)}: ${text}`
    : text;
  const classes = ['entry', isOpen && 'open', item.hasUnread && 'unread', you.muted && 'muted'].filter(Boolean).join(' ');
  return (
    <a class={classes} href={`#${item.id}`} aria-current={isOpen ? 'true' : undefined} onClick={(event) => {
      event.preventDefault();
      go(item.id);
    }}>
      <ConversationAvatar item={item} />
      <span class="entry-name"><bdi>{name}</bdi>{you.muted && <><Icon name="mute" /><span class="unseen">{texts.muted}</span></>}</span>
      {item.lastAt && <time class="entry-time" dateTime={item.lastAt} title={exactTime(Date.parse(item.lastAt))}>{shortTime(Date.parse(item.lastAt))}</time>}
      <span class="entry-text"><bdi>{preview}</bdi></span>
      <Badge item={item} />
    </a>
  );
});

function Badge({ item }: { readonly item: ConversationItem }) {
  const { unread, unreadMore, mentions } = item.you;
  if (!item.hasUnread) return null;
  const words = unread === null ? texts.unreadSome : texts.unread(unread, unreadMore);
  return (
    <span class="badges">
      {(mentions ?? 0) > 0 && <span class="badge mentioned" title={texts.mentioned}><span aria-hidden="true">@</span><span class="unseen">{texts.mentioned}, </span></span>}
      <span class={unread === null ? 'badge bare' : 'badge'} title={words}>
        <span aria-hidden="true">{unread === null ? '' : unread > 99 || unreadMore ? `${Math.min(unread, 99)}+` : unread}</span><span class="unseen">{words}</span>
      </span>
    </span>
  );
}

interface Results {
  readonly query: string;
  readonly attempt: number;
  readonly stamp: string;
  readonly hasOnePage: boolean;
  readonly items: readonly SearchHit[];
  readonly before: string | null;
  readonly failure?: unknown;
}

function Found({ query, inbox, openId }: { readonly query: string; readonly inbox: InboxSnapshot; readonly openId: string | undefined }) {
  const { pulse, go } = useChat();
  const directory = useDirectory();
  const [found, setFound] = useState<Results>();
  const [attempt, setAttempt] = useState(0);
  const words = query.toLocaleLowerCase();
  const chats = inbox.items.filter((item) => nameOf(item).toLocaleLowerCase().includes(words));

  /** Changes with each entry in a conversation that has hits: one of them may be deleted or edited. */
  const stampOf = (items: readonly SearchHit[]): string =>
    [...new Set(items.map(({ conversationId }) => conversationId))].map((id) => `${id} ${pulse.conversations.get(id)?.head}`).join();
  const isShown = found?.query === query && found.attempt === attempt;
  // Only entries for the present hits repeat the search, because entries must not restart the search for other words.
  const isStale = isShown && found.hasOnePage && found.stamp !== stampOf(found.items);

  useEffect(() => {
    if (isShown && !isStale) return undefined;
    const abort = new AbortController();
    const timer = setTimeout(async () => {
      try {
        const { items, before, more } = await pulse.conversations.search(query, { signal: abort.signal });
        if (!abort.signal.aborted) setFound({ query, attempt, stamp: stampOf(items), hasOnePage: true, items, before: more ? before : null });
      } catch (error) {
        if (abort.signal.aborted || isShown) return;
        setFound({ query, attempt, stamp: '', hasOnePage: true, items: [], before: null, failure: error });
      }
    }, isShown ? refreshMs : pauseMs);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [query, attempt, isStale]);

  const failure = found?.query === query ? found.failure : undefined;
  const waitMs = failure instanceof PulseError && failure.code === 'too-many-requests' ? failure.retryAfterMs : undefined;
  useEffect(() => {
    if (waitMs === undefined) return undefined;
    const timer = setTimeout(() => setAttempt(attempt + 1), waitMs);
    return () => clearTimeout(timer);
  }, [failure]);

  // The user may have changed the query before the answer.
  const more = async (begun: Results) => {
    try {
      const page = await pulse.conversations.search(begun.query, { before: begun.before! });
      setFound((present) =>
        (present === begun ? { ...begun, hasOnePage: false, failure: undefined, items: [...begun.items, ...page.items], before: page.more ? page.before : null } : present));
    } catch (error) {
      setFound((present) => (present === begun ? { ...begun, failure: error } : present));
    }
  };
  const isHidden = ({ conversationId, senderId }: SearchHit): boolean =>
    pulse.conversations.isBlocked(senderId) && pulse.conversations.get(conversationId)?.kind !== 'direct';
  const names = useNames(found?.items ?? []);

  const isCurrent = found?.query === query;
  return (
    <div class="side-list found">
      {chats.length > 0 && (
        <>
          <h2>{texts.chatsFound}</h2>
          <ul>{chats.map((item) => <li key={item.id}><Entry item={item} isOpen={item.id === openId} /></li>)}</ul>
        </>
      )}
      {found && (found.items.length > 0 || found.before) && (
        <>
          <h2>{texts.messagesFound}</h2>
          <ul>
            {found.items.map((hit) => (
              <li key={`${hit.conversationId}-${hit.seq}`}>
                <a class="hit" href={`#${hit.conversationId}/${hit.seq}`} onClick={(event) => {
                  event.preventDefault();
                  go(hit.conversationId, hit.seq);
                }}>
                  <span class="entry-name"><bdi>{names.get(hit.conversationId) ?? ''}</bdi></span>
                  <time class="entry-time" dateTime={hit.sentAt}>{shortTime(Date.parse(hit.sentAt))}</time>
                  <span class="hit-text" dir="auto"><b><bdi>{directory.nameOf(hit.senderId)}</bdi>: </b>{isHidden(hit) ? texts.blockedHidden : withMarks(hit.snippet, query)}</span>
                </a>
              </li>
            ))}
          </ul>
          {found.before && <button type="button" class="small quiet" onClick={() => void more(found)}>{texts.moreResults}</button>}
        </>
      )}
      <p class="note side-note" role="status">
        {!isCurrent ? texts.searching : failure !== undefined ? searchFailure(failure) : chats.length === 0 && found.items.length === 0 && !found.before ? texts.noMatches(query) : ''}
        {failure !== undefined && waitMs === undefined && found!.items.length === 0 && (
          <> <button type="button" class="linkish" onClick={() => setAttempt(attempt + 1)}>{texts.retry}</button></>
        )}
      </p>
    </div>
  );
}

/** The names of the conversations of the hits. The list holds only those that it has loaded. */
function useNames(hits: readonly SearchHit[]): ReadonlyMap<string, string> {
  const { pulse } = useChat();
  const [others, setOthers] = useState<ReadonlyMap<string, string>>(new Map());
  const asked = useRef(new Set<string>());
  const ids = [...new Set(hits.map(({ conversationId }) => conversationId))];
  useEffect(() => {
    for (const id of ids) {
      if (asked.current.has(id) || pulse.conversations.get(id)) continue;
      asked.current.add(id);
      findConversation(id).then((item) => setOthers((known) => new Map(known).set(id, nameOf(item))), () => asked.current.delete(id));
    }
  }, [hits]);
  return new Map(ids.flatMap((id) => {
    const item = pulse.conversations.get(id);
    const name = item ? nameOf(item) : others.get(id);
    return name === undefined ? [] : [[id, name] as const];
  }));
}

function searchFailure(failure: unknown): string {
  const code = codeOf(failure);
  if (code === 'not-found') return texts.searchUnavailable;
  return code === 'unavailable' ? texts.searchSlow : texts.searchFailed;
}

/** The words of the query in the snippet, marked where a word begins. */
function withMarks(snippet: string, query: string) {
  const words = query.split(/[\s"“”„]+/).filter(Boolean).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  if (words.length === 0) return snippet;
  return snippet.split(new RegExp(`(?<![\\p{L}\\p{N}])(${words.join('|')})`, 'giu')).map((part, index) => (index % 2 === 1 ? <mark key={index}>{part}</mark> : part));
}
