import {
  DefaultHttpClient, HttpClient, HttpTransportType, NullLogger, type HttpRequest, type HttpResponse, type IHttpConnectionOptions,
} from '@microsoft/signalr';

/** A transport to the hub. `webSockets` is the only one that works without sticky sessions. */
export type TransportName = 'webSockets' | 'serverSentEvents' | 'longPolling';

export const transportTypes: Readonly<Record<TransportName, HttpTransportType>> = {
  webSockets: HttpTransportType.WebSockets,
  serverSentEvents: HttpTransportType.ServerSentEvents,
  longPolling: HttpTransportType.LongPolling,
};

const goodbyeCode = 1000;
/** A code that applications may define (RFC 6455 section 7.4.2). The server treats it as a broken connection. */
const droppedCode = 4000;
/** Leaves time for the next transport if the network swallows WebSocket handshakes. */
const nextTransportMs = 5_000;

/** The common part of WebSocket and EventSource that closes them. */
interface Socket {
  readonly readyState: number;
  close(): void;
}

/**
 * Holds every socket that one connection opens, so that the client can close it at any moment. SignalR's `stop()` waits for a start in
 * progress, and so leaves a socket open whose handshake is unanswered. Chromium makes one WebSocket handshake per host at a time: such a
 * socket would delay all later ones until the operating system gives it up, after two minutes or more.
 */
export class Transport {
  readonly #mayFallBack: boolean;
  readonly #aborts = new Set<() => void>();
  #socket: Socket | undefined;
  #isGoodbye = false;
  #isDropped = false;
  #heardAt: number | undefined;

  constructor(names: readonly TransportName[]) {
    this.#mayFallBack = names.length > 1;
  }

  /** When the server last sent a message, pings included; undefined where the platform does not show it, as in Node.js. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  /** Whether a handshake is in progress and unanswered, and no other transport will be tried. */
  get isUnanswered(): boolean {
    return !this.#mayFallBack && this.#isOpening;
  }

  /** The options for SignalR. */
  options(): IHttpConnectionOptions {
    return {
      httpClient: this.#httpClient(),
      // In Node.js SignalR uses its own class, which sends the token as a header. There each close is a goodbye, and handshakes run in
      // parallel.
      ...(isPage() && typeof WebSocket === 'function' && { WebSocket: this.#webSocketClass() }),
      ...(isPage() && typeof EventSource === 'function' && { EventSource: this.#eventSourceClass() }),
    };
  }

  /** Runs preparations of the connection before it opens. Aborts with the connection. */
  async do<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const cut = new AbortController();
    const abort = (): void => cut.abort();
    this.#aborts.add(abort);
    try {
      if (this.#isOver) abort();
      const result = await work(cut.signal);
      // React Native lacks throwIfAborted.
      if (cut.signal.aborted) throw new Error('The connection is over.');
      return result;
    } finally {
      this.#aborts.delete(abort);
    }
  }

  /** Ends the connection with a goodbye: the server sets the user offline at once. */
  endWithGoodbye(): void {
    this.#isGoodbye = true;
    this.#cutOpening();
  }

  /** Ends the connection without a goodbye: the server waits for the client to reconnect. */
  drop(): void {
    this.#isDropped = true;
    this.#cutOpening();
  }

  get #isOpening(): boolean {
    return this.#socket?.readyState === 0;
  }

  get #isOver(): boolean {
    return this.#isGoodbye || this.#isDropped;
  }

  #cutOpening(): void {
    if (this.#isOpening) this.#socket?.close();
    for (const abort of this.#aborts) abort();
  }

  #began(socket: Socket): void {
    this.#socket = socket;
    if (this.#isOver) socket.close();
    else if (this.#mayFallBack) setTimeout(() => socket.readyState === 0 && socket.close(), nextTransportMs);
  }

  #webSocketClass(): typeof WebSocket {
    const transport = this;
    /**
     * SignalR closes its sockets without a code, both when the application stops the connection and when SignalR gives up a silent server,
     * and `stop()` sends a close message first. The server takes both for a goodbye.
     */
    return class extends WebSocket {
      constructor(...args: ConstructorParameters<typeof WebSocket>) {
        super(...args);
        this.addEventListener('message', () => (transport.#heardAt = Date.now()));
        transport.#began(this);
      }

      override send(data: Parameters<WebSocket['send']>[0]): void {
        if (!transport.#isDropped) super.send(data);
      }

      override close(): void {
        super.close(transport.#isGoodbye ? goodbyeCode : droppedCode);
      }
    };
  }

  #eventSourceClass(): typeof EventSource {
    const transport = this;
    return class extends EventSource {
      constructor(...args: ConstructorParameters<typeof EventSource>) {
        super(...args);
        transport.#began(this);
      }

      override close(): void {
        const isOpening = this.readyState === 0;
        super.close();
        // The platform omits its event then, and SignalR would wait for ever.
        if (isOpening) this.onerror?.(new Event('error'));
      }
    };
  }

  #httpClient(): HttpClient {
    const transport = this;
    const inner = new DefaultHttpClient(NullLogger.instance);
    return new (class extends HttpClient {
      override async send(request: HttpRequest): Promise<HttpResponse> {
        // The close message and the DELETE of long polling are both goodbyes.
        if (transport.#isDropped) throw new Error('The connection is dropped.');
        if (transport.#isGoodbye) return inner.send(request);
        const cut = new AbortController();
        const abort = (): void => cut.abort();
        const { abortSignal: own } = request;
        if (own?.aborted) abort();
        else if (own) own.onabort = abort;
        transport.#aborts.add(abort);
        try {
          return await inner.send({ ...request, abortSignal: cut.signal as NonNullable<HttpRequest['abortSignal']> });
        } finally {
          transport.#aborts.delete(abort);
          if (own) own.onabort = null;
        }
      }

      override getCookieString(url: string): string {
        return inner.getCookieString(url);
      }
    })();
  }
}

/** Whether sockets are the platform's own. As SignalR decides it, except for pages in programs that have both, such as Electron. */
export function isPage(): boolean {
  const { process } = globalThis as { process?: { release?: { name?: string } } };
  return process?.release?.name !== 'node' || typeof document === 'object';
}
