import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type * as wire from './chat/wire.js';
import type { OwnStatus, WirePresence } from './presence.js';
import { takeTicket } from './ticket.js';
import { isPage, Transport, transportTypes, type TransportName } from './transport.js';

const maxFailedTickets = 2;

/** The part of SignalR's HubConnection that this client uses. */
export interface Hub {
  start(): Promise<void>;
  /** Closes with a goodbye: the server sets the user offline at once. */
  stop(): Promise<void>;
  /** Closes the connection and leaves out the goodbye, so that the server waits a while for a reconnect. */
  drop(): Promise<void>;
  on(method: string, handler: (message: never) => void): void;
  onclose(handler: (error?: Error) => void): void;
  invoke<T>(method: string, ...args: unknown[]): Promise<T>;
  /** When the server last sent a message, pings included; undefined where that is unknown. */
  readonly heardAt?: number | undefined;
  /** Whether a handshake is in progress and unanswered. */
  readonly isUnanswered?: boolean;
}

/** The calls of the hub and their answers. */
export interface HubCalls {
  Heartbeat: { args: []; answer: void };
  WatchPresence: { args: [userIds: readonly string[]]; answer: WirePresence[] };
  UnwatchPresence: { args: [userIds: readonly string[]]; answer: void };
  SetStatus: { args: [status: string, message: string | null]; answer: void };
  Reauthenticate: { args: [accessToken: string]; answer: void };
  SyncConversations: { args: [known: readonly { id: string; seq: number; read: number }[]]; answer: wire.Synced[] };
  OpenConversation: { args: [id: string, afterSeq: number]; answer: wire.Opened };
  CloseConversation: { args: [id: string]; answer: void };
  SendMessage: { args: [id: string, message: wire.Sending]; answer: { readonly seq: number; readonly sentAt: string } };
  EditMessage: { args: [id: string, seq: number, edit: wire.Editing]; answer: { readonly seq: number } };
  DeleteMessage: { args: [id: string, seq: number]; answer: { readonly seq: number } };
  React: { args: [id: string, seq: number, emoji: string, on: boolean]; answer: { readonly seq: number } };
  MarkRead: { args: [id: string, seq: number]; answer: wire.Marked };
  Typing: { args: [id: string]; answer: void };
}

/** The messages that the hub sends by itself. */
export interface HubMessages {
  Connected: { readonly userId: string; readonly connectionId: string; readonly heartbeatSeconds: number; readonly logId?: string | null };
  PresenceChanged: WirePresence;
  TokenExpiring: { readonly secondsLeft: number };
  SessionEnded: { readonly reason: string; readonly mayReconnect: boolean };
  EntriesAdded: wire.EntriesAdded;
  InboxChanged: { readonly conversations: readonly wire.Item[] };
  ReadChanged: { readonly conversationId: string; readonly markers: readonly wire.Marker[] };
  TypingChanged: { readonly conversationId: string; readonly userIds: readonly string[] };
  Behind: { readonly conversationId: string; readonly head: number };
  ConversationGone: { readonly conversationId: string; readonly reason: string };
}

export interface Opening {
  /** The status that others see from the first moment. */
  readonly status: OwnStatus;
  /** The client's former connection, which the new one replaces. */
  readonly previous?: string | undefined;
}

export type OpenHub = (token: string, opening: Opening) => Hub;

/**
 * With WebSockets only, negotiation is skipped: one round trip less, and any front end can serve the connection, without sticky sessions.
 * In a page the address of the hub has a ticket, because addresses are logged, and a page cannot send a header with a WebSocket.
 */
export function signalRHub(url: string, transports: readonly TransportName[] = ['webSockets']): OpenHub {
  // A front end of an earlier version refuses a ticket that another one has made, so the attempt after two failures uses the token.
  let failedTickets = 0;
  return (token, { status, previous }) => {
    const query = new URLSearchParams();
    // If the status is missing, a connection inherits the status of the connection that it replaces.
    if (status !== 'online' || previous) query.set('status', status);
    if (previous) query.set('previous', previous);
    const transport = new Transport(transports);
    const address = (): string => `${url}/hubs/pulse${[...query].length > 0 ? `?${query}` : ''}`;
    const connection = new HubConnectionBuilder()
      .withUrl(address(), {
        ...transport.options(),
        transport: transports.reduce((types, name) => types | transportTypes[name], HttpTransportType.None),
        skipNegotiation: transports.every((name) => name === 'webSockets'),
        accessTokenFactory: () => (query.has('ticket') ? '' : token),
      })
      .configureLogging(LogLevel.None)
      .build();
    return {
      start: async () => {
        const ticket = failedTickets < maxFailedTickets && isPage() ? await transport.do((signal) => takeTicket(url, token, signal)) : undefined;
        if (!ticket) {
          failedTickets = 0;
          return connection.start();
        }
        query.set('ticket', ticket);
        connection.baseUrl = address();
        failedTickets++;
        await connection.start();
        failedTickets = 0;
      },
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
