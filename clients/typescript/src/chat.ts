import type { Extension, Running } from './extension.js';
import { ChatClient } from './chat/chat-client.js';
import type { ChatMembers, ChatOptions } from './chat/types.js';

/** Conversations, for `createPulseClient({ chat: chat() })`. Its own entry point, so that presence alone stays small. */
export function chat(options: ChatOptions = {}): Extension<ChatMembers> {
  return { attach: (host): Running<ChatMembers> => new ChatClient(host, options) };
}

export type {
  Channel, ChatMembers, ChatOptions, ChatStorage, Conversation, ConversationItem, ConversationKind, Conversations, ConversationSnapshot,
  ConversationUser, EditOptions, InboxSnapshot, Member, Message, NewcomersSee, NewConversation, Notice, PendingMessage, Reaction, Role,
  SearchHit, SendOptions, UnreadTotal, You,
} from './chat/types.js';
