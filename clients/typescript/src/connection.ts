import { backoffMs } from './backoff.js';
import { isPassing, PulseError, readError } from './errors.js';
import type { Hub, HubCalls, HubMessages } from './hub.js';
import { pause, within } from './time.js';

const openWithinMs = 20_000;
const closeWithinMs = 5_000;
const probeMs = 5_000;
/** Longer than the server's ping interval of 15 s: a server that is there has been heard meanwhile. */
const busyProbeMs = 16_500;
const silentMs = 16_500;

/** How a connection ended. */
export interface ConnectionEnd {
  /** What the server gave as its reason, if it gave one. */
  readonly session?: HubMessages['SessionEnded'];
  /** What broke, if something did. */
  readonly error?: PulseError;
}

export interface ConnectionEvents {
  onPresenceChanged(change: HubMessages['PresenceChanged']): void;
  onTokenExpiring(expiring: HubMessages['TokenExpiring']): void;
}

/** One socket, from its opening to its end, and never again. Nothing that it says after its end is heard. */
export class Connection {
  readonly #hub: Hub;
  readonly #random: () => number;
  readonly #over = new AbortController();
  readonly #ended: Promise<ConnectionEnd>;
  #end!: (end: ConnectionEnd) => void;
  #session: HubMessages['SessionEnded'] | undefined;
  #pending = 0;
  #probing = false;

  constructor(hub: Hub, events: ConnectionEvents, random: () => number) {
    this.#hub = hub;
    this.#random = random;
    this.#ended = new Promise((resolve) => {
      this.#end = (end) => {
        this.#over.abort();
        resolve(end);
      };
    });
    this.#on('PresenceChanged', (change) => events.onPresenceChanged(change));
    this.#on('TokenExpiring', (expiring) => events.onTokenExpiring(expiring));
    this.#on('SessionEnded', (session) => {
      this.#session = session;
      // The server closes next. When the client may come back, the closing is left to the server, which then expects the client back. Only
      // a server that forgets to close is helped along.
      if (!session.mayReconnect) void this.close();
      else void pause(closeWithinMs, this.over).then(() => this.drop());
    });
    hub.onclose((error) => this.#finish(error && readError(error, 'connection-lost')));
  }

  /** Aborts when the connection is over. */
  get over(): AbortSignal {
    return this.#over.signal;
  }

  /** Resolves when the connection is over, and never rejects. */
  get ended(): Promise<ConnectionEnd> {
    return this.#ended;
  }

  /** Whether a handshake is under way and not answered. */
  get isUnanswered(): boolean {
    return this.#hub.isUnanswered ?? false;
  }

  /**
   * Opens the socket. Resolves to the server's greeting; undefined when that failed, and then `ended` says why.
   * @param cut gives the attempt up.
   */
  async open(cut: AbortSignal): Promise<HubMessages['Connected'] | undefined> {
    const greeting = new Promise<HubMessages['Connected']>((resolve) => this.#on('Connected', resolve));
    const failed = this.#ended.then(() => undefined);
    try {
      // A network that swallows packets would otherwise keep a browser trying for minutes.
      const opening = Promise.race([this.#hub.start().then(() => Promise.race([greeting, failed])), failed]);
      const greeted = await within(openWithinMs, 'connecting', opening, cut);
      void this.#listenForSilence();
      return greeted;
    } catch (error) {
      void this.drop(readError(error, 'connection-failed'));
      return undefined;
    }
  }

  /** One call. Rejects with a PulseError. */
  async invoke<M extends keyof HubCalls>(method: M, ...args: HubCalls[M]['args']): Promise<HubCalls[M]['answer']> {
    if (this.over.aborted) throw new PulseError('connection-lost', `${method}: the connection is over`);
    this.#pending++;
    try {
      return await this.#hub.invoke<HubCalls[M]['answer']>(method, ...args);
    } catch (error) {
      throw readError(error, 'call-failed');
    } finally {
      this.#pending--;
    }
  }

  /** The same call again until it works, unless the server says that it never will, or the connection ends. Rejects with a PulseError. */
  async insist<M extends keyof HubCalls>(method: M, ...args: HubCalls[M]['args']): Promise<HubCalls[M]['answer']> {
    for (let failures = 1; ; failures++) {
      try {
        return await this.invoke(method, ...args);
      } catch (error) {
        if (this.over.aborted || !isPassing(error as PulseError)) throw error;
      }
      await pause(backoffMs(failures, this.#random), this.over);
    }
  }

  /**
   * Whether the server still answers. A connection whose server does not is given up, because a socket can be dead for long before anything
   * shows it. The server answers a connection's calls one after another, so a slow call delays the answer: the client must not add a
   * reconnect to the cause of that slow call. A server that was heard in the meantime, by its pings, is there.
   */
  async probe(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    const askedAt = Date.now();
    // A slow call holds up answers and no pings.
    const isSilent = this.#hub.heardAt !== undefined && askedAt - this.#hub.heardAt >= silentMs;
    try {
      await within(this.#pending > 0 && !isSilent ? busyProbeMs : probeMs, 'Heartbeat', this.invoke('Heartbeat'));
    } catch (error) {
      // An answer that is an error is an answer.
      const { heardAt } = this.#hub;
      const wasHeard = heardAt !== undefined && heardAt > askedAt;
      if (!(error instanceof PulseError) && !wasHeard) void this.drop(new PulseError('connection-lost', 'The server does not answer'));
    } finally {
      this.#probing = false;
    }
  }

  /** As if the server had ended the session. */
  endSession(session: HubMessages['SessionEnded']): void {
    this.#session = session;
    void this.close();
  }

  /**
   * Ends the connection now, with a goodbye: the user leaves. The promise is for who wants to know when the socket is closed too; it never
   * rejects.
   */
  close(): Promise<void> {
    this.#finish(undefined);
    // SignalR may wait for an answer that does not come.
    return Promise.race([this.#hub.stop().catch(() => undefined), pause(closeWithinMs)]);
  }

  /** Ends the connection now, without a goodbye: the client will be back. */
  drop(error?: PulseError): Promise<void> {
    this.#finish(error);
    return this.#hub.drop().catch(() => undefined);
  }

  /**
   * The server pings every 15 s. SignalR gives up a silent server after 30 s. That is too late when the network is back, because TCP waits
   * longer from one repetition to the next, for as long again as the network was away.
   */
  async #listenForSilence(): Promise<void> {
    if (this.#hub.heardAt === undefined) return;
    while (!this.over.aborted) {
      await pause(Math.max(this.#hub.heardAt + silentMs - Date.now(), probeMs), this.over);
      if (!this.over.aborted && Date.now() - this.#hub.heardAt >= silentMs) await this.probe();
    }
  }

  #finish(error: PulseError | undefined): void {
    this.#end({ ...(this.#session && { session: this.#session }), ...(error && { error }) });
  }

  #on<M extends keyof HubMessages>(method: M, handler: (message: HubMessages[M]) => void): void {
    this.#hub.on(method, (message: HubMessages[M]) => {
      if (!this.over.aborted) handler(message);
    });
  }
}
