// The messages from and to the server, as docs/chat.md describes them.
import type { ConversationItem, Message, NewcomersSee, Role } from './types.js';

/** An entry of a log. Members beyond the first four depend on the kind; kinds of later servers have unknown ones. */
export interface Entry {
  readonly seq: number;
  readonly kind: string;
  readonly senderId: string;
  readonly sentAt: string;
  readonly target?: number;
  readonly clientId?: string | null;
  readonly text?: string | null;
  readonly mentions?: readonly string[];
  readonly replyTo?: number | null;
  readonly editedSeq?: number;
  readonly deletedSeq?: number;
  readonly emoji?: string;
  readonly on?: boolean;
  readonly userId?: string;
  readonly role?: Role;
  readonly title?: string | null;
  readonly newcomersSee?: NewcomersSee;
}

export type WireMessage = Omit<Message, 'fromBlocked'>;

export type Item = Omit<ConversationItem, 'hasUnread' | 'last'> & { readonly last: WireMessage | null };

export interface Marker {
  readonly userId: string;
  readonly read: number;
}

export interface EntriesAdded {
  readonly conversationId: string;
  readonly from: number;
  readonly entries: readonly Entry[];
  readonly head: number;
}

export interface Opened {
  readonly from: number;
  readonly head: number;
  readonly entries: readonly Entry[];
  readonly tooFar: boolean;
  readonly reset: boolean;
  readonly typing: readonly string[];
  readonly markers: readonly Marker[];
  readonly you: { readonly role: Role; readonly from: number; readonly read: number };
}

export interface Synced {
  readonly id: string;
  readonly head: number;
  readonly from: number;
  readonly read: number;
  readonly entries: readonly Entry[];
  readonly tooFar: boolean;
  readonly gone: boolean;
  readonly reset: boolean;
}

export interface Sending {
  readonly clientId: string;
  readonly text: string;
  readonly replyTo?: number;
  readonly mentions?: readonly string[];
  readonly after?: string;
  readonly read?: number;
}

export interface Editing {
  readonly text: string;
  readonly mentions?: readonly string[];
  readonly edited?: number;
}

export interface Marked {
  readonly read: number;
  readonly unread: number;
  readonly unreadMore: boolean;
  readonly mentions: number;
}

/** A page of history. */
export interface Messages {
  readonly items: readonly WireMessage[];
  readonly from: number;
  readonly head: number;
  readonly hasBefore: boolean;
  readonly hasAfter: boolean;
}

export interface Entries {
  readonly from: number;
  readonly head: number;
  readonly entries: readonly Entry[];
}
