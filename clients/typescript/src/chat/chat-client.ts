import type { Connection } from '../connection.js';
import { PulseError } from '../errors.js';
import type { ExtensionHost, Running } from '../extension.js';
import type { HubMessages } from '../hub.js';
import { normalizeId } from '../presence.js';
import { pause } from '../time.js';
import { ConversationStore, type Shared } from './conversation.js';
import { Inbox } from './inbox.js';
import type { Viewer } from './log.js';
import { newId } from './new-id.js';
import { Outbox } from './outbox.js';
import { restOf, type Request } from './rest.js';
import { Session } from './session.js';
import { defaultStorage, Shelf, StorageQueue } from './storage.js';
import { defaultLocks, type TabLocks } from './tab-locks.js';
import type { Channel, ChatMembers, ChatOptions, Conversation, Conversations, SearchHit } from './types.js';
import type { Item } from './wire.js';

/** Closed conversations whose logs stay in memory, so that going back to them is instant. */
const closedLogs = 10;
/**
 * Above `HintsUpTo` members the server sends hints only to mentioned users, so the client reads the inbox about this often.
 */
const refreshMs = 60_000;

/** The environment of chat. Tests provide their own. */
export interface ChatSurroundings {
  readonly request?: Request;
  readonly locks?: TabLocks;
  readonly minWindow?: number;
}

/**
 * The conversations of a client. An unused conversation stays only as long as the application refers to it, because a server that renders
 * pages with one client would otherwise keep a conversation for each id.
 */
class WeakStores {
  readonly #used = new Set<ConversationStore>();
  readonly #all = new Map<string, Pick<WeakRef<ConversationStore>, 'deref'>>();
  /** At this number of conversations, `add` removes the entries of collected conversations. */
  #sweepAt = 100;

  get(id: string): ConversationStore | undefined {
    return this.#all.get(id)?.deref();
  }

