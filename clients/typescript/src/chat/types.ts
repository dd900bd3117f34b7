import type { PulseError } from '../errors.js';

export type ConversationKind = 'direct' | 'group' | 'channel';

/** `reader` reads only. Both users of a direct conversation are `member`. */
export type Role = 'owner' | 'moderator' | 'member' | 'reader';

/** The part of the log that a new member can read: the whole log, or the entries since the member joined. */
export type NewcomersSee = 'all' | 'since-joining';

export interface Reaction {
  readonly emoji: string;
  readonly count: number;
  /** Whether the user of this client is among them. */
  readonly mine: boolean;
}

/** A message with its edits, deletion and reactions applied. Immutable: a changed message is a new object. */
export interface Message {
  /** The position in the conversation's log, which is the only order. */
  readonly seq: number;
  readonly senderId: string;
  /** The UUID that the sender's client chose for the message. */
  readonly clientId: string | null;
  /** The newest text; null when the message was deleted, or its sender erased. */
  readonly text: string | null;
  /** ISO 8601 UTC, for display only. */
  readonly sentAt: string;
  /** Seq of the message that this one answers. */
  readonly replyTo: number | null;
  /** The mentioned user ids. */
  readonly mentions: readonly string[];
  /** Seq of the newest edit. */
  readonly editedSeq: number | null;
  /** Seq of the deletion. */
  readonly deletedSeq: number | null;
  readonly reactions: readonly Reaction[];
  /** The user of this client has blocked the sender. In a group or channel a page collapses the message. */
  readonly fromBlocked: boolean;
}

/**
 * A message that the server has yet to answer, or has refused. It becomes a `Message` of the same `clientId`: show it after the messages,
 * with `clientId` as the key of both.
 */
export interface PendingMessage {
  readonly clientId: string;
  readonly text: string;
  readonly replyTo: number | null;
  readonly mentions: readonly string[];
  /** When the user sent it, by the clock of this device. ISO 8601 UTC. */
  readonly createdAt: string;
  /**
   * `waiting`: sent as soon as the connection is there and earlier messages are answered. `sending`: on its way, repeated until answered.
   * `sent`: stored, its echo follows. `failed`: refused, see `error`; it stays until `retry` or `discard`.
   */
  readonly state: 'waiting' | 'sending' | 'sent' | 'failed';
  /** Why the server refused it; null otherwise. */
  readonly error: PulseError | null;
}

/**
 * A change of the conversation itself, in the order of the log. Entries that arrive live or after an absence bring notices, pages of history
 * lack them.
 */
export interface Notice {
  readonly seq: number;
  readonly kind: 'created' | 'member-added' | 'member-removed' | 'role-changed' | 'renamed' | 'rules-changed' | 'closed';
  /** The user that made the change. */
  readonly senderId: string;
  readonly sentAt: string;
  /** The member that was added, removed or got a role. */
  readonly userId?: string;
  readonly role?: Role;
  readonly title?: string | null;
  readonly newcomersSee?: NewcomersSee;
}

/** The part of this client's user in a conversation. */
export interface You {
  readonly role: Role;
  /** The first seq that the user can read. */
  readonly from: number;
  /** The seq up to which the user has read. */
  readonly read: number;
  /** Unread messages of other users; null in large conversations: see `ConversationItem.hasUnread`. */
  readonly unread: number | null;
  /** `unread` is a lower bound: show "99+". */
  readonly unreadMore: boolean;
  /** Unread messages that mention the user; null in large conversations. */
  readonly mentions: number | null;
  /** For the application: the server sends muted members the same messages. */
  readonly muted: boolean;
}

/** A user as conversations show it. */
export interface ConversationUser {
  readonly userId: string;
  readonly name: string;
  /** URL of the picture, or null. */
  readonly avatar: string | null;
}

/** A member of a conversation. */
export interface Member extends ConversationUser {
  readonly role: Role;
  /** The member's read marker; null in large conversations. */
  readonly read: number | null;
}

