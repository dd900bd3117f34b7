import type { Connection } from '../connection.js';
import { PulseError } from '../errors.js';
import { Listeners } from '../listeners.js';
import { later } from '../time.js';
import type { Inbox } from './inbox.js';
import { Log, type KeptLog, type Viewer } from './log.js';
import type { Outbox } from './outbox.js';
import { isFinal, type Session } from './session.js';
import type { Shelf } from './storage.js';
import type { Conversation, ConversationSnapshot, EditOptions, Member, NewcomersSee, Role, SendOptions } from './types.js';
import type { Entries, EntriesAdded, Entry, Marked, Marker, Messages } from './wire.js';

const pageSize = 50;
const entriesAtOnce = 500;
/** A client that misses more than that shows the newest messages instead, as after a first open. */
const tooManyMissing = 2_000;
const closeAfterMs = 5_000;
const typingEveryMs = 3_000;
const typingLastsMs = 6_000;
const keptMessages = 50;
const keepAfterMs = 1_000;
const nobody: readonly string[] = Object.freeze([]);

/** The parts that all conversations of a client share. */
export interface Shared {
  readonly session: Session;
  readonly inbox: Inbox;
  readonly outbox: Outbox;
  readonly viewer: Viewer;
  readonly windowSize: number;
  shelf(): Shelf | undefined;
  /** The database that the logs are of. Another tab may store the logs of an earlier one. */
  logId(): string | undefined;
  /** `isUsed` of the conversation may have changed. */
  onUse(conversation: ConversationStore): void;
  /** The conversation was closed, and its log stays in memory. */
  onClosed(conversation: ConversationStore): void;
}

export class ConversationStore implements Conversation {
  readonly id: string;
  readonly #shared: Shared;
  readonly #log: Log;
  readonly #listeners = new Listeners<void>();
  #snapshot: ConversationSnapshot | undefined;
  #opens = 0;
  #closing: (() => void) | undefined;
  /** The connection on which the server has it open. */
  #joined: Connection | undefined;
  /** The opening in progress. `Behind` begins another one, because the server has closed the conversation again. */
  #joining: { readonly connection: Connection } | undefined;
  /** Counts the reports of the server that the user is a member. */
  #news = 0;
  #fetching = false;
  #error: PulseError | null = null;
  #isGone = false;
  #role: Role | undefined;
  #read = 0;
  /** A marker that the server has yet to answer. */
  #wanted = 0;
  #isMarking = false;
  #typing = nobody;
  #typingEnds: (() => void) | undefined;
  #typedAt = -Infinity;
  #markers: ReadonlyMap<string, number> = new Map();
  #loadingBefore: Promise<void> | undefined;
  #loadingAfter: Promise<void> | undefined;
  #resets = 0;
  /** Raised when the log is dropped: answers to earlier requests are ignored. */
  #epoch = 0;
  #recalled: Promise<void> | undefined;
  #keeping: ReturnType<typeof setTimeout> | undefined;

  constructor(id: string, shared: Shared) {
    this.id = id;
    this.#shared = shared;
    this.#log = new Log(shared.viewer, shared.windowSize);
  }

  get isOpen(): boolean {
    return this.#opens > 0 || this.#closing !== undefined;
  }

  /** Whether the conversation has state to keep, or listeners to notify. */
  get isUsed(): boolean {
    return this.isOpen || this.#listeners.size > 0 || this.#log.applied !== undefined || this.#wanted > 0
      || this.#shared.outbox.has(this.id);
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const remove = this.#listeners.add(listener);
    this.#shared.onUse(this);
    return () => {
      remove();
      this.#shared.onUse(this);
    };
  };

