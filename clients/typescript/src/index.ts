import { Client } from './client.js';
import type { ChatMembers } from './chat/types.js';
import type { Extension } from './extension.js';
import { readSettings, surroundings, type PulseClientOptions } from './options.js';
import type { PulseClient } from './pulse-client.js';

/** A client for one signed-in person, with conversations. Touches page and network only after `start()`. */
export function createPulseClient(options: PulseClientOptions & { readonly chat: Extension<ChatMembers> }): PulseClient & ChatMembers;
/** A client for one signed-in person. Touches page and network only after `start()`. */
export function createPulseClient(options?: PulseClientOptions): PulseClient;
export function createPulseClient(options: PulseClientOptions = {}): PulseClient {
  const settings = readSettings(options);
  return new Client(settings, surroundings(settings, options.getToken), options.chat);
}

export { PulseError } from './errors.js';
export type { PulseClientOptions } from './options.js';
export type { OwnPresence, OwnStatus, Presence, PresenceStatus } from './presence.js';
export type { PulseClient, PulseEvents, PulseSnapshot } from './pulse-client.js';
export type { PulseState, SessionEnded } from './state.js';
export type { AccessToken, TokenSource } from './tokens.js';
export type { TransportName } from './transport.js';
