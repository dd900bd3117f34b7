import { backoffMs } from '../backoff.js';
import type { Connection } from '../connection.js';
import { PulseError } from '../errors.js';
import type { ExtensionHost } from '../extension.js';
import type { HubCalls } from '../hub.js';
import { pause, within } from '../time.js';
import type { Method, Request } from './rest.js';

/** The server answers within 5 s. A later answer is lost. */
const answerWithinMs = 20_000;

// The same call may succeed later. Every other code of the server is its final answer.
const passing = new Set([
  'unavailable', 'unknown-outcome', 'internal', 'too-many-messages', 'too-many-calls', 'too-many-lookups', 'too-many-requests', 'connection-lost',
  'connection-failed', 'call-failed', 'token-unavailable', 'server-stopping', 'replaced', 'token-expired', 'closed-by-operator',
  'too-many-connections', 'signed-out', 'user-removed',
]);

export function isRepeatable(error: PulseError): boolean {
  return passing.has(error.code);
}

/** The conversation is unknown to the user. */
export function isFinal({ code }: PulseError): boolean {
  return code === 'not-found' || code === 'not-a-member';
}

function stopped(): PulseError {
  return new PulseError('stopped', 'The client was stopped.');
}

function aborted(): PulseError {
  return new PulseError('aborted', 'The signal of this call was aborted.');
}

/** The promise's outcome, or a rejection with `aborted` as soon as the signal aborts. The work itself continues. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const cut = (): void => reject(aborted());
    if (signal.aborted) cut();
    signal.addEventListener('abort', cut);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', cut));
  });
}

/** The connection of the moment and its user, for calls that outlive a connection. */
export class Session {
  readonly #host: ExtensionHost;
  readonly #request: Request;
  #life = new AbortController();
  /** Undefined before the first start. */
  #isRunning: boolean | undefined;
  readonly #starting: (() => void)[] = [];
  #connection: Connection | undefined;
  #waiting: { readonly resolve: (connection: Connection) => void; readonly reject: (error: PulseError) => void }[] = [];
  /** The user of the latest connection; undefined before the first one and after the end. */
  userId: string | undefined;

  constructor(host: ExtensionHost, request: Request) {
    this.#host = host;
    this.#request = request;
  }

  get connection(): Connection | undefined {
    return this.#connection?.over.aborted ? undefined : this.#connection;
  }

  /** The present user, or otherwise the latest one of this client. */
  get ownUser(): string | undefined {
    return this.userId ?? this.#host.ownUser();
  }

  /** Aborts when the client stops. */
  get over(): AbortSignal {
    return this.#life.signal;
  }

  started(): void {
    this.#isRunning = true;
    for (const start of this.#starting.splice(0)) start();
  }

  opened(connection: Connection, userId: string): void {
    this.started();
    this.#connection = connection;
    this.userId = userId;
    for (const { resolve } of this.#waiting.splice(0)) resolve(connection);
  }

  ended(): void {
    this.#isRunning = false;
    this.#connection = this.userId = undefined;
    this.#life.abort();
    this.#life = new AbortController();
    for (const { reject } of this.#waiting.splice(0)) reject(stopped());
    for (const look of this.#starting.splice(0)) look();
  }

  /** The connection, once there is one. Rejects with `stopped`. */
  connected(): Promise<Connection> {
    if (this.#isRunning || this.#isAwaitingStart) return this.#connected();
    const { over } = this;
    return this.#begun().then(() => {
      // The next connection may be another user's.
      if (over.aborted || !this.#isRunning) throw stopped();
      return this.#connected();
    });
  }

  /** Makes one call, which ends with the connection. Rejects with a PulseError. */
  async call<M extends keyof HubCalls>(connection: Connection, method: M, ...args: HubCalls[M]['args']): Promise<HubCalls[M]['answer']> {
    try {
      return await within(answerWithinMs, method, connection.invoke(method, ...args), connection.over);
    } catch (error) {
      throw error instanceof PulseError ? error : new PulseError('connection-lost', `${method} was not answered`, { cause: error });
    }
  }

  /** Repeats a call on this connection and the next ones until the server has answered or refused it. */
  async insist<M extends keyof HubCalls>(method: M, ...args: HubCalls[M]['args']): Promise<HubCalls[M]['answer']> {
    return this.#repeat(async () => this.call(await this.connected(), method, ...args));
  }

  /** As `insist`, until the signal aborts: then it rejects with `aborted`, and stops calling. */
  async insistUntil<M extends keyof HubCalls>(
    over: AbortSignal | undefined, method: M, ...args: HubCalls[M]['args']
  ): Promise<HubCalls[M]['answer']> {
    const work = this.#repeat(async () => {
      const connection = await this.connected();
      // React Native lacks throwIfAborted.
      if (over?.aborted) throw aborted();
      return this.call(connection, method, ...args);
    });
    return unlessAborted(work, over);
  }

  /** Makes one request, before the first start as soon as the client starts. Rejects with a PulseError. */
  async request<T>(method: Method, path: string, body?: object, signal?: AbortSignal): Promise<T> {
    const { over } = this;
    if (!this.#isRunning) await unlessAborted(this.#begun(), signal);
    if (over.aborted || !this.#isRunning) throw stopped();
    try {
      return (await this.#request(method, path, body, ...(signal ? [over, signal] : [over]))) as T;
    } catch (error) {
      throw signal?.aborted ? aborted() : error;
    } finally {
      // The answer was for a former user, so it is discarded.
      if (over.aborted) throw stopped();
    }
  }

  /**
   * Repeats a request until the server has answered or refused it.
   * @param isDone whether a refusal says that an earlier attempt has had its effect. The promise then resolves to undefined.
   */
  async insistRequest<T>(
    method: Method, path: string, body?: object, isDone: (error: PulseError, attempt: number) => boolean = () => false,
  ): Promise<T> {
    let attempt = 0;
    try {
      return await this.#repeat(() => {
        attempt++;
        return this.request<T>(method, path, body);
      });
    } catch (error) {
      if (error instanceof PulseError && isDone(error, attempt)) return undefined as T;
      throw error;
    }
  }

  /** Waits before the next attempt, and as long as the error of the last one says. */
  backoff(failures: number, error?: unknown, ...cut: readonly AbortSignal[]): Promise<void> {
    const leastMs = (error instanceof PulseError && error.retryAfterMs) || 0;
    return pause(leastMs + Math.max(backoffMs(failures, this.#host.random), 100), this.over, ...cut);
  }

  /** Whether the client can start, and has yet to start for the first time. */
  get #isAwaitingStart(): boolean {
    return this.#isRunning === undefined && this.#host.canStart();
  }

  /** Resolves when it is known whether the client runs. */
  #begun(): Promise<void> {
    if (this.#isAwaitingStart) return new Promise((resolve) => this.#starting.push(resolve));
    // In React's StrictMode the effects of children run after a parent has stopped the client, and before it starts again in the same task.
    return Promise.resolve();
  }

  #connected(): Promise<Connection> {
    const { connection } = this;
    return connection ? Promise.resolve(connection) : new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async #repeat<T>(work: () => Promise<T>): Promise<T> {
    const { over } = this;
    for (let failures = 1; ; failures++) {
      let refusal: PulseError;
      try {
        const answer = await work();
        if (over.aborted) throw stopped();
        return answer;
      } catch (error) {
        if (over.aborted) throw stopped();
        if (!(error instanceof PulseError) || !isRepeatable(error)) throw error;
        refusal = error;
      }
      await this.backoff(failures, refusal, over);
      if (over.aborted) throw stopped();
    }
  }
}
