import type { Connection } from './connection.js';
import type { PulseError } from './errors.js';
import type { HubMessages } from './hub.js';

/** The part of the client that an extension uses. */
export interface ExtensionHost {
  /** Where Pulse is, without a slash at the end; empty for the page's own origin. */
  readonly url: string;
  /** A token for a request; null when the user is signed out. Rejects with a PulseError. */
  getToken(): Promise<string | null>;
  /** The server has refused the token. */
  dropToken(): void;
  onError(error: PulseError): void;
  /** The connected user, or otherwise the latest one of this client; undefined before the first connection and after a sign-out. */
  ownUser(): string | undefined;
  /** Whether a start has an effect; false on a server that renders pages. */
  canStart(): boolean;
  readonly random: () => number;
  /** Whether the user may be looking at the page. */
  isSeen(): boolean;
}

/** An extension of one client. */
export interface Running<T extends object> {
  /** Added to the client. */
  readonly members: T;
  /** The client was started. */
  onStart(): void;
  /** Each connection, once the server has greeted. */
  onOpen(connection: Connection, greeting: HubMessages['Connected']): void;
  /** The client was stopped or has ended. */
  onEnd(): void;
  /**
   * The user signs out: their data is to be removed from this device. Called before `onEnd`, with the latest user that is known.
   * Resolves when the data is removed.
   */
  onForget(userId: string | undefined): Promise<void>;
}

/** A part of the client that applications add, so that others do not download it. */
export interface Extension<T extends object> {
  attach(host: ExtensionHost): Running<T>;
}