/** A conversation in the inbox. Immutable: a changed conversation is a new object. */
export interface ConversationItem {
  readonly id: string;
  readonly kind: ConversationKind;
  /** Null for direct conversations: show `other.name`. */
  readonly title: string | null;
  /** Seq of the newest entry. */
  readonly head: number;
  /** When the newest message was sent, null while the conversation is empty. */
  readonly lastAt: string | null;
  /** The newest message, its text cut at 200 characters. */
  readonly last: Message | null;
  /** The other user of a direct conversation. */
  readonly other?: ConversationUser;
  readonly you: You;
  readonly newcomersSee: NewcomersSee;
  /** When the conversation was closed. Since then the server refuses messages. */
  readonly closedAt: string | null;
  /** Whether there is something to read, also where the numbers are unknown. */
  readonly hasUnread: boolean;
}

/** The unread messages of the loaded conversations. Muted conversations add only their mentions. */
export interface UnreadTotal {
  readonly messages: number;
  /** `messages` is a lower bound. */
  readonly more: boolean;
  readonly mentions: number;
  /** Conversations with something to read. */
  readonly conversations: number;
}

/** The inbox at one moment. Immutable. */
export interface InboxSnapshot {
  /** Most recent message first. */
  readonly items: readonly ConversationItem[];
  /** `loading` until the first page is known. Items of the last visit may be there before. */
  readonly state: 'loading' | 'ready';
  /** `loadMore` has something to load. */
  readonly hasMore: boolean;
  readonly isLoadingMore: boolean;
  readonly unread: UnreadTotal;
}

export interface NewConversation {
  readonly kind: ConversationKind;
  /** Needed for groups and channels. 1 to 200 characters, one line. */
  readonly title?: string;
  /** User ids of the other members. */
  readonly members?: readonly string[];
  /** Default: `all`. */
  readonly newcomersSee?: NewcomersSee;
}

/** A channel that the user may join. */
export interface Channel {
  readonly id: string;
  readonly title: string | null;
  readonly [member: string]: unknown;
}

export interface SearchHit {
  readonly conversationId: string;
  readonly seq: number;
  readonly senderId: string;
  readonly sentAt: string;
  /** A part of the text around the hit. Plain text. */
  readonly snippet: string;
}

/**
 * The user's conversations. A store that fits `useSyncExternalStore`; its functions do not use `this`.
 *
 * Calls that return a promise wait for the first `start()`, except on a server that renders pages: there they reject with the code
 * `stopped`. After `stop()` they reject with that code too, because the next user may be another one. After `stop()`, `send` keeps the
 * message in memory until the next connection. The client drops it if that connection is another user's, or if the user has signed out.
 * A message from before the first connection belongs to the user that connects. `markRead` waits too, and is ignored after `stop()`.
 */
export interface Conversations {
  /** The same object until a value in it changes. */
  getSnapshot(): InboxSnapshot;
  /** @returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void;

  /** The conversation in the inbox, undefined until it is loaded. */
  get(id: string): ConversationItem | undefined;
  /** Loads the next page of older conversations. Rejects with a PulseError when that fails. */
  loadMore(): Promise<void>;
  /**
   * Reads the inbox again. The client does so by itself on each new connection, and once a minute while the inbox has subscribers and the
   * page is visible, because the server reports only some messages of large conversations.
   */
  refresh(): Promise<void>;

  /**
   * Creates a conversation; for a direct one, returns the pair's existing one. Repeated with the same client id until the server has
   * answered. Rejects with a PulseError when the server refuses it, and with the code `stopped` when the client stops before.
   */
  create(conversation: NewConversation): Promise<ConversationItem>;

