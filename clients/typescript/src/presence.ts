/** What a user is, as the server tells it. Others see an invisible user as `offline`; only that user sees `invisible`. */
export type PresenceStatus = 'online' | 'away' | 'busy' | 'invisible' | 'offline';

/** What a user can say of themselves. `online` leaves it to the client to report `away` when the page is not used. */
export type OwnStatus = Exclude<PresenceStatus, 'offline'>;

/** What the user of this client has chosen by `setStatus`: here, in another tab or on an earlier page. The same object until it changes. */
export interface OwnPresence {
  readonly status: OwnStatus;
  readonly message: string | null;
  /** Whether the server has it; else it will be told as soon as there is a connection. */
  readonly isSet: boolean;
}

/** One user's presence. Never changed once made: another object means that something in it is different. */
export interface Presence {
  /** Lower case, whatever the case it was asked for in. */
  readonly userId: string;
  /** `unknown`: the connection has been lost for longer than `unknownAfterMs`, so nobody can tell. The rest is what was known last. */
  readonly status: PresenceStatus | 'unknown';
  /** The user's own words, if any. */
  readonly message: string | null;
  /** When the user was last connected, ISO 8601 UTC; null for never, or while the server cannot tell. */
  readonly lastSeen: string | null;
}

/** As the hub sends it. Of two for one user on one connection, the higher version is the later, whichever came first. */
export interface WirePresence {
  readonly userId: string;
  readonly status: string;
  readonly message: string | null;
  readonly lastSeen: string | null;
  readonly version: number;
}

const statuses: readonly string[] = ['online', 'away', 'busy', 'invisible', 'offline'] satisfies readonly PresenceStatus[];

/** A status that a newer server has and this client does not: connected is all that can be said. */
export function readStatus(wire: string): PresenceStatus {
  return statuses.includes(wire) ? (wire as PresenceStatus) : 'online';
}

/** The form that ids have in keys: the server's. */
export function normalizeId(userId: string): string {
  return userId.toLowerCase();
}
