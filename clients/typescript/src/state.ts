/** The state of the client. */
export type PulseState =
  /** The client has yet to start, or was stopped. */
  | { readonly name: 'stopped' }
  /** The first connection is being made, and retried for ever. */
  | { readonly name: 'connecting' }
  /** Live. */
  | { readonly name: 'online'; readonly userId: string }
  /** The connection is lost. Reconnecting is retried for ever. */
  | { readonly name: 'reconnecting'; readonly userId: string }
  /**
   * The client is over until `start()` is called again. The reason is `signed-out`, `replaced` (another client of this page has started in its place), or
   * the server's own.
   */
  | { readonly name: 'ended'; readonly reason: string };

/** The server or the token source has ended the session. With `mayReconnect` the client reconnects by itself. */
export interface SessionEnded {
  /**
   * `signed-out`, `token-expired`, `too-many-connections`, `server-stopping`, `replaced`, `user-removed` (disabled or erased),
   * `closed-by-operator`, or a reason of a newer server.
   */
  readonly reason: string;
  readonly mayReconnect: boolean;
}
