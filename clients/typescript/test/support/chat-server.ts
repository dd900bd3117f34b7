import { PulseError } from '../../src/errors.js';
import type { Connection } from '../../src/connection.js';
import type { Entry, Item, Messages, Sending, WireMessage } from '../../src/chat/wire.js';

/** Small limits, so that short logs reach them. */
const pageLimit = 5;
const entriesLimit = 6;

interface Down {
  readonly deliver: () => void;
  /** A copy of the message; absent for answers. */
  readonly again?: () => void;
  readonly mayBeLost?: boolean;
}
interface Call {
  readonly method: string;
  readonly args: readonly unknown[];
  readonly resolve: (answer: unknown) => void;
  readonly reject: (error: PulseError) => void;
}

/** One connection: two ordered channels, of which a cut loses what is on its way. */
export class Wire {
  readonly up: Call[] = [];
  readonly down: Down[] = [];
  readonly open = new Set<string>();
  readonly #over = new AbortController();
  readonly #handlers = new Map<string, (message: never) => void>();

  constructor(readonly userId: string) {}

  get over(): AbortSignal {
    return this.#over.signal;
  }

  get connection(): Connection {
    return this as unknown as Connection;
  }

  on(method: string, handler: (message: never) => void): void {
    this.#handlers.set(method, handler);
  }

  invoke(method: string, ...args: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.over.aborted) reject(new PulseError('connection-lost', 'cut'));
      else this.up.push({ method, args: structuredClone(args), resolve, reject });
    });
  }

  push(method: string, message: unknown): void {
    const copy = structuredClone(message);
    const deliver = (): void => this.#handlers.get(method)?.(structuredClone(copy) as never);
    this.down.push({ deliver, again: deliver, mayBeLost: method === 'EntriesAdded' || method === 'InboxChanged' });
  }

  cut(): void {
    for (const { reject } of this.up.splice(0)) reject(new PulseError('connection-lost', 'cut'));
    this.down.length = 0;
    this.#over.abort();
  }
}

/** A server with one conversation of several users, as docs/chat.md describes it. */
export class ChatServer {
  readonly id = '00000000-0000-8000-8000-000000000001';
  readonly wires = new Set<Wire>();
  /** The logs that a client may still show: the present one, and those before a restored backup. */
  readonly logs: Entry[][] = [[]];
  readonly read = new Map<string, number>();
  #logs = 1;

  get log(): Entry[] {
    return this.logs.at(-1)!;
  }

  get logId(): string {
    return `log-${this.#logs}`;
  }

  constructor() {
    this.append('me', { kind: 'created', title: 'Model' });
  }

  append(senderId: string, more: Partial<Entry> & { kind: string }): Entry {
    const entry: Entry = { seq: this.log.length + 1, senderId, sentAt: '2026-01-01T00:00:00.000Z', ...more };
    this.log.push(entry);
    for (const wire of this.wires) {
      if (wire.open.has(this.id)) wire.push('EntriesAdded', { conversationId: this.id, from: entry.seq, entries: [this.asRead(entry)], head: entry.seq });
      else wire.push('InboxChanged', { conversations: [this.item(wire.userId)] });
    }
    return entry;
  }

