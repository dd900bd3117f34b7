/** Where the client is. */
export type PulseState =
  /** Not started, or stopped. */
  | { readonly name: 'stopped' }
  /** The first connection is being made; it is tried for ever. */
  | { readonly name: 'connecting' }
  /** Live. */
  | { readonly name: 'online'; readonly userId: string }
  /** The connection is lost and will be made again; it is tried for ever. */
  | { readonly name: 'reconnecting'; readonly userId: string }
  /**
   * Over until `start()` is called again: nobody is signed in any more (`signed-out`), another client of this page has started in
   * its place (`replaced`), or the server's own reason.
   */
  | { readonly name: 'ended'; readonly reason: string };

/** The server or the token source has ended the session. With `mayReconnect` the client comes back by itself. */
export interface SessionEnded {
  /** `signed-out`, `token-expired`, `too-many-connections`, `server-stopping`, `user-removed` (disabled or erased), `closed-by-operator`,
   * or what a newer server says. */
  readonly reason: string;
  readonly mayReconnect: boolean;
}
