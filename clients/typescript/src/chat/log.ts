import type { Message, Notice, Reaction } from './types.js';
import type { Entry, Messages, WireMessage } from './wire.js';

const noticeKinds: ReadonlySet<string> = new Set<Notice['kind']>([
  'created', 'member-added', 'member-removed', 'role-changed', 'renamed', 'rules-changed', 'closed',
]);
/** Entries that arrived before their turn. Further ones are asked for again. */
const maxAhead = 1_000;
const maxQuotes = 200;

/** The user's view of senders and reactions. */
export interface Viewer {
  isMe(userId: string): boolean;
  isBlocked(userId: string): boolean;
}

/** The parts of a log that outlive the page. */
export interface KeptLog {
  readonly applied: number;
  readonly hasBefore: boolean;
  readonly messages: readonly (readonly [message: WireMessage, asOf: number])[];
  readonly notices: readonly Notice[];
}

interface Held {
  readonly message: Message;
  /** The message contains the effect of all entries up to this seq. */
  readonly asOf: number;
}

/**
 * The log of one conversation as far as this client has it: the seq of the last applied entry, and a window of messages. Independent of
 * network and clock. Two sources meet here: entries, applied strictly in order, and pages of history, which show each message as it was when
 * the server read it.
 */
export class Log {
  readonly #viewer: Viewer;
  readonly #windowSize: number;
  #applied: number | undefined;
  #head = 0;
  #held: Held[] = [];
  /** Messages outside of the window that others answer, the latest at the end. */
  readonly #quoted = new Map<number, Held>();
  #quotes: ReadonlyMap<number, Message> | undefined;
  #notices: Notice[] = [];
  #hasBefore = false;
  #hasAfter = false;
  #ahead = new Map<number, Entry>();
  #loads = 0;
  /** The entries applied since the oldest load in progress began. */
  #sinceLoad: Entry[] = [];
  /** A page moved the log to that entry. The client skipped the entries before it. */
  #jumped = 0;
  #messages: readonly Message[] | undefined;

  constructor(viewer: Viewer, windowSize: number) {
    this.#viewer = viewer;
    this.#windowSize = windowSize;
  }

  /** Seq of the last applied entry, undefined while the log is empty. */
  get applied(): number | undefined {
    return this.#applied;
  }

