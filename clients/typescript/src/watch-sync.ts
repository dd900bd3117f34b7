import type { Connection } from './connection.js';
import type { PulseError } from './errors.js';
import type { WirePresence } from './presence.js';

/** A call with so many ids is some 8 KB: far below the hub's limit, and 1,000 contacts are five calls. */
const chunkSize = 200;

export interface WatchSyncEvents {
  onAnswer(presences: readonly WirePresence[]): void;
  onRefused(error: PulseError): void;
  /** All wanted users have been asked for. */
  onSettled(): void;
}

/** Makes one connection watch the wanted users. Calls follow one another, so that watching and unwatching one user keep their order. */
export class WatchSync {
  readonly #connection: Connection;
  readonly #wanted: () => Iterable<string>;
  readonly #events: WatchSyncEvents;
  readonly #watched = new Set<string>();
  /** The users that the server refuses for this connection. */
  readonly #refused = new Set<string>();
  #running = false;
  #requested = false;

  constructor(connection: Connection, wanted: () => Iterable<string>, events: WatchSyncEvents) {
    this.#connection = connection;
    this.#wanted = wanted;
    this.#events = events;
  }

  isWatching(userId: string): boolean {
    return this.#watched.has(userId);
  }

  /** Call it when the set of wanted users has changed. */
  request(): void {
    this.#requested = true;
    if (this.#running) return;
    this.#running = true;
    // A page that renders its list calls once per row. A microtask sends all of them together.
    queueMicrotask(() => void this.#run());
  }

  async #run(): Promise<void> {
    try {
      while (this.#requested) {
        this.#requested = false;
        while (!this.#connection.over.aborted && ((await this.#unwatch()) || (await this.#watch())));
      }
    } finally {
      this.#running = false;
    }
    if (!this.#connection.over.aborted) this.#events.onSettled();
  }

  /** Runs first, because it makes room. Returns whether there was work. */
  async #unwatch(): Promise<boolean> {
    const wanted = new Set(this.#wanted());
    const gone = [...this.#watched].filter((userId) => !wanted.has(userId)).slice(0, chunkSize);
    if (gone.length === 0) return false;
    for (const userId of gone) this.#watched.delete(userId);
    this.#refused.clear();
    // If the call fails, changes without a listener keep arriving until the connection ends.
    await this.#connection.insist('UnwatchPresence', gone).catch(() => undefined);
    return true;
  }

  async #watch(): Promise<boolean> {
    const missing = [...this.#wanted()].filter((userId) => !this.#watched.has(userId) && !this.#refused.has(userId));
    if (missing.length === 0) return false;
    await this.#watchAll(missing.slice(0, chunkSize), missing);
    return true;
  }

  async #watchAll(chunk: readonly string[], missing: readonly string[]): Promise<void> {
    // Skip the whole chunk, because its first half was refused for lack of room.
    if (chunk.some((userId) => this.#refused.has(userId))) return;
    try {
      const presences = await this.#connection.insist('WatchPresence', chunk);
      for (const userId of chunk) this.#watched.add(userId);
      if (!this.#connection.over.aborted) this.#events.onAnswer(presences);
    } catch (error) {
      if (this.#connection.over.aborted) return;
      const { code } = error as PulseError;
      if ((code === 'invalid-argument' || code === 'too-many-watched') && chunk.length > 1) {
        // The chunk is halved until the bad id, or the one too many, stands alone. The other users keep their presence.
        const middle = chunk.length >> 1;
        await this.#watchAll(chunk.slice(0, middle), missing);
        await this.#watchAll(chunk.slice(middle), missing);
        return;
      }
      // When one user is too many, so are all the rest. They are asked for again when the watch of another user ends.
      const refused = code === 'too-many-watched' ? missing.filter((userId) => !this.#watched.has(userId)) : chunk;
      for (const userId of refused) this.#refused.add(userId);
      this.#events.onRefused(error as PulseError);
    }
  }
}
