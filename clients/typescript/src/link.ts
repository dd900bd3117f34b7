import { backoffMs } from './backoff.js';
import { Connection, type ConnectionEnd } from './connection.js';
import { readError, type PulseError } from './errors.js';
import type { Hub, HubMessages } from './hub.js';
import { findHanging, type Reach } from './reach.js';
import type { SessionEnded } from './state.js';
import { pause } from './time.js';
import type { Tokens } from './tokens.js';

/** A connection that was shorter than this counts as a failed attempt. Otherwise clients would storm a server that drops all of them. */
const heldMs = 10_000;
/**
 * An attempt of this age is cut when the network or the page is back. A younger one may just be slow, and every page load reports "back".
 */
const hangingMs = 5_000;
const lastAskMs = 10_000;
const shortestAskMs = 2_000;
const signedOut: SessionEnded = Object.freeze({ reason: 'signed-out', mayReconnect: false });

/**
 * When to call a source again that returned the same token as before: 10 s before the token's end, and then each time when half of the
 * remaining time has passed.
 */
function askAgainMs(leftMs: number): number | undefined {
  if (leftMs > lastAskMs) return leftMs - lastAskMs;
  return leftMs > shortestAskMs ? leftMs / 2 : undefined;
}

export interface LinkEvents {
  onOpen(connection: Connection, greeting: HubMessages['Connected']): void;
  onLost(): void;
  onPresenceChanged(change: HubMessages['PresenceChanged']): void;
  onSessionEnded(session: SessionEnded): void;
  onError(error: PulseError): void;
}

/** The environment of a link. */
export interface LinkSurroundings {
  openHub(token: string): Hub;
  readonly reach: Reach;
  readonly random: () => number;
  /** Whether the user may be looking at the page. */
  isSeen(): boolean;
}

/** The making of one connection, from its token to the server's greeting. */
class Attempt {
  readonly startedAt = Date.now();
  readonly #cut = new AbortController();
  readonly #over = new AbortController();
  connection: Connection | undefined;
  mayCutSilent = true;

  get isUnanswered(): boolean {
    return this.connection?.isUnanswered ?? false;
  }

  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Aborts when the attempt is given up. The next one follows at once. */
  get cut(): AbortSignal {
    return this.#cut.signal;
  }

  giveUp(why: string): void {
    if (!this.over.aborted) this.#cut.abort(why);
  }

  end(): void {
    this.#over.abort();
  }
}

/** Keeps one connection open, from the start until it is stopped or the session ends for good. */
export class Link {
  readonly #tokens: Tokens;
  readonly #around: LinkSurroundings;
  readonly #random: () => number;
  readonly #events: LinkEvents;
  readonly #stopped = new AbortController();
  #connection: Connection | undefined;
  #attempt: Attempt | undefined;
  #waiting = new AbortController();
  #failures = 0;
  #failingSince: number | undefined;
  #hasCutSilent = false;
  #reauthenticating: Connection | undefined;
  /** The token of the present connection. */
  #token: string | undefined;

  constructor(tokens: Tokens, around: LinkSurroundings, events: LinkEvents) {
    this.#tokens = tokens;
    this.#around = around;
    this.#random = around.random;
    this.#events = events;
    void this.#run();
  }

  stop(): Promise<void> {
    this.#halt();
    return this.#connection?.close() ?? Promise.resolve();
  }

  /** Stops without a goodbye, because another client of the page takes the connection over. */
  drop(): Promise<void> {
    this.#halt();
    return this.#connection?.drop() ?? Promise.resolve();
  }

  /** Called when the network may be back, or the socket may have died unnoticed. */
  wake(): void {
    this.#failures = 0;
    this.#waiting.abort();
    const attempt = this.#attempt;
    if (!attempt) void this.#connection?.probe();
    else if (Date.now() - attempt.startedAt >= hangingMs) attempt.giveUp('the network or the page is back');
  }