  /**
   * Channels that the user may join, by a part of their title in any case. `after` is the value of the preceding page. While a
   * page is empty and has `after`, the client requests the next one. If that fails for now, the empty page is the answer.
   */
  channels(query?: string, after?: string): Promise<{ readonly items: readonly Channel[]; readonly after: string | null }>;
  /** Joins a channel. */
  join(channelId: string): Promise<ConversationItem>;
  /**
   * Messages that contain the words, newest first. `before` is the value of the preceding page. While a page is empty and has `more`, the
   * client requests the next one. If that fails for now, the empty page is the answer.
   */
  search(
    query: string,
    options?: { readonly conversation?: string; readonly before?: string; readonly signal?: AbortSignal },
  ): Promise<{ readonly items: readonly SearchHit[]; readonly before: string | null; readonly more: boolean }>;

  /** Refuses direct messages, new conversations and additions between both users. Marks that user's messages with `fromBlocked`. */
  block(userId: string): Promise<void>;
  unblock(userId: string): Promise<void>;
  /** Whether this user blocks the other one. Blocks by another device are known from the start on, or about a minute after a reconnect. */
  isBlocked(userId: string): boolean;
}

/** A conversation at one moment. Immutable. Unchanged parts are the same objects. */
export interface ConversationSnapshot {
  /**
   * `closed`: the application has yet to open it, or has closed it. `loading`: the client is reading it for the first time. `live`: messages
   * arrive as they are stored. `offline`: the connection is lost, or is catching up, and the shown messages may be old. `gone`: the
   * conversation is unknown to the user, or the user was removed. `failed`: the conversation cannot be opened now, see `error`, and the client
   * keeps trying.
   */
  readonly state: 'closed' | 'loading' | 'live' | 'offline' | 'gone' | 'failed';
  /** Why it is `gone` or `failed`; null otherwise. */
  readonly error: PulseError | null;
  /** The conversation as the inbox knows it; undefined until known. */
  readonly item: ConversationItem | undefined;
  /** Consecutive messages, oldest first. A window: older and newer ones may exist. */
  readonly messages: readonly Message[];
  /** Messages outside of the window that `loadQuote` has loaded, by seq. They follow edits and deletions. */
  readonly quotes: ReadonlyMap<number, Message>;
  /** Changes of the conversation within the window, oldest first. Interleave them by `seq`. */
  readonly notices: readonly Notice[];
  /** The user's own unanswered messages, in the order in which they are sent. Show them at the end when `hasAfter` is false. */
  readonly pending: readonly PendingMessage[];
  /** `loadBefore` has something to load. */
  readonly hasBefore: boolean;
  /** The window ends before the newest message: after `loadAround`, or when scrolling back filled it. */
  readonly hasAfter: boolean;
  readonly isLoadingBefore: boolean;
  readonly isLoadingAfter: boolean;
  /** Seq of the newest entry that the client knows of. */
  readonly head: number;
  /** User ids of the other users that are typing now, at most 5. */
  readonly typing: readonly string[];
  /** The read markers of the other members, by user id. Empty in large conversations. */
  readonly markers: ReadonlyMap<string, number>;
  /** The user's own marker, as far as the client has moved it. */
  readonly read: number;
  readonly role: Role | undefined;
  /** Counts how often the log was replaced as a whole: by a restored backup, or after a long absence. A page then scrolls to the end. */
  readonly resets: number;
}

export interface SendOptions {
  /** Seq of the message that this one answers. */
  readonly replyTo?: number;
  /** User ids of members, at most 50. */
  readonly mentions?: readonly string[];
}

export interface EditOptions {
  /** User ids of members, at most 50. */
  readonly mentions?: readonly string[];
  /** `editedSeq ?? 0` of the message that the user began to edit. Default: the present one. An edit in between is answered with `edit-conflict`. */
  readonly edited?: number;
  /** Ends the waiting and the repeating: the edit rejects with the code `aborted`. A call that is on its way may still have its effect. */
  readonly signal?: AbortSignal;
}

/**
 * One conversation. A store that fits `useSyncExternalStore`; its functions do not use `this`. `pulse.conversation(id)` gives the same
 * object for the same id.
 */