  readonly getSnapshot = (): ConversationSnapshot => (this.#snapshot ??= Object.freeze({
    state: this.#state(),
    error: this.#error,
    item: this.#shared.inbox.get(this.id),
    messages: this.#log.messages,
    quotes: this.#log.quotes,
    notices: this.#log.notices,
    pending: this.#shared.outbox.pending(this.id),
    hasBefore: this.#log.hasBefore,
    hasAfter: this.#log.hasAfter,
    isLoadingBefore: this.#loadingBefore !== undefined,
    isLoadingAfter: this.#loadingAfter !== undefined,
    head: this.#log.head,
    typing: this.#typing,
    markers: this.#markers,
    read: Math.max(this.#read, this.#wanted, this.#shared.inbox.get(this.id)?.you.read ?? 0),
    role: this.#role ?? this.#shared.inbox.get(this.id)?.you.role,
    resets: this.#resets,
  }));

  readonly open = (): (() => void) => {
    // The user may have been added again since the server refused it.
    if (this.#opens++ === 0 && this.#isGone) {
      this.#isGone = false;
      this.#error = null;
    }
    this.#closing?.();
    this.#closing = undefined;
    this.#changed();
    void this.join();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (--this.#opens === 0) this.#closing = later(closeAfterMs, () => this.#close());
    };
  };

  readonly send = (text: string, options: SendOptions = {}): string => {
    this.#typedAt = -Infinity;
    return this.#shared.outbox.send(this.id, text, options);
  };

  readonly retry = (clientId: string): void => this.#shared.outbox.retry(this.id, clientId);

  readonly discard = (clientId: string): boolean => this.#shared.outbox.discard(this.id, clientId);

  readonly edit = async (seq: number, text: string, { mentions = [], edited, signal }: EditOptions = {}): Promise<void> => {
    const known = this.#log.find(seq);
    const base = edited ?? (known && (known.editedSeq ?? 0));
    await this.#shared.session.insistUntil(signal, 'EditMessage', this.id, seq, { text, mentions, ...(base !== undefined && { edited: base }) });
  };

  readonly delete = async (seq: number): Promise<void> => {
    await this.#shared.session.insist('DeleteMessage', this.id, seq);
  };

  readonly react = async (seq: number, emoji: string, on = true): Promise<void> => {
    await this.#shared.session.insist('React', this.id, seq, emoji, on);
  };

  readonly markRead = (seq = this.#log.applied ?? 0): void => {
    const { read } = this.getSnapshot();
    if (seq <= read) return;
    this.#wanted = seq;
    this.#changed();
    void this.#mark();
  };

  readonly typing = (): void => {
    // `performance.now()` only grows. `Date.now()` may go back when the clock is corrected, and the reports would stop.
    const now = performance.now();
    const { connection } = this.#shared.session;
    if (!connection || now - this.#typedAt < typingEveryMs) return;
    this.#typedAt = now;
    connection.invoke('Typing', this.id).catch(() => undefined);
  };

  readonly loadBefore = (): Promise<void> => {
    const before = this.#log.messages[0]?.seq;
    if (before === undefined || !this.#log.hasBefore) return Promise.resolve();
    return (this.#loadingBefore ??= this.#load(`before=${before}`, (page) => void this.#log.prepend(page, before)).finally(() => {
      this.#loadingBefore = undefined;
      this.#changed();
    }));
  };

  readonly loadAfter = (): Promise<void> => {
    const after = this.#log.messages.at(-1)?.seq;
    if (after === undefined || !this.#log.hasAfter) return Promise.resolve();
    return (this.#loadingAfter ??= this.#load(`after=${after}`, (page) => void this.#log.append(page, after)).finally(() => {
      this.#loadingAfter = undefined;
      this.#changed();
    }));
  };

  readonly loadAround = (seq: number): Promise<void> => this.#load(`around=${seq}`, (page) => this.#tell(this.#log.replace(page)));

  readonly loadQuote = async (seq: number): Promise<void> => {
    if (!this.#log.find(seq) && !this.#log.quotes.has(seq)) await this.#load(`around=${seq}`, (page) => this.#log.quote(page, seq), 1);
  };

  readonly loadNewest = (): Promise<void> => (this.#log.hasAfter ? this.#loadNewest() : Promise.resolve());

  readonly members = (after?: string): Promise<{ readonly items: readonly Member[]; readonly after: string | null }> =>
    this.#shared.session.request('GET', `${this.#path}/members${after === undefined ? '' : `?after=${encodeURIComponent(after)}`}`);

  readonly add = (userId: string, role?: Role): Promise<void> => this.#change('PUT', `/members/${userId}`, role && { role });

  readonly setRole = (userId: string, role: Role): Promise<void> => this.#change('PUT', `/members/${userId}`, { role });

  readonly remove = (userId: string): Promise<void> =>
    // The first attempt may have removed the user, or the caller, although its answer was lost.
    this.#remove(userId, (error, attempt) => attempt > 1 && isFinal(error));

  readonly leave = async (): Promise<void> => {
    const { userId } = await this.#me();
    await this.#remove(userId, isFinal);
    this.gone('removed');
  };

  readonly rename = (title: string): Promise<void> => this.#change('PATCH', '', { title });

  readonly setNewcomersSee = (newcomersSee: NewcomersSee): Promise<void> => this.#change('PATCH', '', { newcomersSee });

  readonly close = (): Promise<void> => this.#change('DELETE', '');

  readonly mute = async (on = true): Promise<void> => {
    await this.#change(on ? 'PUT' : 'DELETE', '/mute');
    this.#shared.inbox.muted(this.id, on);
  };

  /** Opens it on the present connection, from the last applied entry. @param isNew the connection is: a gone conversation is tried once. */
  async join(isNew = false): Promise<void> {
    const { session, inbox } = this.#shared;
    const { connection } = session;
    if (!connection || !this.isOpen || (this.#isGone && !isNew) || this.#joined === connection) return;
    if (this.#joining?.connection === connection) return;
    const joining = (this.#joining = { connection });
    this.#changed();
    const isOver = (): boolean => connection.over.aborted || !this.isOpen || this.#joining !== joining;
    try {
      await this.#recall();
      for (let failures = 1; !isOver(); failures++) {
        let epoch = this.#epoch;
        const news = this.#news;
        let refusal: unknown;
        try {
          const known = this.#log.applied;
          // If the log is empty, the newest page of history and the live entries are loaded at the same time.
          const [opened] = await Promise.all([
            session.call(connection, 'OpenConversation', this.id, known ?? inbox.get(this.id)?.head ?? 0),
            known === undefined && this.#loadNewest(),
          ]);
          if (isOver()) break;
          if (epoch !== this.#epoch) continue;
          // A log that begins after the known one is that of another membership.
          const isOther = known !== undefined && (opened.reset || known < opened.from - 1);
          if (isOther) {
            this.reset();
            epoch = this.#epoch;
            // Its item is of the other log too.
            void inbox.fetch(this.id);
          }
          this.#isGone = false;
          // The answer replaces the role, the markers and the typing users, which may have changed meanwhile.
          this.#role = opened.you.role;
          this.#read = Math.max(this.#read, opened.you.read);
          this.#setTyping(opened.typing);
          this.#markers = new Map(opened.markers.filter(({ userId }) => !this.#shared.viewer.isMe(userId)).map(({ userId, read }) => [userId, read]));
          this.#log.know(opened.head);
          if (isOther || (known !== undefined && opened.tooFar)) {
            await this.#loadNewest();
            if (isOver()) break;
            if (epoch !== this.#epoch) continue;
            this.#resets++;
          }
          this.#tell(this.#log.take(opened.entries));
          this.#joined = connection;
          this.#error = null;
          inbox.reached(this.id, this.#log.applied ?? 0);
          break;
        } catch (error) {
          if (isOver()) break;
          refusal = error;
          const isRefused = isFinal(error as PulseError);
          // The server may have reported the membership again since the request. The refusal is outdated then.
          if (isRefused ? news === this.#news : !this.#isGone) this.#fail(error as PulseError);
          if (isRefused && this.#isGone) break;
        }
        await session.backoff(failures, refusal, connection.over);
      }
    } finally {
      if (this.#joining === joining) this.#joining = undefined;
      this.#changed();
    }
    if (this.#joined === connection) void this.#fetchMissing();
    void this.#mark();
  }

  /** The connection is over, or the server has closed the conversation on it. */
  parted(): void {
    this.#joined = undefined;
    this.#setTyping([]);
    this.#changed();
  }

  added({ entries, head }: EntriesAdded): void {
    if (!this.isOpen) return;
    this.#log.know(head);
    this.#tell(this.#log.take(entries));
    if (this.#joined) void this.#fetchMissing();
  }

  marked(markers: readonly Marker[]): void {
    const all = new Map(this.#markers);
    for (const { userId, read } of markers) {
      if (this.#shared.viewer.isMe(userId)) this.#read = Math.max(this.#read, read);
      else all.set(userId, Math.max(all.get(userId) ?? 0, read));
    }
    this.#markers = all;
    this.#changed();
  }

  typed(userIds: readonly string[]): void {
    this.#setTyping(userIds);
    this.#changed();
  }

  behind(head: number): void {
    this.#log.know(head);
    this.#joining = undefined;
    this.parted();
    void this.join();
  }

  gone(reason: string, code = 'not-found'): void {
    this.#isGone = true;
    this.#error = new PulseError(code, `The conversation is gone: ${reason}.`);
    this.#joined = this.#joining = undefined;
    this.reset();
    this.#shared.inbox.drop(this.id);
  }

  /** The inbox has another item for it. */
  itemChanged(isNews: boolean): void {
    if (isNews) this.#news++;
    // The user was added again.
    if (isNews && this.#isGone) {
      this.#isGone = false;
      this.#error = null;
      void this.join();
    } else if (this.#snapshot && this.#snapshot.item === this.#shared.inbox.get(this.id)) {
      return;
    }
    this.#changed();
  }

  pendingChanged(): void {
    const { outbox, viewer } = this.#shared;
    const pending = outbox.pending(this.id);
    if (pending.length > 0) {
      // A message that was taken over from another tab may be in the log already.
      const own = new Set(this.#log.messages.filter(({ senderId }) => viewer.isMe(senderId)).map(({ clientId }) => clientId));
      for (const { clientId } of pending) if (own.has(clientId)) outbox.echoed(this.id, clientId);
    }
    outbox.shown(this.id, this.isOpen && !this.#isGone ? this.#log.applied ?? 0 : Infinity);
    this.#changed();
  }

  remark(): void {
    this.#log.remark();
    this.#changed();
  }

  /** Drops the log, because the server has another one. */
  reset(): void {
    this.#epoch++;
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    this.#log.reset();
    this.#markers = new Map();
    this.#read = this.#wanted = 0;
    // Otherwise `state` would be `live` before the conversation is opened with the other log.
    this.#joined = undefined;
    this.#resets++;
    void this.#shared.shelf()?.delete(`log ${this.id}`);
    this.#changed();
  }

  /** Drops the log, if there is one. */
  resetLoaded(): void {
    if (this.#log.applied !== undefined) this.reset();
  }

  /** The client stops. */
  end(): void {
    this.keep();
    this.#joined = this.#joining = undefined;
    this.#isGone = false;
    this.#error = null;
    this.#role = undefined;
    this.#recalled = undefined;
    this.#epoch++;
    this.#log.reset();
    this.#markers = new Map();
    this.#read = this.#wanted = 0;
    this.#setTyping([]);
    this.#changed();
  }

  /** Frees the memory of a closed conversation. Its newest messages are stored. */
  free(): void {
    if (this.isOpen) return;
    this.keep();
    this.#epoch++;
    this.#recalled = undefined;
    this.#log.reset();
    this.#changed();
  }

  /**
   * Stores the newest messages for the next visit, if they have changed. Otherwise a tab could write data back that another tab has deleted
   * at the sign-out.
   */
  keep(): void {
    if (this.#keeping === undefined) return;
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    const kept = this.#log.keep(keptMessages);
    if (kept) void this.#shared.shelf()?.set(`log ${this.id}`, { ...kept, logId: this.#shared.logId() });
  }

  get #path(): string {
    return `/conversations/${this.id}`;
  }

  #state(): ConversationSnapshot['state'] {
    if (this.#isGone) return 'gone';
    if (!this.isOpen) return 'closed';
    if (this.#error) return 'failed';
    if (this.#log.applied === undefined) return 'loading';
    return this.#joined && !this.#joined.over.aborted && !this.#log.isMissing ? 'live' : 'offline';
  }

  #close(): void {
    this.#closing = undefined;
    const connection = this.#joined ?? this.#joining?.connection;
    this.#joined = this.#joining = undefined;
    this.#error = null;
    this.#setTyping([]);
    this.keep();
    connection?.invoke('CloseConversation', this.id).catch(() => undefined);
    this.pendingChanged();
    this.#shared.onClosed(this);
  }

  /** Shows what the last visit left. */
  #recall(): Promise<void> {
    return (this.#recalled ??= (async () => {
      const epoch = this.#epoch;
      const kept = (await this.#shared.shelf()?.get(`log ${this.id}`)) as (KeptLog & { readonly logId?: string }) | undefined;
      if (!kept || kept.logId !== this.#shared.logId() || epoch !== this.#epoch) return;
      this.#log.recall(kept);
      this.#changed();
    })());
  }

  /** Asks for the entries between the last applied one and the newest known one. */
  async #fetchMissing(): Promise<void> {
    const { session } = this.#shared;
    const connection = this.#joined;
    if (!connection || this.#fetching) return;
    this.#fetching = true;
    const isOver = (): boolean => this.#joined !== connection || connection.over.aborted;
    try {
      for (let failures = 1; this.#log.isMissing && !isOver();) {
        const epoch = this.#epoch;
        const applied = this.#log.applied!;
        let refusal: unknown;
        try {
          if (this.#log.head - applied > tooManyMissing) {
            await this.#loadNewest();
            this.#resets++;
          } else {
            const page = await session.request<Entries>('GET', `${this.#path}/entries?after=${applied}&limit=${entriesAtOnce}`);
            if (isOver()) break;
            if (epoch !== this.#epoch) continue;
            if (page.head < applied || applied < page.from - 1) {
              this.#restart();
              break;
            }
            if (page.entries.length === 0) this.#log.correct(page.head);
            this.#tell(this.#log.take(page.entries));
          }
          if (!this.#log.isMissing || this.#log.applied! > applied) {
            failures = 1;
            continue;
          }
          // The page left the gap as it was, so the next request waits.
        } catch (error) {
          if (isOver()) break;
          refusal = error;
          this.#fail(error as PulseError, true);
        }
        await session.backoff(failures++, refusal, connection.over);
      }
    } finally {
      this.#fetching = false;
      this.#changed();
    }
    if (this.#joined && this.#joined !== connection) void this.#fetchMissing();
  }

  /**
   * The server has lost entries that this client has applied, so that the log is another one: begins anew, after a pause, because servers
   * may disagree for some seconds.
   */
  #restart(): void {
    const connection = this.#joined;
    this.reset();
    void this.#shared.inbox.fetch(this.id);
    if (!connection) return;
    this.#joined = undefined;
    void this.#shared.session.backoff(1, undefined, connection.over).then(() => this.join());
  }

  #loadNewest(): Promise<void> {
    return this.#load('', (page) => this.#tell(this.#log.replace(page)));
  }

  async #load(where: string, apply: (page: Messages) => void, limit = pageSize): Promise<void> {
    const epoch = this.#epoch;
    this.#log.beginLoad();
    this.#changed();
    try {
      const path = `${this.#path}/messages?${where && `${where}&`}limit=${limit}`;
      let page: Messages;
      do {
        const [applied, head] = [this.#log.applied ?? 0, this.#log.head];
        page = await this.#shared.session.request<Messages>('GET', path);
        if (epoch !== this.#epoch) return;
        if (page.head < applied) {
          this.#restart();
          return;
        }
        // The server has lost the entries above its head, and the known head is still that of before the request.
        if (page.head < head && this.#log.head === head) this.#log.correct(page.head);
        // The log has jumped while the page was on its way. The next page is read after the jump, so this ends.
      } while (this.#log.isStale(page));
      apply(page);
      this.#shared.inbox.reached(this.id, this.#log.applied ?? 0);
      for (const { senderId, clientId } of page.items) if (clientId && this.#shared.viewer.isMe(senderId)) this.#shared.outbox.echoed(this.id, clientId);
      this.pendingChanged();
      this.#keepSoon();
    } finally {
      this.#log.endLoad();
    }
  }

  /** Passes on what was applied. */
  #tell(entries: readonly Entry[]): void {
    if (entries.length > 0) {
      const { viewer, outbox, inbox } = this.#shared;
      for (const { kind, senderId, clientId, userId, role } of entries) {
        if (kind === 'message') {
          if (this.#typing.includes(senderId)) this.#setTyping(this.#typing.filter((typing) => typing !== senderId));
          if (clientId && viewer.isMe(senderId)) outbox.echoed(this.id, clientId);
        } else if (kind === 'role-changed' && userId && viewer.isMe(userId)) {
          this.#role = role;
        }
      }
      const { read } = this.getSnapshot();
      inbox.applied(this.id, entries, (seq) => {
        const message = this.#log.find(seq);
        return seq > read && message !== undefined && !viewer.isMe(message.senderId);
      });
      this.#keepSoon();
    }
    this.pendingChanged();
  }

  #fail(error: PulseError, isPassing = false): void {
    if (isFinal(error)) {
      this.gone(error.code, error.code);
      return;
    }
    if (!isPassing && error.code !== 'connection-lost') this.#error = error;
    this.#changed();
  }

  async #mark(): Promise<void> {
    const { session, inbox } = this.#shared;
    if (this.#isMarking || this.#wanted === 0) return;
    this.#isMarking = true;
    try {
      while (this.#wanted > 0) {
        const [wanted, epoch] = [this.#wanted, this.#epoch];
        let answer: Marked;
        try {
          answer = await session.insist('MarkRead', this.id, wanted);
        } catch {
          // Refused, or the client was stopped.
          if (this.#wanted === wanted) this.#wanted = 0;
          continue;
        }
        // The marker may be wanted again in the log that has replaced this one.
        if (epoch !== this.#epoch) continue;
        this.#read = Math.max(this.#read, answer.read);
        if (this.#wanted === wanted) this.#wanted = 0;
        inbox.marked(this.id, answer);
      }
    } finally {
      this.#isMarking = false;
      this.#changed();
    }
  }

  #setTyping(userIds: readonly string[]): void {
    this.#typingEnds?.();
    this.#typingEnds = undefined;
    const others = userIds.filter((userId) => !this.#shared.viewer.isMe(userId));
    this.#typing = others.length > 0 ? Object.freeze(others) : nobody;
    if (others.length > 0) this.#typingEnds = later(typingLastsMs, () => this.typed([]));
  }

  async #change(method: 'PUT' | 'PATCH' | 'DELETE', path: string, body?: object): Promise<void> {
    await this.#shared.session.insistRequest(method, `${this.#path}${path}`, body);
  }

  async #remove(userId: string, isDone: (error: PulseError, attempt: number) => boolean): Promise<void> {
    await this.#shared.session.insistRequest('DELETE', `${this.#path}/members/${userId}`, undefined, isDone);
  }

  async #me(): Promise<{ userId: string }> {
    await this.#shared.session.connected();
    return { userId: this.#shared.session.userId! };
  }

  #keepSoon(): void {
    this.#keeping ??= setTimeout(() => this.keep(), keepAfterMs);
  }

  #changed(): void {
    this.#snapshot = undefined;
    this.#shared.onUse(this);
    this.#listeners.tell();
  }
}