  #halt(): void {
    this.#stopped.abort();
    this.#attempt?.end();
  }

  async #run(): Promise<void> {
    for (;;) {
      let session: SessionEnded | undefined;
      this.#failingSince ??= Date.now();
      const attempt = (this.#attempt = new Attempt());
      try {
        session = await this.#once(attempt);
        if (session && !this.#stopped.signal.aborted) this.#events.onSessionEnded(session);
      } catch (error) {
        // A fault of this package or of the platform. Otherwise the client would stay as it is for ever, and the cause would stay unknown.
        if (!this.#stopped.signal.aborted) this.#events.onError(readError(error, 'client-failed'));
      }
      attempt.end();
      if (this.#stopped.signal.aborted || session?.mayReconnect === false) return;

      this.#waiting = new AbortController();
      const failingForMs = this.#failingSince === undefined ? 0 : Date.now() - this.#failingSince;
      const waitMs = attempt.cut.aborted ? 0 : backoffMs(this.#failures, this.#random, failingForMs, this.#around.isSeen());
      await pause(waitMs, this.#waiting.signal, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
    }
  }

  /** Cuts an attempt that hangs. */
  async #overlook(attempt: Attempt): Promise<void> {
    attempt.mayCutSilent = !this.#hasCutSilent;
    const why = await findHanging(this.#around.reach, attempt);
    if (why === 'silent') this.#hasCutSilent = true;
    if (why) attempt.giveUp('the server can be reached, and does not answer it');
  }

  async #once(attempt: Attempt): Promise<SessionEnded | undefined> {
    void this.#overlook(attempt);
    const failures = this.#failures++;
    // Browsers report a refused token (401) and an unavailable server alike. Therefore the token is dropped after the second failure,
    // whatever the clocks of both sides say about it, and then again from time to time.
    if (failures % 5 === 2) this.#tokens.drop();

    let token: string | null;
    const abandon = (): void => this.#tokens.abandon();
    attempt.cut.addEventListener('abort', abandon);
    try {
      token = await this.#tokens.get();
    } catch (error) {
      if (!this.#stopped.signal.aborted) this.#events.onError(error as PulseError);
      return undefined;
    } finally {
      attempt.cut.removeEventListener('abort', abandon);
    }
    if (token === null) return signedOut;
    if (this.#stopped.signal.aborted) return undefined;

    const { session, error } = await this.#hold(token, attempt);
    if (session?.reason === 'token-expired' || error?.code === 'invalid-token') this.#tokens.drop();
    if (error && !this.#stopped.signal.aborted) this.#events.onError(error);
    return session;
  }

  async #hold(token: string, attempt: Attempt): Promise<ConnectionEnd> {
    this.#token = token;
    let connection: Connection;
    try {
      connection = new Connection(this.#around.openHub(token), {
        onPresenceChanged: (change) => this.#events.onPresenceChanged(change),
        onTokenExpiring: ({ secondsLeft }) => void this.#reauthenticate(Date.now() + secondsLeft * 1_000),
      }, this.#random);
    } catch (error) {
      return { error: readError(error, 'connection-failed') };
    }

    this.#connection = attempt.connection = connection;
    const greeting = await connection.open(attempt.cut);
    attempt.end();
    this.#attempt = undefined;
    const openedAt = Date.now();
    if (greeting && !connection.over.aborted) {
      this.#hasCutSilent = false;
      try {
        this.#events.onOpen(connection, greeting);
      } catch (error) {
        void connection.drop(readError(error, 'client-failed'));
      }
    }
    const end = await connection.ended;
    this.#connection = undefined;
    if (greeting) {
      if (Date.now() - openedAt >= heldMs) {
        this.#failures = 0;
        this.#failingSince = undefined;
      }
      // A session that ended for good skips `onLost`, because listeners would expect a reconnect for a moment.
      if (!this.#stopped.signal.aborted && end.session?.mayReconnect !== false) this.#events.onLost();
    }
    return end;
  }

  /**
   * Renews the token in place: the socket stays open. If that fails until the token has expired, the server ends the session, and a new
   * connection follows.
   */
  async #reauthenticate(expiresAt: number): Promise<void> {
    const connection = this.#connection;
    if (!connection || this.#reauthenticating === connection) return;
    this.#reauthenticating = connection;
    for (let failures = 1; !connection.over.aborted; failures++) {
      let waitMs = backoffMs(failures, this.#random);
      try {
        const token = await this.#tokens.renew();
        if (connection.over.aborted) break;
        if (token === null) {
          connection.endSession(signedOut);
          break;
        }
        if (token !== this.#token) {
          await connection.invoke('Reauthenticate', token);
          this.#token = token;
          break;
        }
        // The source keeps its token until shortly before its end, so a newer one would be made only later.
        const again = askAgainMs(expiresAt - Date.now());
        if (again === undefined) break;
        waitMs = again;
      } catch (error) {
        if (!connection.over.aborted) this.#events.onError(readError(error, 'token-unavailable'));
      }
      await pause(waitMs, connection.over);
    }
    if (this.#reauthenticating === connection) this.#reauthenticating = undefined;
  }
}
