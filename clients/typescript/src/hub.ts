import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { OwnStatus, WirePresence } from './presence.js';

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

const goodbyeCode = 1000;
/** Of the codes that applications may give a meaning to (RFC 6455 section 7.4.2). To the server it is as if the connection had broken. */
const droppedCode = 4000;

/** WebSockets alone and no negotiation: one round trip less, and any front end will do, with no sticky sessions. */
export function signalRHub(url: string): OpenHub {
  return (token, { status, previous }) => {
    const query = new URLSearchParams();
    // Without a status the server lets a connection inherit the one of the connection that it replaces.
    if (status !== 'online' || previous) query.set('status', status);
    if (previous) query.set('previous', previous);
    const closing: Closing = { isGoodbye: false, isSilent: false };
    const connection = new HubConnectionBuilder()
      .withUrl(`${url}/hubs/pulse${[...query].length > 0 ? `?${query}` : ''}`, {
        transport: HttpTransportType.WebSockets,
        skipNegotiation: true,
        accessTokenFactory: () => token,
        // Node.js keeps SignalR's own, which sends the token as a header. Every close is a goodbye there, but a Node.js process has no page
        // that wakes up.
        ...(typeof document === 'object' && { WebSocket: socketClass(closing) }),
      })
      .configureLogging(LogLevel.None)
      .build();
    return {
      start: () => connection.start(),
      stop: () => {
        closing.isGoodbye = true;
        return connection.stop();
      },
      drop: () => {
        closing.isSilent = true;
        return connection.stop();
      },
      on: (method, handler) => connection.on(method, handler),
      onclose: (handler) => connection.onclose(handler),
      invoke: (method, ...args) => connection.invoke(method, ...args),
    };
  };
}

interface Closing {
  isGoodbye: boolean;
  isSilent: boolean;
}

/**
 * SignalR closes its sockets without a code, whether the application stops the connection or SignalR gives up a server that is silent, and
 * `stop()` sends a close message first. The server takes both for a goodbye.
 */
function socketClass(closing: Closing): typeof WebSocket {
  return class extends WebSocket {
    override send(data: Parameters<WebSocket['send']>[0]): void {
      if (!closing.isSilent) super.send(data);
    }

    override close(): void {
      super.close(closing.isGoodbye ? goodbyeCode : droppedCode);
    }
  };
}
