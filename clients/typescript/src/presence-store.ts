import { normalizeId, readStatus, type Presence, type WirePresence } from './presence.js';

interface Entry {
  version: number;
  known: Presence;
  /** `known`, or the same with status `unknown`. */
  shown: Presence;
}

/** The presence of every watched user, as far as it is known. No clock and no connection of its own. */
export class PresenceStore {
  readonly #entries = new Map<string, Entry>();

  get(userId: string): Presence | undefined {
    return this.#entries.get(normalizeId(userId))?.shown;
  }

  all(): ReadonlyMap<string, Presence> {
    return new Map([...this.#entries].map(([userId, { shown }]) => [userId, shown]));
  }

  /** How many of these users are connected, as far as it is known. */
  countOnline(userIds: Iterable<string> = this.#entries.keys()): number {
    return new Set([...userIds].map(normalizeId).filter((userId) => isOnline(this.#entries.get(userId)?.shown))).size;
  }

  /**
   * A connection has begun: what it says first of each user counts, whatever its version. Versions are comparable within a connection only,
   * because another server may give lower ones: it can have begun to watch the user later, or have a clock that is behind.
   */
  beginConnection(): void {
    for (const entry of this.#entries.values()) entry.version = -1;
  }

  /** Takes in an answer or a change. Returns the users who look different now. */
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
      // Changes and answers overtake each other; the older one still says that the server is there, so that what is known counts again.
      // Version 0 is the answer about somebody whom this user may not see (any more): nothing known of them counts then.
      if (presence.version > entry.version || presence.version === 0) {
        entry.version = presence.version;
        const known = read(userId, presence);
        // Versions also grow when a server starts anew. Who looks as before keeps their object, or every list would draw itself again.
        if (!sameLooks(known, entry.known)) entry.known = known;
      }
      if (entry.shown === entry.known) continue;
      entry.shown = entry.known;
      changed.push(userId);
    }
    return changed;
  }

  /** Nobody can tell any more, but for some. Returns the users who look different now. */
  loseSight(isSeen: (userId: string) => boolean = () => false): string[] {
    const changed: string[] = [];
    for (const [userId, entry] of this.#entries) {
      if (entry.shown.status === 'unknown' || isSeen(userId)) continue;
      entry.shown = Object.freeze({ ...entry.known, status: 'unknown' });
      changed.push(userId);
    }
    return changed;
  }

  /** Returns the users of whom something was known. */
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
