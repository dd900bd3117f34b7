import type { PulseError } from './errors.js';
import type { OwnPresence, OwnStatus, Presence } from './presence.js';
import type { PulseState, SessionEnded } from './state.js';

/** Everything at one moment. Never changed once made. */
export interface PulseSnapshot {
  readonly state: PulseState;
  /** By user id: whoever is watched and known. */
  readonly presences: ReadonlyMap<string, Presence>;
  readonly own: OwnPresence;
}

export interface PulseEvents {
  /** Each time a session ends, also when the client will be back by itself. */
  readonly sessionEnded: SessionEnded;
  /** Something failed; the client goes on by itself. For logs. */
  readonly error: PulseError;
}

/** Live presence over one connection. Its functions need no `this`: pass them around as they are. */
export interface PulseClient {
  /** Where the client is. The same object until it changes. */
  readonly state: PulseState;

  /**
   * Connects, and stays connected. Does nothing while it does already. After `ended`, begins anew.
   *
   * Does nothing on a server that renders pages: where there is no page and no `url`.
   * @throws TypeError outside of pages without `getToken`: there is no session cookie to get a token with.
   */
  start(): void;

  /**
   * Looks at once whether the connection lives, and tries at once while there is none. A page does so by itself when the browser says that
   * the network or the page is back; to be called where nothing says so, as when a React Native app becomes active.
   */
  probe(): void;

  /**
   * Disconnects: others see the user leave at once. What is watched is watched again after the next start, and the status that the user
   * chose is kept in this browser for them. Resolves when the socket is closed.
   * @param options `forget`: the user signs out, so that nothing of them stays in this browser. When the server or the token source ends
   * the session, that happens by itself.
   */
  stop(options?: { readonly forget?: boolean }): Promise<void>;

  /**
   * Keeps these users' presence known, until the returned function is called. Callers are counted: a user is let go with the last one. May
   * be called at any time, connected or not.
   * @param onChange called with each of them that is known now, and again with every change.
   */
  watch(userIds: string | Iterable<string>, onChange?: (presence: Presence) => void): () => void;

  /** A watched user as known now, the same object until something changes; undefined until the server has answered. */
  presence(userId: string): Presence | undefined;

  /** What the user has chosen. */
  readonly own: OwnPresence;

  /** How many of these users are connected, as far as it is known; without ids, of all who are watched. */
  countOnline(userIds?: Iterable<string>): number;

  /**
   * Calls back when `state`, `own` or anybody's presence has changed, or, with a user id, that user's presence.
   * @returns what ends it. Fits `useSyncExternalStore`, with `getSnapshot` or `presence`.
   */
  subscribe(listener: () => void, userId?: string): () => void;

  /** Everything at this moment, the same object until something changes. */
  getSnapshot(): PulseSnapshot;

  /**
   * What others see of this user, on every connection from now on, also of pages to come: it is kept in this browser until the user signs
   * out. `online` leaves it to the client to report `away`; the others stay.
   * Resolves when the server has it: without a connection, that is when there is one again. A later choice that the server has counts too.
   * Rejects with a PulseError when the server refuses it, and with the code `stopped` when the client is stopped, ends, or gets another
   * user before. A caller that does not care need not catch that.
   * @param message in the user's own words, at most 140 characters; none takes it away.
   */
  setStatus(status: OwnStatus, message?: string): Promise<void>;

  /** @returns what ends it. */
  on<E extends keyof PulseEvents>(event: E, listener: (event: PulseEvents[E]) => void): () => void;
}
