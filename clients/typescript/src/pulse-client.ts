import type { PulseError } from './errors.js';
import type { OwnPresence, OwnStatus, Presence } from './presence.js';
import type { PulseState, SessionEnded } from './state.js';

/** All state of the client at one moment. Immutable. */
export interface PulseSnapshot {
  readonly state: PulseState;
  /** See `PulseClient.userId`. */
  readonly userId: string | undefined;
  /** All watched users whose presence is known, by user id. */
  readonly presences: ReadonlyMap<string, Presence>;
  readonly own: OwnPresence;
}

export interface PulseEvents {
  /** Sent each time a session ends, also when the client will reconnect by itself. */
  readonly sessionEnded: SessionEnded;
  /** An operation failed, and the client goes on by itself. For logs. */
  readonly error: PulseError;
}

/** Live presence over one connection. Its functions do not use `this`, so they can be passed around detached. */
export interface PulseClient {
  /** The state of the connection. The same object until it changes. */
  readonly state: PulseState;

  /**
   * The Pulse id of this client's user, with which a page knows its own messages: the user of the present connection, otherwise of the
   * latest one. Undefined before the first connection, and after the user has signed out.
   */
  readonly userId: string | undefined;

  /**
   * Connects, and stays connected. Has no effect while the client runs. After `ended`, begins anew.
   *
   * Has no effect on a server that renders pages, that is, where both a page and `url` are missing.
   * @throws TypeError outside of pages if `getToken` is missing, because there is no session cookie to get a token with.
   */
  start(): void;

  /**
   * Checks at once whether the connection lives, and retries at once while it is lost. A page does so by itself when the browser says that
   * the network or the page is back. Call it where that signal is missing, for example when a React Native app becomes active.
   */
  probe(): void;

  /**
   * Disconnects: others see the user as offline at once. Watched users are watched again after the next start, and this browser keeps the
   * status that the user chose. Resolves when the socket is closed, and with `forget` when the data is removed.
   * @param options `forget`: the user signs out, so all their data is removed from this browser. When the server or the token source ends
   * the session, that happens by itself.
   */
  stop(options?: { readonly forget?: boolean }): Promise<void>;

  /**
   * Keeps the presence of these users known, until the returned function is called. Calls are counted: a user is watched until the last of
   * them has ended. May be called at any time, connected or not.
   * @param onChange called with the presence of each of the users that is known now, and again with every change.
   */
  watch(userIds: string | Iterable<string>, onChange?: (presence: Presence) => void): () => void;

  /** The presence of a watched user as known now, the same object until a value changes; undefined until the server has answered. */
  presence(userId: string): Presence | undefined;

  /** The status that the user has chosen. */
  readonly own: OwnPresence;

  /** The number of connected users among these, as far as it is known; without ids, among all watched users. */
  countOnline(userIds?: Iterable<string>): number;

  /**
   * Calls `listener` when `state`, `userId`, `own` or the presence of any user has changed, or, with a user id, the presence of that user.
   * @returns a function that ends the subscription. Fits `useSyncExternalStore`, with `getSnapshot` or `presence`.
   */
  subscribe(listener: () => void, userId?: string): () => void;

  /** All state at this moment, the same object until a value changes. */
  getSnapshot(): PulseSnapshot;

  /**
   * Sets the status that others see of this user, on every connection from now on, also of later pages, because this browser keeps it until
   * the user signs out. With `online` the client reports `away` by itself; the other statuses stay.
   * Resolves when the server has the status: while the client is disconnected, after the next connect. A later choice that the server has
   * counts too. Rejects with a PulseError when the server refuses it, and with the code `stopped` when the client is stopped, ends, or gets
   * another user before. A caller that ignores the outcome need not catch the rejection.
   * @param message the user's own words, at most 140 characters. Without it, the present message is removed.
   */
  setStatus(status: OwnStatus, message?: string): Promise<void>;

  /** @returns a function that removes the listener. */
  on<E extends keyof PulseEvents>(event: E, listener: (event: PulseEvents[E]) => void): () => void;
}