export interface Conversation {
  readonly id: string;
  /** The same object until a value in it changes. */
  getSnapshot(): ConversationSnapshot;
  /** Leaves a closed conversation closed. @returns a function that ends the subscription. */
  subscribe(listener: () => void): () => void;
  /**
   * Keeps it open: entries arrive live. Calls are counted: it closes five seconds after the last of the returned functions was called. At
   * most 50 are open at a time. May be called at any time, also while the client is disconnected.
   */
  open(): () => void;

  /**
   * Shows the message at once as pending, keeps it beyond a reload of the page, and repeats it with one client id until the server has
   * answered. Messages of a conversation are sent in order. Works while disconnected.
   * @returns the client id, which is also the key in `pending` and of the later message.
   */
  send(text: string, options?: SendOptions): string;
  /** Sends a `failed` message again, after those that wait. */
  retry(clientId: string): void;
  /** Removes a `failed` or `waiting` message. One that is on its way stays. @returns whether it was removed. */
  discard(clientId: string): boolean;

  /**
   * The following calls resolve when the server has stored the change, and wait while disconnected. They reject with a PulseError when the
   * server refuses it, and with the code `stopped` when the client stops before.
   */
  edit(seq: number, text: string, options?: EditOptions): Promise<void>;
  delete(seq: number): Promise<void>;
  /** @param on false takes the reaction back. Default: true. */
  react(seq: number, emoji: string, on?: boolean): Promise<void>;

  /** Moves the user's marker to that entry, by default the newest one. It only moves forward. Repeated until answered. */
  markRead(seq?: number): void;
  /** The user is typing. Call it at each input: the client reports it at most every 3 s. */
  typing(): void;

  /** Loads older messages in front of the window. Rejects with a PulseError when that fails. */
  loadBefore(): Promise<void>;
  /** Loads newer messages behind the window. */
  loadAfter(): Promise<void>;
  /** Shows the messages around that seq, for a quote or a search hit. */
  loadAround(seq: number): Promise<void>;
  /** Loads a message that another one answers (`replyTo`) into `quotes`, unless it is known. A message that the server lacks is ignored. */
  loadQuote(seq: number): Promise<void>;
  /** Shows the newest messages again. */
  loadNewest(): Promise<void>;

  /** A page of 200 members. `after`: of the page before. */
  members(after?: string): Promise<{ readonly items: readonly Member[]; readonly after: string | null }>;
  /** Adds a user. Default role: `member`. */
  add(userId: string, role?: Role): Promise<void>;
  setRole(userId: string, role: Role): Promise<void>;
  remove(userId: string): Promise<void>;
  leave(): Promise<void>;
  rename(title: string): Promise<void>;
  setNewcomersSee(newcomersSee: NewcomersSee): Promise<void>;
  /** Closes it for all members and for good. Its log stays readable. */
  close(): Promise<void>;
  mute(on?: boolean): Promise<void>;
}

/** The members that `createPulseClient` adds for `chat: chat()`. */
export interface ChatMembers {
  readonly conversations: Conversations;
  /** The conversation of that id, the same object as long as the application refers to it. `open()` starts the traffic with the server. */
  conversation(id: string): Conversation;
}

/**
 * Where the client keeps pending messages, the inbox and the newest messages beyond the life of the page: IndexedDB in browsers, memory
 * elsewhere. Keys are texts, values are JSON values. Each function may reject: the client ignores the failed call. When a call takes longer
 * than 5 s, the client leaves the storage alone until its next start.
 */
export interface ChatStorage {
  /** All keys that begin with the prefix, and their values. */
  list(prefix: string): Promise<readonly (readonly [key: string, value: unknown])[]>;
  set(key: string, value: unknown): Promise<void>;
  delete(key: string): Promise<void>;
  /** Deletes all keys that begin with the prefix. */
  clear(prefix: string): Promise<void>;
}

export interface ChatOptions {
  /** Default: IndexedDB in browsers, memory elsewhere. */
  readonly storage?: ChatStorage;
  /** The most messages that one conversation keeps in memory; at least 100. Default: 400. */
  readonly windowSize?: number;
}
