import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { OwnStatus, WirePresence } from './presence.js';

/** The part of SignalR's HubConnection that this client uses. */
export interface Hub {
  start(): Promise<void>;
  stop(): Promise<void>;
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

/** `status` is what others shall see from the first moment. */
export type OpenHub = (token: string, status?: OwnStatus) => Hub;

/** WebSockets alone and no negotiation: one round trip less, and any front end will do, with no sticky sessions. */
export function signalRHub(url: string): OpenHub {
  return (token, status = 'online') =>
    new HubConnectionBuilder()
      .withUrl(`${url}/hubs/pulse${status === 'online' ? '' : `?status=${status}`}`, { transport: HttpTransportType.WebSockets, skipNegotiation: true, accessTokenFactory: () => token })
      .configureLogging(LogLevel.None)
      .build();
}
