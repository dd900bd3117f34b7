import { normalizeId, readStatus, type Presence, type WirePresence } from './presence.js';

interface Entry {
  version: number;
  known: Presence;
  /** `known`, or the same with status `unknown`. */
  shown: Presence;
}

/** The presence of every watched user, as far as it is known. Independent of clock and connection. */
export class PresenceStore {
  readonly #entries = new Map<string, Entry>();

  get(userId: string): Presence | undefined {
    return this.#entries.get(normalizeId(userId))?.shown;
  }

  all(): ReadonlyMap<string, Presence> {
    return new Map([...this.#entries].map(([userId, { shown }]) => [userId, shown]));
  }

  /** The number of connected users among these, as far as it is known. */
  countOnline(userIds: Iterable<string> = this.#entries.keys()): number {
    return new Set([...userIds].map(normalizeId).filter((userId) => isOnline(this.#entries.get(userId)?.shown))).size;
  }

  /**
   * A new connection has begun: its first message about each user counts, whatever its version. Versions are comparable within a connection
   * only, because another server may send lower ones: its watch of the user may be younger, or its clock may be behind.
   */
  beginConnection(): void {
    for (const entry of this.#entries.values()) entry.version = -1;
  }

  /** Applies an answer or a change. Returns the users that look different now. */
  apply(presences: readonly WirePresence[]): string[] {
    const changed: string[] = [];
    for (const presence of presences) {
      const userId = normalizeId(presence.userId);
      const entry = this.#entries.get(userId);
      if (!entry) {
        const known = read(userId, presence);
        this.#entries.set(userId, { version: presence.version, known, shown: known });
        changed.push(userId);
        continue;
      }
      // Changes and answers overtake each other. An older message still shows that the server is connected, so the known values count
      // again. Version 0 is the answer about a user that this user may not see (any more): its known values are invalid then.
      if (presence.version > entry.version || presence.version === 0) {
        entry.version = presence.version;
        const known = read(userId, presence);
        // Versions also grow when a server restarts. If the values are unchanged the object stays the same, because every list would
        // otherwise render again.
        if (!sameLooks(known, entry.known)) entry.known = known;
      }
      if (entry.shown === entry.known) continue;
      entry.shown = entry.known;
      changed.push(userId);
    }
    return changed;
  }

  /** Sets all presences except the given ones to `unknown`. Returns the users that look different now. */
  loseSight(isSeen: (userId: string) => boolean = () => false): string[] {
    const changed: string[] = [];
    for (const [userId, entry] of this.#entries) {
      if (entry.shown.status === 'unknown' || isSeen(userId)) continue;
      entry.shown = Object.freeze({ ...entry.known, status: 'unknown' });
      changed.push(userId);
    }
    return changed;
  }

  /** Returns the users whose presence was known. */
  forget(userIds: readonly string[]): string[] {
    return userIds.filter((userId) => this.#entries.delete(userId));
  }
}

function isOnline(presence: Presence | undefined): boolean {
  return presence !== undefined && presence.status !== 'offline' && presence.status !== 'unknown';
}

function read(userId: string, { status, message, lastSeen }: WirePresence): Presence {
  return Object.freeze({ userId, status: readStatus(status), message: message ?? null, lastSeen: lastSeen ?? null });
}

function sameLooks(a: Presence, b: Presence): boolean {
  return a.status === b.status && a.message === b.message && a.lastSeen === b.lastSeen;
}
