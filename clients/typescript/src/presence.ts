/** A user's status as the server sends it. Others see an invisible user as `offline`; only that user sees `invisible`. */
export type PresenceStatus = 'online' | 'away' | 'busy' | 'invisible' | 'offline';

/** A status that users can choose for themselves. With `online` the client reports `away` while the page is idle. */
export type OwnStatus = Exclude<PresenceStatus, 'offline'>;

/** The choice of this client's user by `setStatus`: here, in another tab or on an earlier page. The same object until it changes. */
export interface OwnPresence {
  readonly status: OwnStatus;
  readonly message: string | null;
  /** Whether the server has it. Otherwise it is sent at the next connect. */
  readonly isSet: boolean;
}

/** The presence of a user. Immutable: a different object means that a value is different. */
export interface Presence {
  /** Lower case, whatever the case of the watched id. */
  readonly userId: string;
  /**
   * `unknown`: the connection has been lost for longer than `unknownAfterMs`, so the status may have changed. The other values are the
   * latest known ones.
   */
  readonly status: PresenceStatus | 'unknown';
  /** The user's own words, if any. */
  readonly message: string | null;
  /** When the user was last connected, ISO 8601 UTC; null for never, or while the server cannot read it. */
  readonly lastSeen: string | null;
}

/**
 * A presence as the hub sends it. The higher version of two messages about one user on one connection is the later one, whichever came first.
 */
export interface WirePresence {
  readonly userId: string;
  readonly status: string;
  readonly message: string | null;
  readonly lastSeen: string | null;
  readonly version: number;
}

const statuses: readonly string[] = ['online', 'away', 'busy', 'invisible', 'offline'] satisfies readonly PresenceStatus[];

/** A status of a newer server that this client does not know means only that the user is connected. */
export function readStatus(wire: string): PresenceStatus {
  return statuses.includes(wire) ? (wire as PresenceStatus) : 'online';
}

/** The form of ids in keys: the server's. */
export function normalizeId(userId: string): string {
  return userId.toLowerCase();
}
