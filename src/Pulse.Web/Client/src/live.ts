import { HttpTransportType, HubConnectionBuilder, HubConnectionState, LogLevel } from '@microsoft/signalr';
import { SignedOutError, Tokens } from './token';

interface Connected {
  readonly heartbeatSeconds: number;
}

export type Link = 'connecting' | 'connected' | 'lost' | 'signed-out';

/** Keeps this tab connected to the hub for as long as the session lives, and says how that goes. */
export class Live {
  readonly tokens = new Tokens();
  readonly #hub = new HubConnectionBuilder()
    .withUrl('/hubs/pulse', {
      transport: HttpTransportType.WebSockets,
      skipNegotiation: true,
      accessTokenFactory: () => this.tokens.current(),
    })
    .configureLogging(LogLevel.None)
    .build();
  #heartbeat: number | undefined;
  #tries = 0;

  constructor(readonly onLink: (link: Link) => void) {
    this.#hub.on('Connected', ({ heartbeatSeconds }: Connected) => {
      this.#tries = 0;
      this.#beatEvery(heartbeatSeconds);
      onLink('connected');
    });
    // A session may have been ended elsewhere: only a token bought now knows.
    this.#hub.on('SessionEnded', () => this.tokens.drop());
    this.#hub.onclose(() => this.#comeBack());
  }

  get isConnected(): boolean {
    return this.#hub.state === HubConnectionState.Connected;
  }

  async start(): Promise<void> {
    if (this.#hub.state !== HubConnectionState.Disconnected) return;
    try {
      // Bought here and not by the hub's client, which would hide why it failed.
      await this.tokens.current();
      await this.#hub.start();
    } catch (error) {
      if (error instanceof SignedOutError) this.onLink('signed-out');
      else this.#comeBack();
    }
  }

  /** Never gives up: somebody who comes back to this tab after an hour expects it to be live. */
  #comeBack(): void {
    window.clearInterval(this.#heartbeat);
    this.onLink('lost');
    this.tokens.drop();
    const waitMs = Math.min(250 * 2 ** this.#tries++, 5_000);
    window.setTimeout(() => void this.start(), waitMs);
  }

  #beatEvery(seconds: number): void {
    window.clearInterval(this.#heartbeat);
    // A beat that fails says nothing new: the socket's own close event follows.
    this.#heartbeat = window.setInterval(() => void this.#hub.invoke('Heartbeat').catch(() => undefined), seconds * 1_000);
  }
}
