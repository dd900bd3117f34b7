import { PulseError } from '../errors.js';
import { newId } from './new-id.js';
import { isRepeatable, type Session } from './session.js';
import type { Shelf } from './storage.js';
import { lone, type TabLocks } from './tab-locks.js';
import type { PendingMessage, SendOptions } from './types.js';

/** A pending message as it is stored. */
interface StoredSend {
  readonly conversationId: string;
  readonly clientId: string;
  readonly text: string;
  readonly replyTo: number | null;
  readonly mentions: readonly string[];
  readonly createdAt: string;
  /** The order of sending. */
  readonly order: number;
  readonly tab: string;
  /** It may have reached the server. */
  readonly isAttempted: boolean;
  readonly refusal: { readonly code: string; readonly message: string } | null;
}

interface Item {
  stored: StoredSend;
  /** Set once the server has stored the message. */
  seq: number | undefined;
  shown: PendingMessage | undefined;
  /** True for a message of this page, false for one that was taken over from another page. */
  readonly isOwn: boolean;
}

interface Queue {
  readonly items: Item[];
  isRunning: boolean;
  /** The latest message that the server has stored, which the next one must follow. */
  after: string | undefined;
}

/** The user's messages that the server has yet to answer, in all conversations. Each conversation's are sent one after another. */
export class Outbox {
  readonly #session: Session;
  readonly #locks: TabLocks;
  readonly #changed: (conversationId: string) => void;
  readonly #queues = new Map<string, Queue>();
  #shelf: Shelf | undefined;
  #tab = '';
  /** The queues hold the messages of earlier pages too. */
  #isReady = false;
  #lastOrder = 0;
  /** The user whose messages are in the queues; undefined where that is unknown. */
  #owner: string | undefined;
  /** The user has signed out, and the client has yet to start again. */
  #isForgotten = false;

  /** @param changed called with the conversation whose pending messages changed. */
  constructor(session: Session, locks: TabLocks, changed: (conversationId: string) => void) {
    this.#session = session;
    this.#locks = locks;
    this.#changed = changed;
  }

