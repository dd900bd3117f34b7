import { PulseError } from '../errors.js';
import { Listeners } from '../listeners.js';
import { normalizeId } from '../presence.js';
import type { Viewer } from './log.js';
import { isFinal, type Session } from './session.js';
import type { Shelf } from './storage.js';
import type { ConversationItem, InboxSnapshot, UnreadTotal, You } from './types.js';
import type { Entry, Item, Marked } from './wire.js';

const pageSize = 50;
/** The server's limit for one call. */
const syncAtOnce = 200;
const previewLength = 200;
const keptItems = 50;
const keepAfterMs = 1_000;

interface Row {
  item: ConversationItem;
  /** Milliseconds. A conversation that is still empty has a place of its own. */
  readonly orderAt: number;
}

interface Fetching {
  done: Promise<void>;
  /** The answer may be older than what the client has learned since: asks again. */
  again: boolean;
  /** A hint has come since the request, so that a refusal may be of before the user was added again. */
  hasNews: boolean;
}

/** The heads that the client knew when it made a request. The answer is at least as new. */
interface Asked {
  readonly request: number;
  readonly heads: ReadonlyMap<string, number>;
}

/** The conversations of the user, most recent first, merged from pages, hints, and the logs of open conversations. */
export class Inbox {
  readonly #session: Session;
  readonly #viewer: Viewer;
  readonly #onItem: (id: string, isNews: boolean) => void;
  readonly #listeners = new Listeners<void>();
  readonly #rows = new Map<string, Row>();
  #snapshot: InboxSnapshot | undefined;
  /** Rows have changed since the listeners were last notified. */
  #hasNewRows = false;
  #unread: UnreadTotal | undefined;
  #before: string | null = null;
  #isReady = false;
  #loadingMore: Promise<void> | undefined;
  /** The other values at the latest notification. */
  #told = this.#flags;
  #refreshing: Promise<void> | undefined;
  #shelf: Shelf | undefined;
  #logId: string | undefined;
  #keeping: ReturnType<typeof setTimeout> | undefined;
  readonly #fetching = new Map<string, Fetching>();
  /** Conversations that are gone, with the number of the latest request before that: answers up to it may still show them. */
  readonly #dropped = new Map<string, number>();
  #requests = 0;
  /** Raised when all conversations are dropped: answers to earlier requests are ignored. */
  #epoch = 0;

  /** @param onItem called with each conversation whose item changed; `isNews`: the server has reported it. */
  constructor(session: Session, viewer: Viewer, onItem: (id: string, isNews: boolean) => void) {
    this.#session = session;
    this.#viewer = viewer;
    this.#onItem = onItem;
  }

  readonly subscribe = (listener: () => void): (() => void) => this.#listeners.add(listener);

  readonly getSnapshot = (): InboxSnapshot => (this.#snapshot ??= Object.freeze({
    items: Object.freeze([...this.#rows.values()].sort(byOrder).map(({ item }) => item)),
    state: this.#isReady ? 'ready' : 'loading',
    hasMore: this.#before !== null,
    isLoadingMore: this.#loadingMore !== undefined,
    unread: this.#total(),
  }));

  /** Whether the application shows it. */
  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  readonly get = (id: string): ConversationItem | undefined => this.#rows.get(normalizeId(id))?.item;