  /** Seq of the newest entry that the client knows of. */
  get head(): number {
    return Math.max(this.#head, this.#applied ?? 0);
  }

  get isMissing(): boolean {
    return this.#applied !== undefined && this.#applied < this.#head;
  }

  get hasBefore(): boolean {
    return this.#hasBefore;
  }

  get hasAfter(): boolean {
    return this.#hasAfter;
  }

  get messages(): readonly Message[] {
    return (this.#messages ??= Object.freeze(this.#held.map(({ message }) => message)));
  }

  get quotes(): ReadonlyMap<number, Message> {
    return (this.#quotes ??= new Map([...this.#quoted].map(([seq, { message }]) => [seq, message])));
  }

  get notices(): readonly Notice[] {
    return this.#notices;
  }

  find(seq: number): Message | undefined {
    return this.#held[this.#indexOf(seq)]?.message;
  }

  /** Drops everything, because the server has another log. */
  reset(): void {
    this.#applied = undefined;
    this.#head = this.#jumped = 0;
    this.#held = [];
    this.#notices = [];
    this.#hasBefore = this.#hasAfter = false;
    this.#ahead.clear();
    this.#sinceLoad = [];
    this.#messages = undefined;
    this.#quoted.clear();
    this.#quotes = undefined;
  }

  /** The server's log has at least this many entries. */
  know(head: number): void {
    this.#head = Math.max(this.#head, head);
  }

  /** The server's log has just this many entries. */
  correct(head: number): void {
    this.#head = head;
  }

  /** Applies entries whose turn it is, drops older ones, and keeps later ones until their turn. @returns the applied ones. */
  take(entries: readonly Entry[]): Entry[] {
    for (const entry of entries) {
      this.know(entry.seq);
      // Counted from the last applied entry, so that the next one always finds a place.
      const isNear = this.#applied === undefined ? this.#ahead.size < maxAhead : entry.seq > this.#applied && entry.seq <= this.#applied + maxAhead;
      if (isNear) this.#ahead.set(entry.seq, entry);
    }
    return this.#advance();
  }

  /** Call it before each request for a page. */
  beginLoad(): void {
    this.#loads++;
  }

  endLoad(): void {
    if (--this.#loads === 0) this.#sinceLoad = [];
  }

  /** The page was read before the log moved on by a jump, so that what it lacks is unknown: ask again. */
  isStale({ head }: Messages): boolean {
    return head < this.#jumped;
  }

  /** Replaces the window by that page. @returns the entries whose turn came. */
  replace(page: Messages): Entry[] {
    this.know(page.head);
    this.#held = this.#read(page);
    this.#hasBefore = page.hasBefore;
    this.#hasAfter = page.hasAfter;
    this.#notices = [];
    this.#messages = undefined;
    // All messages in the window are as of the page's head, so the log continues there.
    if ((this.#applied ?? -1) < page.head) {
      this.#applied = this.#jumped = page.head;
      // The entries in between may have changed them.
      this.#quoted.clear();
      this.#quotes = undefined;
    }
    this.#replay(page.head);
    return this.#advance();
  }

  /** Puts a page of older messages in front of the window, if it still begins at that seq. */
  prepend(page: Messages, before: number): boolean {
    if (this.#held[0]?.message.seq !== before) return false;
    this.#held = [...this.#read(page).filter(({ message }) => message.seq < before), ...this.#held];
    this.#hasBefore = page.hasBefore;
    if (this.#held.length > this.#windowSize) {
      this.#held.length = this.#windowSize;
      this.#hasAfter = true;
      this.#cutNotices();
    }
    this.#messages = undefined;
    return true;
  }

  /** Puts a page of newer messages behind the window, if it still ends at that seq. */
  append(page: Messages, after: number): boolean {
    if (this.#held.at(-1)?.message.seq !== after) return false;
    this.#held.push(...this.#read(page).filter(({ message }) => message.seq > after));
    this.#hasAfter = page.hasAfter;
    this.#replay(page.head, true);
    this.#cutFront(0);
    this.#messages = undefined;
    return true;
  }

  /** Keeps that message of the page for those that answer it. */
  quote(page: Messages, seq: number): void {
    const held = this.#read(page).find(({ message }) => message.seq === seq);
    if (!held) return;
    this.#quoted.delete(seq);
    this.#quoted.set(seq, held);
    for (const oldest of [...this.#quoted.keys()].slice(0, -maxQuotes)) this.#quoted.delete(oldest);
    this.#quotes = undefined;
  }

  /** Reads all blocked senders anew. */
  remark(): void {
    for (const [seq, held] of this.#quoted) this.#quoted.set(seq, { ...held, message: this.#mark(held.message) });
    this.#quotes = undefined;
    this.#held = this.#held.map((held) => ({ ...held, message: this.#mark(held.message) }));
    this.#messages = undefined;
  }

  keep(most: number): KeptLog | undefined {
    if (this.#applied === undefined || this.#hasAfter) return undefined;
    const kept = this.#held.slice(-most);
    const first = kept[0]?.message.seq ?? 0;
    const hasBefore = this.#hasBefore || kept.length < this.#held.length;
    return {
      applied: this.#applied,
      hasBefore,
      messages: kept.map(({ message: { fromBlocked: _, ...message }, asOf }) => [message, asOf]),
      notices: this.#notices.filter(({ seq }) => !hasBefore || seq >= first),
    };
  }

  recall({ applied, hasBefore, messages, notices }: KeptLog): void {
    if (this.#applied !== undefined) return;
    this.#applied = applied;
    this.know(applied);
    this.#hasBefore = hasBefore;
    this.#held = messages.map(([message, asOf]) => ({ message: this.#mark(message), asOf }));
    this.#notices = [...notices];
    this.#messages = undefined;
  }

  #advance(): Entry[] {
    const applied: Entry[] = [];
    if (this.#applied === undefined) return applied;
    for (let next = this.#ahead.get(this.#applied + 1); next; next = this.#ahead.get(this.#applied + 1)) {
      this.#ahead.delete(next.seq);
      this.#apply(next);
      this.#applied = next.seq;
      applied.push(next);
      if (this.#loads > 0) this.#sinceLoad.push(next);
    }
    for (const seq of this.#ahead.keys()) if (seq <= this.#applied) this.#ahead.delete(seq);
    // A full window is cut by an eighth at a time, because each cut moves what a page shows.
    if (applied.length > 0) this.#cutFront(this.#windowSize >> 3);
    return applied;
  }

  #apply(entry: Entry): void {
    if (entry.kind === 'message') this.#add(entry);
    else if (noticeKinds.has(entry.kind)) this.#notice(entry);
    else this.#change(entry);
  }

  #add(entry: Entry): void {
    if (this.#hasAfter || entry.seq <= (this.#held.at(-1)?.message.seq ?? 0)) return;
    const { seq, senderId, clientId = null, text = null, sentAt, replyTo = null, mentions = [], editedSeq = null, deletedSeq = null } = entry;
    const message = this.#mark({ seq, senderId, clientId, text, sentAt, replyTo, mentions, editedSeq, deletedSeq, reactions: [] });
    // The entry lacks the reactions to its message, which later entries bring.
    this.#held.push({ message, asOf: seq });
    this.#messages = undefined;
  }

  #notice(entry: Entry): void {
    if (this.#hasAfter || entry.seq <= (this.#notices.at(-1)?.seq ?? 0)) return;
    const { seq, kind, senderId, sentAt, userId, role, title, newcomersSee } = entry;
    this.#notices = [...this.#notices, Object.freeze({
      seq, kind: kind as Notice['kind'], senderId, sentAt,
      ...(userId !== undefined && { userId }), ...(role !== undefined && { role }), ...(title !== undefined && { title }),
      ...(newcomersSee !== undefined && { newcomersSee }),
    })];
  }

  /** Applies an entry that changes earlier messages. A message that a page has read later contains the change already. */
  #change(entry: Entry): void {
    if (entry.kind === 'sender-erased') {
      for (let index = 0; index < this.#held.length; index++) this.#changeAt(index, entry);
    } else if (entry.target !== undefined) {
      this.#changeAt(this.#indexOf(entry.target), entry);
    }
    for (const [seq, held] of this.#quoted) {
      const changed = this.#changed(held, entry);
      if (changed === held) continue;
      this.#quoted.set(seq, changed);
      this.#quotes = undefined;
    }
  }

  #changeAt(index: number, entry: Entry): void {
    const held = this.#held[index];
    const changed = held && this.#changed(held, entry);
    if (!changed || changed === held) return;
    this.#held[index] = changed;
    this.#messages = undefined;
  }

  /** The message with the effect of the entry, or the same object if the entry leaves it as it is. */
  #changed(held: Held, entry: Entry): Held {
    const { message, asOf } = held;
    const { seq, kind, emoji } = entry;
    const change = (changes: Partial<Message>): Held => ({ message: Object.freeze({ ...message, ...changes }), asOf: Math.max(asOf, seq) });
    if (kind === 'sender-erased') return message.senderId === entry.senderId ? change({ text: null, mentions: [], reactions: [] }) : held;
    if (message.seq !== entry.target || seq <= asOf) return held;
    if (kind === 'delete') return change({ text: null, mentions: [], reactions: [], deletedSeq: seq });
    if (message.deletedSeq !== null) return change({});
    if (kind === 'edit') {
      // The entry of a message has its newest text, when it is read later. The earlier edits follow.
      return change(seq > (message.editedSeq ?? 0) ? { text: entry.text ?? null, mentions: entry.mentions ?? [], editedSeq: seq } : {});
    }
    if (kind === 'reaction' && emoji !== undefined) {
      return change({ reactions: react(message.reactions, emoji, entry.on ?? true, this.#viewer.isMe(entry.senderId)) });
    }
    return held;
  }

  /** Applies the entries that were applied while the page was on its way, and that it lacks. */
  #replay(head: number, asTail = !this.#hasAfter): void {
    for (const entry of this.#sinceLoad) {
      if (entry.seq <= head) continue;
      if (entry.kind === 'message' || noticeKinds.has(entry.kind)) {
        if (asTail) this.#apply(entry);
      } else {
        this.#change(entry);
      }
    }
  }

  #read(page: Messages): Held[] {
    const before = this.#held;
    const held = page.items.map((message) => ({ message: this.#mark(message), asOf: page.head }));
    // The page lacks the latest entries, so they are applied to its messages. The known messages already have their effect.
    this.#held = held;
    this.#replay(page.head, false);
    const read = this.#held;
    this.#held = before;
    return read;
  }

  #mark(message: WireMessage): Message {
    return Object.freeze({ ...message, fromBlocked: this.#viewer.isBlocked(message.senderId) });
  }

  #cutFront(spare: number): void {
    if (this.#held.length <= this.#windowSize + spare) return;
    this.#held.splice(0, this.#held.length - this.#windowSize);
    this.#hasBefore = true;
    this.#messages = undefined;
    this.#cutNotices();
  }

  #cutNotices(): void {
    const first = this.#hasBefore ? this.#held[0]?.message.seq ?? 0 : 0;
    const last = this.#hasAfter ? this.#held.at(-1)?.message.seq ?? 0 : Infinity;
    this.#notices = this.#notices.filter(({ seq }) => seq >= first && seq <= last);
  }

  #indexOf(seq: number): number {
    let [low, high] = [0, this.#held.length - 1];
    while (low <= high) {
      const middle = (low + high) >> 1;
      const found = this.#held[middle]!.message.seq;
      if (found === seq) return middle;
      if (found < seq) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}

function react(reactions: readonly Reaction[], emoji: string, on: boolean, mine: boolean): readonly Reaction[] {
  const before = reactions.find((reaction) => reaction.emoji === emoji);
  const count = (before?.count ?? 0) + (on ? 1 : -1);
  const after = Object.freeze({ emoji, count, mine: mine ? on : before?.mine ?? false });
  if (!before) return on ? Object.freeze([...reactions, after]) : reactions;
  return Object.freeze(reactions.flatMap((reaction) => (reaction !== before ? [reaction] : count > 0 ? [after] : [])));
}
