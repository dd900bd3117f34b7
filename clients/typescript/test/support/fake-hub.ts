import type { Hub, Opening } from '../../src/hub.js';
import type { OwnStatus, WirePresence } from '../../src/presence.js';

type Answer = (...args: never[]) => unknown;

/** The server's end of one socket, played by the test. */
export class FakeHub implements Hub {
  readonly calls: [method: string, ...args: unknown[]][] = [];
  /** The server's answers. By default all users are offline and every other call succeeds. */
  readonly answers: Record<string, Answer> = { WatchPresence: (ids: string[]) => ids.map((id) => presence(id, 'offline', 1)) };
  /** Set when the client closes the hub, whether it says goodbye or drops it. */
  stopped = false;
  dropped = false;
  /** When the server last sent a message; undefined as on a platform that does not show it. */
  heardAt: number | undefined;
  isUnanswered = false;
  logId: string | undefined;
  readonly #handlers = new Map<string, (message: never) => void>();
  #onclose: (error?: Error) => void = () => undefined;
  #start!: { resolve: () => void; reject: (error: Error) => void };

  constructor(readonly token: string, readonly opening: Opening) {}

  get openedWith(): OwnStatus {
    return this.opening.status;
  }

  // --- used by the client ---

  start(): Promise<void> {
    return new Promise((resolve, reject) => (this.#start = { resolve, reject }));
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.#onclose();
  }

  async drop(): Promise<void> {
    this.dropped = true;
    await this.stop();
  }

  on(method: string, handler: (message: never) => void): void {
    this.#handlers.set(method, handler);
  }

  onclose(handler: (error?: Error) => void): void {
    this.#onclose = handler;
  }

  async invoke<T>(method: string, ...args: unknown[]): Promise<T> {
    this.calls.push([method, ...args]);
    if (new TextEncoder().encode(JSON.stringify({ type: 1, invocationId: '1', target: method, arguments: args })).length >= 65_536) {
      this.break(new Error('Server returned an error on close: Connection closed with an error.'));
      throw new Error('Invocation canceled due to the underlying connection being closed.');
    }
    return (await this.answers[method]?.(...(args as never[]))) as T;
  }

  // --- used by the test ---

  accept(userId = 'me', connectionId = 'c'): void {
    this.isUnanswered = false;
    this.#start.resolve();
    this.say('Connected', { userId, connectionId, heartbeatSeconds: 30, ...(this.logId !== undefined && { logId: this.logId }) });
  }

  refuse(): void {
    this.#start.reject(new Error('WebSocket failed to connect.'));
  }

  say(method: string, message: unknown): void {
    this.#handlers.get(method)?.(message as never);
  }

  /** Breaks the connection. */
  break(error = new Error('WebSocket closed with status code: 1006')): void {
    this.#onclose(error);
  }

  callsOf(method: string): unknown[][] {
    return this.calls.filter(([name]) => name === method).map(([, ...args]) => args);
  }
}

export function presence(userId: string, status: string, version: number, more: Partial<WirePresence> = {}): WirePresence {
  return { userId, status, message: null, lastSeen: null, version, ...more };
}

export function hubError(text: string): Error {
  return new Error(text);
}
