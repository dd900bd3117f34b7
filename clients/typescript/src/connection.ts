import { backoffMs } from './backoff.js';
import { isPassing, PulseError, readError } from './errors.js';
import type { Hub, HubCalls, HubMessages } from './hub.js';
import { pause, within } from './time.js';

const openWithinMs = 20_000;
const closeWithinMs = 5_000;
const probeMs = 5_000;
/** Longer than the server's ping interval of 15 s: a living server has sent a ping in that time. */
const busyProbeMs = 16_500;
const silentMs = 16_500;
/** The server closes a connection that sends a message above 64 KiB. Leaves room for the frame around the arguments. */
const largestArguments = 60 * 1_024;

/** How a connection ended. */
export interface ConnectionEnd {
  /** The reason that the server gave, if any. */
  readonly session?: HubMessages['SessionEnded'];
  /** The error that broke the connection, if any. */
  readonly error?: PulseError;
}

export interface ConnectionEvents {
  onPresenceChanged(change: HubMessages['PresenceChanged']): void;
  onTokenExpiring(expiring: HubMessages['TokenExpiring']): void;
}

/** A socket, from its opening to its end. Messages that arrive after the end are ignored. */
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
    this.on('PresenceChanged', (change) => events.onPresenceChanged(change));
    this.on('TokenExpiring', (expiring) => events.onTokenExpiring(expiring));
    this.on('SessionEnded', (session) => {
      this.#session = session;
      // The server closes next. When the client may reconnect, the closing is left to the server, which then expects the client back. The
      // drop after a pause only helps a server that forgets to close.
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

  /** Whether a handshake is in progress and unanswered. */
  get isUnanswered(): boolean {
    return this.#hub.isUnanswered ?? false;
  }

  /**
   * Opens the socket. Resolves to the server's greeting, or to undefined if that failed. `ended` then has the reason.
   * @param cut gives the attempt up.
   */
  async open(cut: AbortSignal): Promise<HubMessages['Connected'] | undefined> {
    const greeting = new Promise<HubMessages['Connected']>((resolve) => this.on('Connected', resolve));
    const failed = this.#ended.then(() => undefined);
    try {
      // Otherwise a network that swallows packets would keep a browser trying for minutes.
      const opening = Promise.race([this.#hub.start().then(() => Promise.race([greeting, failed])), failed]);
      const greeted = await within(openWithinMs, 'connecting', opening, cut);
      void this.#listenForSilence();
      return greeted;
    } catch (error) {
      void this.drop(readError(error, 'connection-failed'));
      return undefined;
    }
  }

  /** Makes one call. Rejects with a PulseError. */
  async invoke<M extends keyof HubCalls>(method: M, ...args: HubCalls[M]['args']): Promise<HubCalls[M]['answer']> {
    if (this.over.aborted) throw new PulseError('connection-lost', `${method}: the connection is over`);
    // The server would close the connection, and the repeated call would end each later one too.
    if (utf8Length(JSON.stringify(args)) > largestArguments) {
      throw new PulseError('too-long', `${method}: above ${largestArguments} bytes of JSON`);
    }
    this.#pending++;
    try {
      return await this.#hub.invoke<HubCalls[M]['answer']>(method, ...args);
    } catch (error) {
      throw readError(error, 'call-failed');
    } finally {
      this.#pending--;
    }
  }

  /** Repeats the same call until it succeeds, unless the server's error is permanent or the connection ends. Rejects with a PulseError. */
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
   * Checks whether the server still answers, and gives the connection up otherwise, because a socket can be dead for a long time before the
   * platform reports it. The server answers a connection's calls one after another, so a slow call delays the answer, and a reconnect would
   * add to the cause of that slow call. Therefore a server that has sent a ping meanwhile counts as living.
   */
  async probe(): Promise<void> {
    if (this.#probing) return;
    this.#probing = true;
    const askedAt = Date.now();
    // A slow call delays answers, but not pings.
    const isSilent = this.#hub.heardAt !== undefined && askedAt - this.#hub.heardAt >= silentMs;
    try {
      await within(this.#pending > 0 && !isSilent ? busyProbeMs : probeMs, 'Heartbeat', this.invoke('Heartbeat'));
    } catch (error) {
      // An error is an answer too.
      const { heardAt } = this.#hub;
      const wasHeard = heardAt !== undefined && heardAt > askedAt;
      if (!(error instanceof PulseError) && !wasHeard) void this.drop(new PulseError('connection-lost', 'The server does not answer'));
    } finally {
      this.#probing = false;
    }
  }

  /** Ends the connection as if the server had ended the session. */
  endSession(session: HubMessages['SessionEnded']): void {
    this.#session = session;
    void this.close();
  }

  /**
   * Ends the connection now, with a goodbye: the user is offline at once. The promise resolves when the socket is closed too, and never
   * rejects.
   */
  close(): Promise<void> {
    this.#finish(undefined);
    // SignalR may wait for ever for an answer.
    return Promise.race([this.#hub.stop().catch(() => undefined), pause(closeWithinMs)]);
  }

  /** Cuts the connection now, and leaves out the goodbye because the client will reconnect. */
  drop(error?: PulseError): Promise<void> {
    this.#finish(error);
    return this.#hub.drop().catch(() => undefined);
  }

  /**
   * The server pings every 15 s. SignalR gives up a silent server after 30 s. That is too late when the network is back, because TCP waits
   * longer and longer between repetitions: in total as long again as the network was away.
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

  /** Messages that arrive after the end are ignored. */
  on<M extends keyof HubMessages>(method: M, handler: (message: HubMessages[M]) => void): void {
    this.#hub.on(method, (message: HubMessages[M]) => {
      if (!this.over.aborted) handler(message);
    });
  }
}

/** TextEncoder is missing in older versions of React Native. */
function utf8Length(text: string): number {
  return text.replace(/[\u0080-\u07ff\ud800-\udfff]/g, '12').replace(/[\u0800-\uffff]/g, '123').length;
}