  pending(conversationId: string): readonly PendingMessage[] {
    return (this.#queues.get(conversationId)?.items ?? []).map((item) => (item.shown ??= show(item)));
  }

  has(conversationId: string): boolean {
    return (this.#queues.get(conversationId)?.items.length ?? 0) > 0;
  }

  /** The client starts, and drops the messages that were written after a sign-out, because their user is unknown. */
  begin(): void {
    if (this.#isForgotten) this.#clear();
    this.#isForgotten = false;
  }

  /** The user is known: stores what was sent before, and takes over what earlier pages of that user left. */
  async start(shelf: Shelf, userId: string): Promise<void> {
    if (this.#shelf) {
      if (this.#isReady) this.#runAll();
      return;
    }
    // Messages that one user wrote while signed out are dropped, otherwise they would be sent as the next user.
    if (this.#owner !== undefined && this.#owner !== userId) this.#clear();
    this.begin();
    this.#owner = userId;
    this.#shelf = shelf;
    this.#tab = await this.#locks.hold();
    if (this.#shelf !== shelf) return;
    for (const { items } of this.#queues.values()) {
      for (const item of items) {
        item.stored = { ...item.stored, tab: this.#tab };
        this.#store(item);
      }
    }
    const awaited = new Set(this.#tab === lone ? [] : [this.#tab]);
    const adopt = async (tab: string): Promise<void> => {
      awaited.add(tab);
      await this.#locks.whenGone(tab, () => this.#adopt(tab, shelf));
    };
    for (const tab of new Set((await shelf.list('send ')).map(([, value]) => (value as StoredSend).tab))) {
      if (awaited.has(tab)) continue;
      // The messages of the previous page are sent before those of this page.
      if (await this.#locks.isLiving(tab).catch(() => false)) void adopt(tab);
      else await adopt(tab);
    }
    if (this.#shelf !== shelf) return;
    // Every other tab is watched, because each of them may still send: also those that are opened later.
    this.#locks.watch((tab) => {
      if (!awaited.has(tab)) void adopt(tab);
    });
    this.#isReady = true;
    this.#runAll();
  }

  /** The client stops. Stored messages stay stored. Messages of an unknown user stay in memory, which is their only place. */
  end(): void {
    if (!this.#shelf) return;
    this.#locks.release();
    this.#shelf = undefined;
    this.#isReady = false;
    this.#owner = undefined;
    const ids = [...this.#queues.keys()];
    this.#queues.clear();
    for (const id of ids) this.#changed(id);
  }

  /** Drops the messages of the user, because the user has signed out. */
  forget(): void {
    this.#isForgotten = true;
    this.#clear();
  }

  send(conversationId: string, text: string, { replyTo, mentions = [] }: SendOptions): string {
    // Otherwise a message of the latest user could be sent as another user that connects. Before the first connection the message belongs to
    // the user that connects next: the last user of this browser is a guess, and a wrong guess would delete the message.
    if (!this.#shelf) this.#owner ??= this.#session.ownUser;
    const clientId = newId();
    const now = Date.now();
    this.#lastOrder = Math.max(now, this.#lastOrder + 1);
    const item: Item = {
      stored: {
        conversationId, clientId, text, replyTo: replyTo ?? null, mentions: [...mentions], createdAt: new Date(now).toISOString(),
        order: this.#lastOrder, tab: this.#tab, isAttempted: false, refusal: null,
      },
      seq: undefined,
      shown: undefined,
      isOwn: true,
    };
    this.#queue(conversationId).items.push(item);
    this.#store(item);
    this.#changed(conversationId);
    void this.#run(conversationId);
    return clientId;
  }

  retry(conversationId: string, clientId: string): void {
    const items = this.#queues.get(conversationId)?.items;
    const index = items?.findIndex(({ stored }) => stored.clientId === clientId && stored.refusal !== null) ?? -1;
    const [item] = index < 0 ? [] : items!.splice(index, 1);
    if (!item) return;
    this.#lastOrder = Math.max(Date.now(), this.#lastOrder + 1);
    items!.push(item);
    this.#update(item, { refusal: null, isAttempted: false, order: this.#lastOrder });
    void this.#run(conversationId);
  }

  discard(conversationId: string, clientId: string): boolean {
    const item = this.#find(conversationId, clientId);
    if (!item || item.seq !== undefined || (item.stored.isAttempted && item.stored.refusal === null)) return false;
    this.#remove(item);
    return true;
  }

  /** The message is in the log that the client shows. */
  echoed(conversationId: string, clientId: string): void {
    const item = this.#find(conversationId, clientId);
    if (!item) return;
    this.#queue(conversationId).after = clientId;
    this.#remove(item);
  }

  /** The client shows the log up to that entry, or has stopped showing the conversation. */
  shown(conversationId: string, upTo: number): void {
    for (const item of [...(this.#queues.get(conversationId)?.items ?? [])]) if (item.seq !== undefined && item.seq <= upTo) this.#remove(item);
  }

  /** Takes the messages of a tab that is gone. */
  async #adopt(tab: string, shelf: Shelf): Promise<void> {
    // Another tab may have taken them meanwhile.
    const left = (await shelf.list('send ')).map(([, value]) => value as StoredSend).filter((stored) => stored.tab === tab);
    if (this.#shelf !== shelf) return;
    const changed = new Set<string>();
    for (const stored of left.sort((a, b) => a.order - b.order)) {
      if (this.#find(stored.conversationId, stored.clientId)) continue;
      const item: Item = { stored: { ...stored, tab: this.#tab }, seq: undefined, shown: undefined, isOwn: false };
      const { items } = this.#queue(stored.conversationId);
      // The message goes behind attempted messages and before the other ones of this page. Two pages may send in one millisecond, so clocks
      // cannot decide the order.
      const index = items.findIndex((other) => other.isOwn && !other.stored.isAttempted);
      items.splice(index < 0 ? items.length : index, 0, item);
      this.#lastOrder = Math.max(this.#lastOrder, stored.order);
      changed.add(stored.conversationId);
      await shelf.set(`send ${stored.clientId}`, item.stored);
      if (this.#shelf !== shelf) return;
    }
    for (const id of changed) {
      // The next page finds them in this order.
      const last = this.#lastOrder;
      for (const item of this.#queue(id).items) {
        if (item.isOwn && !item.stored.isAttempted && item.stored.order <= last) this.#update(item, { order: ++this.#lastOrder });
      }
      this.#changed(id);
      void this.#run(id);
    }
  }

  #clear(): void {
    this.#owner = undefined;
    const ids = [...this.#queues.keys()];
    for (const { items } of this.#queues.values()) items.splice(0);
    this.#queues.clear();
    for (const id of ids) this.#changed(id);
  }

  #runAll(): void {
    for (const id of this.#queues.keys()) void this.#run(id);
  }

  /** Sends the messages of a conversation, one after another. Stops at one whose outcome is unknown, and repeats it. */
  async #run(conversationId: string): Promise<void> {
    const queue = this.#queue(conversationId);
    if (queue.isRunning) return;
    queue.isRunning = true;
    const { over } = this.#session;
    try {
      for (let failures = 1; ;) {
        const connection = await this.#session.connected();
        const item = this.#isReady && queue.items.find(({ stored, seq }) => stored.refusal === null && seq === undefined);
        if (!item || over.aborted) return;
        this.#update(item, { isAttempted: true });
        // Otherwise a page that is closed now could lose a message that the server is about to store, and the user would write it again.
        await this.#stored(item);
        const { clientId, text, replyTo, mentions } = item.stored;
        try {
          const { seq } = await this.#session.call(connection, 'SendMessage', conversationId, {
            clientId, text, mentions, ...(replyTo !== null && { replyTo }), ...(queue.after !== undefined && { after: queue.after }),
          });
          queue.after = clientId;
          failures = 1;
          item.seq = seq;
          void this.#shelf?.delete(`send ${clientId}`);
          this.#update(item, {}, false);
          continue;
        } catch (error) {
          const refusal = error as PulseError;
          if (over.aborted) return;
          if (refusal.code === 'predecessor-missing') queue.after = undefined;
          else if (!isRepeatable(refusal) && !connection.over.aborted) {
            this.#update(item, { refusal: { code: refusal.code, message: refusal.message } });
            continue;
          }
        }
        if (!connection.over.aborted) await this.#session.backoff(failures++, undefined, over, connection.over);
      }
    } catch {
      // The client was stopped.
    } finally {
      queue.isRunning = false;
    }
  }

  #queue(conversationId: string): Queue {
    let queue = this.#queues.get(conversationId);
    if (!queue) this.#queues.set(conversationId, (queue = { items: [], isRunning: false, after: undefined }));
    return queue;
  }

  #find(conversationId: string, clientId: string): Item | undefined {
    return this.#queues.get(conversationId)?.items.find(({ stored }) => stored.clientId === clientId);
  }

  #remove(item: Item): void {
    const { conversationId, clientId } = item.stored;
    const items = this.#queues.get(conversationId)?.items;
    const index = items?.indexOf(item) ?? -1;
    if (index < 0) return;
    items!.splice(index, 1);
    void this.#shelf?.delete(`send ${clientId}`);
    this.#changed(conversationId);
  }

  #update(item: Item, change: Partial<StoredSend>, store = true): void {
    item.stored = { ...item.stored, ...change };
    item.shown = undefined;
    if (store) this.#store(item);
    this.#changed(item.stored.conversationId);
  }

  #store(item: Item): void {
    void this.#stored(item);
  }

  async #stored(item: Item): Promise<void> {
    // Storing a message that was resolved meanwhile would bring it back.
    if (this.#find(item.stored.conversationId, item.stored.clientId) === item) await this.#shelf?.set(`send ${item.stored.clientId}`, item.stored);
  }
}

function show({ stored: { clientId, text, replyTo, mentions, createdAt, isAttempted, refusal }, seq }: Item): PendingMessage {
  const state = seq !== undefined ? 'sent' : refusal ? 'failed' : isAttempted ? 'sending' : 'waiting';
  return Object.freeze({ clientId, text, replyTo, mentions, createdAt, state, error: refusal && new PulseError(refusal.code, refusal.message) });
}