  readonly loadMore = (): Promise<void> =>
    (this.#loadingMore ??= this.#loadMore().finally(() => {
      this.#loadingMore = undefined;
      this.#changed();
    }));

  /** Shows what the last visit left, if it is of the same database. */
  async start(shelf: Shelf, logId: string | undefined): Promise<void> {
    this.#logId = logId;
    if (this.#shelf === shelf) return;
    this.#shelf = shelf;
    const epoch = this.#epoch;
    const kept = (await shelf.get('inbox')) as { readonly logId?: string; readonly items?: readonly Item[] } | undefined;
    if (!kept?.items || kept.logId !== logId || this.#isReady || epoch !== this.#epoch) return;
    for (const item of kept.items) if (!this.#rows.has(item.id)) this.#put(item, this.#below());
    this.#changed();
  }

  /** Reads the inbox, and compares the conversations outside of the pages that were read. */
  readonly refresh = (): Promise<void> => this.#refreshing ?? this.catchUp();

  /** Reads the inbox on a new connection: a reading in progress may have been answered before hints were missed. */
  catchUp(): Promise<void> {
    const refreshing = (this.#refreshing = this.#refresh().finally(() => {
      if (this.#refreshing === refreshing) this.#refreshing = undefined;
    }));
    return refreshing;
  }

  /** Applies items that the server has sent by itself. */
  hinted(items: readonly Item[]): void {
    for (const item of items) {
      // The hint may be from before the removal. A lower head is a late hint, or the server has lost entries.
      if (this.#dropped.has(item.id) || item.head < (this.get(item.id)?.head ?? 0)) void this.fetch(item.id);
      else this.#take(item, Date.now());
      const fetching = this.#fetching.get(item.id);
      if (fetching) fetching.hasNews = true;
    }
    this.#changed();
  }

  /** Applies an item that the server has just created or found for this client. */
  created(item: Item): void {
    this.#dropped.delete(item.id);
    this.hinted([item]);
  }

  drop(id: string): void {
    this.#dropped.set(id, this.#requests);
    if (!this.#rows.delete(id)) return;
    this.#hasNewRows = true;
    this.#onItem(id, false);
    this.#changed();
  }

  /** Applies entries of an open conversation, because the server sends hints only of closed ones. */
  applied(id: string, entries: readonly Entry[], wasUnread: (seq: number) => boolean): void {
    const row = this.#rows.get(id);
    if (!row) {
      void this.fetch(id);
      return;
    }
    let { item } = row;
    if (entries[0] && entries[0].seq > item.head + 1) void this.fetch(id);
    for (const entry of entries) if (entry.seq > item.head) item = this.#follow(item, entry, wasUnread);
    if (item === row.item) return;
    this.#put(item, row.orderAt);
    this.#onItem(id, false);
    this.#changed();
  }

  /** The user's marker has moved: what the server answered, or, before it answers, what the client expects. */
  marked(id: string, { read, unread, unreadMore, mentions }: Marked): void {
    this.#patch(id, (you) => (read < you.read ? you : { ...you, read, ...(you.unread !== null && { unread, mentions }), unreadMore }));
  }

  muted(id: string, muted: boolean): void {
    this.#patch(id, (you) => ({ ...you, muted }));
  }

  /** The client shows the log of the conversation up to that entry: loads the item where it is older. */
  reached(id: string, seq: number): void {
    if ((this.get(id)?.head ?? 0) < seq) void this.fetch(id);
  }

  /** Loads one conversation anew. Never rejects. */
  fetch(id: string): Promise<void> {
    const present = this.#fetching.get(id);
    if (present) {
      present.again = true;
      return present.done;
    }
    const fetching: Fetching = { done: Promise.resolve(), again: false, hasNews: false };
    this.#fetching.set(id, fetching);
    return (fetching.done = this.#fetch(id, fetching, this.#epoch).finally(() => {
      if (this.#fetching.get(id) === fetching) this.#fetching.delete(id);
    }));
  }

  async #fetch(id: string, fetching: Fetching, epoch: number): Promise<void> {
    do {
      fetching.again = fetching.hasNews = false;
      const asked = this.#ask();
      try {
        const item = await this.#session.insistRequest<Item>('GET', `/conversations/${id}`);
        if (epoch !== this.#epoch) return;
        this.#takeAnswer(item, asked);
        this.#changed();
      } catch (error) {
        if (epoch !== this.#epoch || !(error instanceof PulseError)) return;
        if (!isFinal(error)) continue;
        if (fetching.hasNews) fetching.again = true;
        else this.drop(id);
      }
    } while (fetching.again);
  }

  #ask(): Asked {
    return { request: ++this.#requests, heads: new Map([...this.#rows].map(([id, { item }]) => [id, item.head])) };
  }

  #takeAnswer(item: Item, { request, heads }: Asked, orderAt = Date.now()): void {
    const droppedAt = this.#dropped.get(item.id);
    if (droppedAt !== undefined && request <= droppedAt) {
      // The answer is from before the removal, or from after the user was added again. Another request decides.
      void this.fetch(item.id);
      return;
    }
    this.#dropped.delete(item.id);
    const before = heads.get(item.id);
    // The server has lost entries that it had reported, as in a failover to a standby that lags behind.
    if (before !== undefined && item.head < before && this.get(item.id)?.head === before) {
      this.#put(item, this.#rows.get(item.id)!.orderAt);
      this.#onItem(item.id, true);
    } else {
      this.#take(item, orderAt);
    }
  }

  /** Applies an item unless a newer one is known. */
  #take(item: Item, orderAt: number): void {
    const known = this.#rows.get(item.id);
    if (known && (item.head < known.item.head || (item.head === known.item.head && item.you.read < known.item.you.read))) return;
    this.#put(item, known?.orderAt ?? orderAt, Math.max(item.you.read, known?.item.you.read ?? 0));
    this.#onItem(item.id, true);
  }

  /** Drops all conversations. */
  reset(): void {
    this.#epoch++;
    this.#refreshing = undefined;
    this.#fetching.clear();
    this.#dropped.clear();
    const ids = [...this.#rows.keys()];
    this.#rows.clear();
    this.#hasNewRows ||= ids.length > 0;
    this.#before = null;
    this.#isReady = false;
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    for (const id of ids) this.#onItem(id, false);
    this.#changed(false);
  }

  end(): void {
    // Otherwise a tab could write data back that another tab has deleted at the sign-out.
    if (this.#keeping !== undefined) this.#keep();
    this.#shelf = undefined;
    this.reset();
  }

  /** Reads all items anew, after a block. */
  remark(): void {
    for (const [id, row] of this.#rows) {
      this.#put(row.item, row.orderAt);
      this.#onItem(id, false);
    }
    this.#changed();
  }

  async #refresh(): Promise<void> {
    const epoch = this.#epoch;
    let rest: Set<string> | undefined;
    let before: string | null = null;
    let isDone = false;
    let hasUnknown = false;
    for (let hasNews = true; hasNews && !isDone;) {
      const asked = this.#ask();
      const page: { items: readonly Item[]; before: string | null } = await this.#page(before);
      if (epoch !== this.#epoch) return;
      // This set is made after the first page, because the rows of the last visit may have come while the page was on its way.
      rest ??= new Set(this.#rows.keys());
      hasNews = hasUnknown = false;
      for (const item of page.items) {
        const known = this.get(item.id);
        if (!known) hasUnknown = true;
        if (rest.delete(item.id) && known && known.head < item.head) hasNews = true;
      }
      this.#takePage(page.items, asked);
      const isFirst: boolean = before === null;
      before = page.before;
      // The first reading begins at the cursor of its first page. Later readings keep the cursor, because the conversations up to it are known.
      if (isFirst && !this.#isReady) this.#before = before;
      this.#isReady = true;
      this.#changed();
      isDone = before === null || rest.size === 0;
    }
    // Otherwise conversations between these pages and those of before would be out of reach.
    if (isDone || hasUnknown) this.#before = before;
    this.#changed();
    await this.#sync([...(rest ?? [])], epoch);
  }

  async #sync(ids: readonly string[], epoch: number): Promise<void> {
    const { connection } = this.#session;
    if (!connection) return;
    for (let start = 0; start < ids.length; start += syncAtOnce) {
      const known = ids.slice(start, start + syncAtOnce).flatMap((id) => {
        const item = this.get(id);
        return item ? [{ id, seq: item.head, read: item.you.read }] : [];
      });
      const answers = await this.#session.call(connection, 'SyncConversations', known);
      if (epoch !== this.#epoch) return;
      for (const { id, head, read, gone, reset } of answers) {
        const item = this.get(id);
        if (!item) continue;
        // The user may have been added again since.
        if (gone || reset || head > item.head || read > item.you.read) await this.fetch(id);
        if (epoch !== this.#epoch) return;
      }
    }
  }

  async #loadMore(): Promise<void> {
    if (this.#before === null) return;
    const epoch = this.#epoch;
    this.#changed();
    const asked = this.#ask();
    const after = this.#before;
    const { items, before } = await this.#page(after);
    if (epoch !== this.#epoch) return;
    if (this.#before === after) this.#before = before;
    this.#takePage(items, asked);
  }

  #page(before: string | null): Promise<{ items: readonly Item[]; before: string | null }> {
    return this.#session.request('GET', `/conversations?limit=${pageSize}${before === null ? '' : `&before=${encodeURIComponent(before)}`}`);
  }

  #takePage(items: readonly Item[], asked: Asked): void {
    let orderAt = Date.now();
    for (const item of items) {
      orderAt = item.lastAt ? Date.parse(item.lastAt) : orderAt;
      this.#takeAnswer(item, asked, orderAt);
    }
  }

  #below(): number {
    return Math.min(Date.now(), ...[...this.#rows.values()].map(({ orderAt }) => orderAt)) - 1;
  }

  #follow(item: ConversationItem, entry: Entry, wasUnread: (seq: number) => boolean): ConversationItem {
    const { seq, kind, senderId, sentAt, target } = entry;
    const isMine = this.#viewer.isMe(senderId);
    let { you, last } = item;
    const count = (messages: number, mentions: number): void => {
      if (you.unread === null) return;
      you = { ...you, unread: Math.max(0, you.unread + messages), mentions: Math.max(0, (you.mentions ?? 0) + mentions) };
    };
    const change: { -readonly [M in keyof ConversationItem]?: ConversationItem[M] } = { head: seq };
    if (kind === 'message') {
      const { clientId = null, text = null, mentions = [], replyTo = null } = entry;
      last = {
        seq, senderId, clientId, text: text?.slice(0, previewLength) ?? null, sentAt, replyTo, mentions, editedSeq: entry.editedSeq ?? null,
        deletedSeq: entry.deletedSeq ?? null, reactions: [], fromBlocked: false,
      };
      change.lastAt = sentAt;
      if (!isMine && seq > you.read && text !== null) count(1, mentions.some((userId) => this.#viewer.isMe(userId)) && !this.#viewer.isBlocked(senderId) ? 1 : 0);
    } else if (kind === 'edit' && last?.seq === target) {
      last = { ...last!, text: entry.text?.slice(0, previewLength) ?? null, editedSeq: seq };
    } else if (kind === 'delete') {
      if (target !== undefined && wasUnread(target)) count(-1, 0);
      if (last?.seq === target) last = { ...last!, text: null, deletedSeq: seq };
    } else if (kind === 'sender-erased' && last?.senderId === senderId) {
      last = { ...last, text: null };
    } else if (kind === 'renamed') {
      change.title = entry.title ?? null;
    } else if (kind === 'rules-changed' && entry.newcomersSee) {
      change.newcomersSee = entry.newcomersSee;
    } else if (kind === 'closed') {
      change.closedAt = sentAt;
    } else if (kind === 'role-changed' && entry.role && entry.userId && this.#viewer.isMe(entry.userId)) {
      you = { ...you, role: entry.role };
    }
    return { ...item, ...change, you, last };
  }

  #patch(id: string, patch: (you: You) => You): void {
    const row = this.#rows.get(id);
    const you = row && patch(row.item.you);
    if (!row || !you || you === row.item.you) return;
    this.#put({ ...row.item, you }, row.orderAt);
    this.#onItem(id, false);
    this.#changed();
  }

  #put(item: Item, orderAt: number, read = item.you.read): void {
    const you = Object.freeze({ ...item.you, read });
    const last = item.last && Object.freeze({ ...item.last, fromBlocked: this.#viewer.isBlocked(item.last.senderId) });
    const isNew = last !== null && last.seq > you.read && !this.#viewer.isMe(last.senderId);
    const hasUnread = you.unread === null ? isNew : you.unread > 0;
    const row: Row = { item: Object.freeze({ ...item, you, last, hasUnread }), orderAt: item.lastAt ? Date.parse(item.lastAt) : orderAt };
    // Most readings of the inbox return the same rows. Equal rows keep their objects, so that listeners are spared.
    if (isSame(row, this.#rows.get(item.id))) return;
    this.#rows.set(item.id, row);
    this.#hasNewRows = true;
  }

  #total(): UnreadTotal {
    const total = { messages: 0, more: false, mentions: 0, conversations: 0 };
    for (const { item: { you, hasUnread } } of this.#rows.values()) {
      total.mentions += you.mentions ?? 0;
      if (you.muted) continue;
      total.messages += you.unread ?? 0;
      total.more ||= you.unreadMore || (you.unread === null && hasUnread);
      if (hasUnread) total.conversations++;
    }
    const before = this.#unread;
    const isSame = before?.messages === total.messages && before.more === total.more && before.mentions === total.mentions && before.conversations === total.conversations;
    return isSame ? before : (this.#unread = Object.freeze(total));
  }

  /** The parts of the snapshot beside the rows. */
  get #flags(): string {
    return `${this.#isReady} ${this.#before !== null} ${this.#loadingMore !== undefined}`;
  }

  #changed(keeps = true): void {
    const flags = this.#flags;
    if (!this.#hasNewRows && flags === this.#told) return;
    this.#hasNewRows = false;
    this.#told = flags;
    this.#snapshot = undefined;
    if (keeps && this.#shelf) this.#keeping ??= setTimeout(() => this.#keep(), keepAfterMs);
    this.#listeners.tell();
  }

  #keep(): void {
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    if (this.#isReady) void this.#shelf?.set('inbox', { logId: this.#logId, items: this.getSnapshot().items.slice(0, keptItems) });
  }
}

/** Whether both are the same JSON value. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return a === b;
  const [entries, others] = [Object.entries(a), b as Readonly<Record<string, unknown>>];
  return entries.length === Object.keys(b).length && entries.every(([key, value]) => isSame(value, others[key]));
}

function byOrder(a: Row, b: Row): number {
  return b.orderAt - a.orderAt || (a.item.id < b.item.id ? 1 : -1);
}