  /** All messages as history shows them to that user. */
  messages(userId: string, log = this.log): WireMessage[] {
    return log.filter(({ kind }) => kind === 'message').map((entry) => this.#message(userId, entry, log));
  }

  item(userId: string): Item {
    const last = this.messages(userId).at(-1) ?? null;
    const read = this.read.get(userId) ?? 0;
    const unread = this.messages(userId).filter(({ seq, senderId, deletedSeq }) => seq > read && senderId !== userId && deletedSeq === null).length;
    return {
      id: this.id, kind: 'group', title: 'Model', head: this.log.length, lastAt: last?.sentAt ?? null, last, newcomersSee: 'all', closedAt: null,
      you: { role: 'member', from: 1, read, unread, unreadMore: false, mentions: 0, muted: false },
    };
  }

  /** Handles the oldest call of that connection. `fault` spoils a call that appends. */
  handle(wire: Wire, fault: 'none' | 'unavailable' | 'unknown' | 'lost' = 'none'): void {
    const call = wire.up.shift();
    if (!call) return;
    const isWrite = call.method === 'SendMessage';
    let answer: unknown;
    let error: PulseError | undefined;
    try {
      if (isWrite && (fault === 'unavailable' || fault === 'lost')) throw new PulseError(fault === 'lost' ? 'unknown-outcome' : 'unavailable', fault);
      answer = this.#answer(wire, call.method, call.args);
      if (isWrite && fault === 'unknown') throw new PulseError('unknown-outcome', fault);
    } catch (thrown) {
      error = thrown as PulseError;
    }
    const copy = structuredClone(answer);
    wire.down.push({ deliver: () => (error ? call.reject(error) : call.resolve(copy)) });
    if (call.method === 'OpenConversation') wire.open.add(this.id);
  }

  request(userId: string, path: string): unknown {
    const { pathname, searchParams } = new URL(path, 'http://pulse');
    const number = (name: string): number => Number(searchParams.get(name));
    if (pathname === '/conversations') return { items: [this.item(userId)], before: null };
    if (pathname.endsWith('/messages')) return this.#page(userId, searchParams);
    if (pathname.endsWith('/entries')) {
      const after = number('after');
      return { from: 1, head: this.log.length, entries: this.log.slice(after, after + entriesLimit).map((entry) => this.asRead(entry)) };
    }
    return this.item(userId);
  }

  /** A slow reader. */
  behind(wire: Wire): void {
    if (wire.open.delete(this.id)) wire.push('Behind', { conversationId: this.id, head: this.log.length });
  }

  /** A restored backup: a new log id, and the newest entries are lost. */
  restore(kept: number): void {
    this.#logs++;
    this.logs.push(structuredClone(this.log.slice(0, Math.max(1, kept))));
    for (const [userId, read] of this.read) this.read.set(userId, Math.min(read, this.log.length));
    this.restart();
  }

  restart(): void {
    for (const wire of this.wires) wire.cut();
    this.wires.clear();
  }

  /** An entry as the server reads it later: a message has its newest text. */
  asRead(entry: Entry): Entry {
    if (entry.kind !== 'message') {
      const isDeleted = this.log.some(({ kind, target }) => kind === 'delete' && target === entry.target);
      return entry.kind === 'edit' && isDeleted ? { ...entry, text: null } : entry;
    }
    const { text, editedSeq, deletedSeq } = this.#message('', entry, this.log);
    return { ...entry, text, ...(editedSeq !== null && { editedSeq }), ...(deletedSeq !== null && { deletedSeq }) };
  }

  #message(userId: string, { seq, senderId, clientId = null, sentAt, replyTo = null, text = null }: Entry, log: readonly Entry[]): WireMessage {
    const changes = log.filter(({ target }) => target === seq);
    const edit = changes.filter(({ kind }) => kind === 'edit').at(-1);
    const deletion = changes.find(({ kind }) => kind === 'delete');
    const emojis = new Map<string, Set<string>>();
    for (const { kind, emoji, on, senderId: by } of deletion ? [] : changes) {
      if (kind !== 'reaction') continue;
      const users = emojis.get(emoji!) ?? new Set();
      emojis.set(emoji!, users);
      if (on) users.add(by);
      else users.delete(by);
    }
    return {
      seq, senderId, clientId, sentAt, replyTo, mentions: [], text: deletion ? null : edit?.text ?? text, editedSeq: edit?.seq ?? null, deletedSeq: deletion?.seq ?? null,
      reactions: [...emojis].filter(([, users]) => users.size > 0).map(([emoji, users]) => ({ emoji, count: users.size, mine: users.has(userId) })),
    };
  }

  #answer(wire: Wire, method: string, args: readonly unknown[]): unknown {
    const { log } = this;
    const you = { role: 'member', from: 1, read: this.read.get(wire.userId) ?? 0 };
    switch (method) {
      case 'OpenConversation': {
        const after = args[1] as number;
        const tooFar = log.length - after > 2 * entriesLimit;
        const reset = after > log.length;
        const entries = tooFar || reset ? [] : log.slice(after).map((entry) => this.asRead(entry));
        return { from: 1, head: log.length, entries, tooFar, reset, typing: [], markers: [], you };
      }
      case 'CloseConversation':
        wire.open.delete(this.id);
        return undefined;
      case 'SyncConversations':
        return (args[0] as { id: string; seq: number }[]).map(({ id, seq }) => ({ id, head: log.length, from: 1, read: you.read, entries: [], tooFar: false, gone: false, reset: seq > log.length }));
      case 'SendMessage': {
        const { clientId, text, after } = args[1] as Sending;
        const isMine = (entry: Entry, id: string): boolean => entry.senderId === wire.userId && entry.clientId === id;
        const before = log.find((entry) => isMine(entry, clientId));
        if (before) return { seq: before.seq, sentAt: before.sentAt };
        if (after !== undefined && !log.some((entry) => isMine(entry, after))) throw new PulseError('predecessor-missing', 'after');
        const { seq, sentAt } = this.append(wire.userId, { kind: 'message', clientId, text, mentions: [], replyTo: null });
        return { seq, sentAt };
      }
      case 'MarkRead': {
        const read = Math.max(you.read, Math.min(args[1] as number, log.length));
        this.read.set(wire.userId, read);
        const { unread, mentions } = this.item(wire.userId).you;
        return { read, unread, unreadMore: false, mentions };
      }
      default:
        return undefined;
    }
  }

  #page(userId: string, query: URLSearchParams): Messages {
    const all = this.messages(userId);
    const seq = (name: string): number | undefined => (query.has(name) ? Number(query.get(name)) : undefined);
    const [before, after, around] = [seq('before'), seq('after'), seq('around')];
    let start = Math.max(0, all.length - pageLimit);
    let end = all.length;
    if (before !== undefined) {
      end = all.filter((message) => message.seq < before).length;
      start = Math.max(0, end - pageLimit);
    } else if (after !== undefined) {
      start = all.filter((message) => message.seq <= after).length;
      end = Math.min(all.length, start + pageLimit);
    } else if (around !== undefined) {
      start = Math.max(0, all.filter((message) => message.seq < around).length - 2);
      end = Math.min(all.length, start + pageLimit);
    }
    return { items: all.slice(start, end), from: 1, head: this.log.length, hasBefore: start > 0, hasAfter: end < all.length };
  }
}
