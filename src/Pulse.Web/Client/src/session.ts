import { HttpTransportType, HubConnectionBuilder, LogLevel, type HubConnection } from '@microsoft/signalr';
import { devSignIn, sync, type AccessToken, type Person, type User } from './api';

interface Connected {
  readonly userId: string;
  readonly connectionId: string;
  readonly heartbeatSeconds: number;
}

export type LinkState = 'connected' | 'reconnecting' | 'closed';

const tokenSlackMs = 30_000;

/** One person signed in on this tab: a token that is renewed when it runs low, and the live socket. */
export class Session {
  #token: AccessToken;
  #hub: HubConnection;
  #heartbeat: number | undefined;

  private constructor(readonly person: Person, readonly user: User, token: AccessToken, onLink: (state: LinkState) => void) {
    this.#token = token;
    this.#hub = new HubConnectionBuilder()
      .withUrl('/hubs/pulse', {
        transport: HttpTransportType.WebSockets,
        skipNegotiation: true,
        accessTokenFactory: () => this.token(),
      })
      // Never give up: somebody who comes back to this tab after an hour expects it to be live.
      .withAutomaticReconnect({ nextRetryDelayInMilliseconds: ({ previousRetryCount: n }) => Math.min(250 * 2 ** n, 5_000) })
      .configureLogging(LogLevel.None)
      .build();
    this.#hub.on('Connected', ({ heartbeatSeconds }: Connected) => this.#beatEvery(heartbeatSeconds));
    this.#hub.onreconnecting(() => onLink('reconnecting'));
    this.#hub.onreconnected(() => onLink('connected'));
    this.#hub.onclose(() => {
      window.clearInterval(this.#heartbeat);
      onLink('closed');
    });
  }

  static async start(person: Person, onLink: (state: LinkState) => void): Promise<Session> {
    const token = await devSignIn(person);
    const user = await sync(person, token.accessToken);
    const session = new Session(person, user, token, onLink);
    await session.#hub.start();
    onLink('connected');
    return session;
  }

  /** A token that still lasts a while: reconnecting with a stale one would be refused. */
  async token(): Promise<string> {
    if (Date.parse(this.#token.expiresAt) - Date.now() < tokenSlackMs) this.#token = await devSignIn(this.person);
    return this.#token.accessToken;
  }

  stop(): Promise<void> {
    return this.#hub.stop();
  }

  #beatEvery(seconds: number): void {
    window.clearInterval(this.#heartbeat);
    // A beat that fails says nothing new: the socket's own close event follows.
    this.#heartbeat = window.setInterval(() => void this.#hub.invoke('Heartbeat').catch(() => undefined), seconds * 1_000);
  }
}
