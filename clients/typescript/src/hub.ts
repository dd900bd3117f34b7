import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { OwnStatus, WirePresence } from './presence.js';
import { Transport, transportTypes, type TransportName } from './transport.js';

/** The part of SignalR's HubConnection that this client uses. */
export interface Hub {
  start(): Promise<void>;
  /** Closes with a goodbye: for the server, the user leaves at once. */
  stop(): Promise<void>;
  /** Closes without a goodbye: the server waits for a while whether the client comes back. */
  drop(): Promise<void>;
  on(method: string, handler: (message: never) => void): void;
  onclose(handler: (error?: Error) => void): void;
  invoke<T>(method: string, ...args: unknown[]): Promise<T>;
  /** When the server was last heard, pings included; undefined where that cannot be known. */
  readonly heardAt?: number | undefined;
  /** Whether a handshake is under way and not answered. */
  readonly isUnanswered?: boolean;
}

/** What the hub can be asked, and what it answers. */
export interface HubCalls {
  Heartbeat: { args: []; answer: void };
  WatchPresence: { args: [userIds: readonly string[]]; answer: WirePresence[] };
  UnwatchPresence: { args: [userIds: readonly string[]]; answer: void };
  SetStatus: { args: [status: string, message: string | null]; answer: void };
  Reauthenticate: { args: [accessToken: string]; answer: void };
}

/** What the hub says by itself. */
export interface HubMessages {
  Connected: { readonly userId: string; readonly connectionId: string; readonly heartbeatSeconds: number };
  PresenceChanged: WirePresence;
  TokenExpiring: { readonly secondsLeft: number };
  SessionEnded: { readonly reason: string; readonly mayReconnect: boolean };
}

export interface Opening {
  /** What others shall see from the first moment. */
  readonly status: OwnStatus;
  /** The client's former connection, which the new one replaces. */
  readonly previous?: string | undefined;
}

export type OpenHub = (token: string, opening: Opening) => Hub;

/** WebSockets alone need no negotiation: one round trip less, and each front end will do, without sticky sessions. */
export function signalRHub(url: string, transports: readonly TransportName[] = ['webSockets']): OpenHub {
  return (token, { status, previous }) => {
    const query = new URLSearchParams();
    // Without a status the server lets a connection inherit the one of the connection that it replaces.
    if (status !== 'online' || previous) query.set('status', status);
    if (previous) query.set('previous', previous);
    const transport = new Transport(transports);
    const connection = new HubConnectionBuilder()
      .withUrl(`${url}/hubs/pulse${[...query].length > 0 ? `?${query}` : ''}`, {
        ...transport.options(),
        transport: transports.reduce((types, name) => types | transportTypes[name], HttpTransportType.None),
        skipNegotiation: transports.every((name) => name === 'webSockets'),
        accessTokenFactory: () => token,
      })
      .configureLogging(LogLevel.None)
      .build();
    return {
      start: () => connection.start(),
      stop: () => {
        transport.endWithGoodbye();
        return connection.stop();
      },
      drop: () => {
        transport.drop();
        return connection.stop();
      },
      on: (method, handler) => connection.on(method, handler),
      onclose: (handler) => connection.onclose(handler),
      invoke: (method, ...args) => connection.invoke(method, ...args),
      get heardAt() {
        return transport.heardAt;
      },
      get isUnanswered() {
        return transport.isUnanswered;
      },
    };
  };
}