  add(conversation: ConversationStore): void {
    if (this.#all.size >= this.#sweepAt) {
      for (const [id, reference] of this.#all) if (!reference.deref()) this.#all.delete(id);
      this.#sweepAt = Math.max(100, 2 * this.#all.size);
    }
    // Older versions of React Native lack WeakRef.
    this.#all.set(conversation.id, typeof WeakRef === 'function' ? new WeakRef(conversation) : { deref: () => conversation });
  }

  hold(conversation: ConversationStore): void {
    if (conversation.isUsed) this.#used.add(conversation);
    else this.#used.delete(conversation);
  }

  values(): ConversationStore[] {
    return [...this.#all.values()].flatMap((reference) => reference.deref() ?? []);
  }
}

/** The chat of one client: connects the parts. */
export class ChatClient implements Running<ChatMembers> {
  readonly members: ChatMembers;
  readonly #host: ExtensionHost;
  readonly #session: Session;
  readonly #storage: StorageQueue;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #conversations = new WeakStores();
  readonly #shared: Shared;
  readonly #blocked = new Set<string>();
  #blockCalls = 0;
  /** Closed conversations with a log in memory, the latest at the end. */
  readonly #closed = new Set<ConversationStore>();
  #shelf: Shelf | undefined;
  #logId: string | undefined;

  constructor(host: ExtensionHost, { storage, windowSize = 400 }: ChatOptions, around: ChatSurroundings = {}) {
    const { minWindow = 100 } = around;
    if (!(windowSize >= minWindow)) throw new RangeError(`windowSize is ${windowSize}; it must be ${minWindow} or more.`);
    this.#host = host;
    this.#storage = new StorageQueue(storage ?? defaultStorage(), (error) => host.onError(error));
    const session = (this.#session = new Session(host, around.request ?? restOf(host)));
    const viewer: Viewer = { isMe: (userId) => userId === session.userId, isBlocked: (userId) => this.#blocked.has(userId) };
    const inbox = (this.#inbox = new Inbox(session, viewer, (id, isNews) => this.#conversations.get(id)?.itemChanged(isNews)));
    const outbox = (this.#outbox = new Outbox(session, around.locks ?? defaultLocks(), (id) => this.#conversation(id).pendingChanged()));
    this.#shared = {
      session, inbox, outbox, viewer, windowSize,
      shelf: () => this.#shelf,
      logId: () => this.#logId,
      onUse: (conversation) => this.#conversations.hold(conversation),
      onClosed: (conversation) => this.#onClosed(conversation),
    };
    this.members = { conversations: this.#makeConversations(), conversation: (id): Conversation => this.#conversation(normalizeId(id)) };
  }

  onStart(): void {
    this.#storage.resume();
    this.#outbox.begin();
    this.#session.started();
  }

  onOpen(connection: Connection, { userId, logId }: HubMessages['Connected']): void {
    if (connection.over.aborted) return;
    if (this.#session.userId !== undefined && this.#session.userId !== userId) this.onEnd();
    const shelf = (this.#shelf ??= new Shelf(this.#storage, this.#host.url, userId));
    this.#listen(connection);
    this.#session.opened(connection, userId);
    connection.over.addEventListener('abort', () => {
      for (const conversation of this.#conversations.values()) conversation.parted();
    });
    // From now on messages can be stored, also when this connection breaks at once.
    void this.#outbox.start(shelf, userId);
    void this.#begin(connection, shelf, logId ?? undefined);
  }

  async onForget(userId: string | undefined): Promise<void> {
    this.#outbox.forget();
    if (userId === undefined) return;
    await (this.#session.userId === userId && this.#shelf ? this.#shelf : new Shelf(this.#storage, this.#host.url, userId)).forget();
  }

  onEnd(): void {
    this.#outbox.end();
    for (const conversation of this.#conversations.values()) conversation.end();
    this.#inbox.end();
    this.#shelf?.close();
    this.#shelf = undefined;
    this.#storage.resume();
    this.#logId = undefined;
    this.#blocked.clear();
    this.#closed.clear();
    this.#session.ended();
  }

  /** Catches up with the time in which the client was disconnected. */
  async #begin(connection: Connection, shelf: Shelf, logId: string | undefined): Promise<void> {
    const isOver = (): boolean => connection.over.aborted || this.#shelf !== shelf;
    const isFirst = this.#logId === undefined;
    // Before anything of that log is shown or asked for.
    const known = this.#logId ?? ((await shelf.get('log-id')) as string | undefined);
    if (isOver()) return;
    if (logId !== undefined && known !== logId) {
      if (known !== undefined) await this.#dropLogs(shelf);
      void shelf.set('log-id', logId);
      if (isOver()) return;
    }
    // Pages that were loaded before the first connection may be of any database.
    if (isFirst && logId !== undefined) for (const conversation of this.#conversations.values()) conversation.resetLoaded();
    this.#logId = logId ?? known;
    if (isFirst) await this.#recallBlocked(shelf);
    void this.#inbox.start(shelf, this.#logId);
    if (isOver()) return;
    for (const conversation of this.#conversations.values()) void conversation.join(true);
    for (let failures = 1; !isOver(); failures++) {
      let refusal: unknown;
      try {
        await this.#inbox.catchUp();
        break;
      } catch (error) {
        refusal = error;
        if (!isOver()) this.#host.onError(error instanceof PulseError ? error : new PulseError('call-failed', String(error)));
      }
      await this.#session.backoff(failures, refusal, connection.over);
    }
    let areBlocksRead = isFirst && (await this.#readBlocked(shelf));
    while (!isOver()) {
      // At different times for the clients of a server that has restarted.
      await pause(refreshMs * (0.75 + this.#host.random() / 2), connection.over, this.#session.over);
      // The next minute repeats a failed reading.
      if (!isOver()) areBlocksRead ||= await this.#readBlocked(shelf);
      if (!isOver() && this.#inbox.isWatched && this.#host.isSeen()) await this.#inbox.refresh().catch(() => undefined);
    }
  }

  /** The database was restored from a backup: what is known of its logs may be wrong. */
  async #dropLogs(shelf: Shelf): Promise<void> {
    this.#inbox.reset();
    for (const conversation of this.#conversations.values()) conversation.reset();
    await shelf.clear('log ');
    await shelf.delete('inbox');
  }

  #listen(connection: Connection): void {
    const find = (id: string): ConversationStore | undefined => this.#conversations.get(id);
    connection.on('EntriesAdded', (run) => find(run.conversationId)?.added(run));
    connection.on('InboxChanged', ({ conversations }) => this.#inbox.hinted(conversations));
    connection.on('ReadChanged', ({ conversationId, markers }) => find(conversationId)?.marked(markers));
    connection.on('TypingChanged', ({ conversationId, userIds }) => find(conversationId)?.typed(userIds));
    connection.on('Behind', ({ conversationId, head }) => find(conversationId)?.behind(head));
    connection.on('ConversationGone', ({ conversationId, reason }) => {
      this.#inbox.drop(conversationId);
      find(conversationId)?.gone(reason);
    });
  }

  #conversation(id: string): ConversationStore {
    const present = this.#conversations.get(id);
    if (present) return present;
    const conversation = new ConversationStore(id, this.#shared);
    this.#conversations.add(conversation);
    return conversation;
  }

  #onClosed(conversation: ConversationStore): void {
    this.#closed.delete(conversation);
    this.#closed.add(conversation);
    for (const oldest of [...this.#closed].slice(0, -closedLogs)) {
      this.#closed.delete(oldest);
      oldest.free();
    }
  }

  async #recallBlocked(shelf: Shelf): Promise<void> {
    const blocked = (await shelf.get('blocked')) as readonly string[] | undefined;
    if (this.#shelf === shelf && blocked) this.#takeBlocked(blocked.map(normalizeId));
  }

  /** Blocks by other devices of the user. Returns whether the server has answered. */
  async #readBlocked(shelf: Shelf): Promise<boolean> {
    const calls = this.#blockCalls;
    const ids: string[] = [];
    let after: string | undefined;
    try {
      do {
        const page: { items: readonly { userId: string }[]; after: string | null } = await this.#session.request('GET', `/users/blocked?${query({ after })}`);
        for (const { userId } of page.items) ids.push(userId);
        after = page.after ?? undefined;
      } while (after);
    } catch {
      return false;
    }
    // The answer may be older than a block of this page.
    if (calls !== this.#blockCalls) return this.#readBlocked(shelf);
    if (this.#shelf === shelf) this.#takeBlocked(ids);
    return true;
  }

  #takeBlocked(ids: readonly string[]): void {
    const isSame = ids.length === this.#blocked.size && ids.every((id) => this.#blocked.has(id));
    if (isSame) return;
    this.#blocked.clear();
    for (const id of ids) this.#blocked.add(id);
    void this.#shelf?.set('blocked', ids);
    this.#remark();
  }

  /** Marks the messages of blocked users. */
  #remark(): void {
    this.#inbox.remark();
    for (const conversation of this.#conversations.values()) conversation.remark();
  }

  async #block(id: string, on: boolean): Promise<void> {
    const userId = normalizeId(id);
    this.#blockCalls++;
    await this.#session.insistRequest(on ? 'PUT' : 'DELETE', `/users/${userId}/block`);
    this.#blockCalls++;
    const others = [...this.#blocked].filter((blockedId) => blockedId !== userId);
    this.#takeBlocked(on ? [...others, userId] : others);
  }

  #makeConversations(): Conversations {
    const [session, inbox] = [this.#session, this.#inbox];
    const { subscribe, getSnapshot, get, loadMore, refresh } = inbox;
    return {
      subscribe, getSnapshot, get, loadMore, refresh,
      create: async ({ kind, title, members = [], newcomersSee }) => {
        const item = await session.insistRequest<Item>('POST', '/conversations', {
          kind, members, clientId: newId(), ...(title !== undefined && { title }), ...(newcomersSee !== undefined && { newcomersSee }),
        });
        inbox.created(item);
        return get(item.id)!;
      },
      channels: (q, after) => firstWithItems(
        (from) => session.request<{ items: readonly Channel[]; after: string | null }>('GET', `/channels?${query({ q, after: from })}`), after, (page) => page.after, pagesOfChannels,
      ),
      join: async (id) => {
        const channelId = normalizeId(id);
        await session.connected();
        await session.insistRequest('PUT', `/conversations/${channelId}/members/${session.userId}`);
        await inbox.fetch(channelId);
        const item = get(channelId);
        if (!item) throw new PulseError('not-found', 'The channel is gone.');
        return item;
      },
      search: (q, { conversation, before, signal } = {}) => firstWithItems(
        (from) => session.request<{ items: readonly SearchHit[]; before: string | null; more: boolean }>(
          'GET', `/search?${query({ q, conversation, before: from })}`, undefined, signal,
        ),
        before, (page) => (page.more ? page.before : null),
      ),
      block: (userId) => this.#block(userId, true),
      unblock: (userId) => this.#block(userId, false),
      isBlocked: (userId) => this.#blocked.has(normalizeId(userId)),
    };
  }
}

/** The requests of one list of channels: each counts as a search, and a user may make 20 in 10 s. */
const pagesOfChannels = 3;

/**
 * Requests pages until one has items, or so many. A slow search, and a list of which a policy hides channels, answer an empty page with the position
 * that they have reached.
 */
async function firstWithItems<P extends { readonly items: readonly unknown[] }>(
  request: (from: string | undefined) => Promise<P>, from: string | undefined, nextOf: (page: P) => string | null, most = Infinity,
): Promise<P> {
  let page = await request(from);
  let asked = 1;
  for (let next = nextOf(page); next != null && page.items.length === 0 && asked < most; next = nextOf(page), asked++) {
    try {
      page = await request(next);
    } catch (error) {
      if (!(error instanceof PulseError) || !['unavailable', 'too-many-requests'].includes(error.code)) throw error;
      break;
    }
  }
  return page;
}

function query(parts: Readonly<Record<string, string | undefined>>): string {
  return new URLSearchParams(Object.entries(parts).filter((part): part is [string, string] => part[1] !== undefined)).toString();
}
