import { useCallback, useSyncExternalStore } from 'react';
import { usePulse } from '../react.js';
import type {
  ChatMembers, Conversation, ConversationSnapshot, InboxSnapshot, UnreadTotal,
} from './types.js';

const nobody: readonly string[] = Object.freeze([]);
const nothingUnread: UnreadTotal = Object.freeze({ messages: 0, more: false, mentions: 0, conversations: 0 });
// A rendering server shows an inbox that is still loading.
const emptyInbox: InboxSnapshot = Object.freeze({ items: Object.freeze([]), state: 'loading', hasMore: false, isLoadingMore: false, unread: nothingUnread });
const unopened: ConversationSnapshot = Object.freeze({
  state: 'closed', error: null, item: undefined, messages: Object.freeze([]), quotes: new Map(), notices: Object.freeze([]), pending: Object.freeze([]),
  hasBefore: false, hasAfter: false, isLoadingBefore: false, isLoadingAfter: false, head: 0, typing: nobody, markers: new Map(), read: 0,
  role: undefined, resets: 0,
});

/** The chat of the nearest PulseProvider's client. */
export function useChat(): ChatMembers {
  const client = usePulse() as Partial<ChatMembers>;
  if (!client.conversations) throw new Error('The client has no chat: create it with createPulseClient({ chat: chat() }).');
  return client as ChatMembers;
}

/** The inbox. Renders the component again when it changes. */
export function useConversations(): InboxSnapshot {
  const { conversations } = useChat();
  return useSyncExternalStore(conversations.subscribe, conversations.getSnapshot, () => emptyInbox);
}

/** Keeps the conversation open while the component is mounted, and renders it again when the conversation changes. */
export function useConversation(id: string): ConversationSnapshot & { readonly conversation: Conversation } {
  const conversation = useChat().conversation(id);
  const subscribe = useCallback((onChange: () => void) => {
    const unsubscribe = conversation.subscribe(onChange);
    const close = conversation.open();
    return () => {
      unsubscribe();
      close();
    };
  }, [conversation]);
  const snapshot = useSyncExternalStore(subscribe, conversation.getSnapshot, () => unopened);
  return { ...snapshot, conversation };
}

/** The unread messages of all loaded conversations. Renders the component again only when their numbers change. */
export function useUnread(): UnreadTotal {
  const { conversations } = useChat();
  return useSyncExternalStore(conversations.subscribe, () => conversations.getSnapshot().unread, () => nothingUnread);
}

/** The user ids of the users that are typing in a conversation that is open, for example by `useConversation`. */
export function useTyping(id: string): readonly string[] {
  const conversation = useChat().conversation(id);
  return useSyncExternalStore(conversation.subscribe, () => conversation.getSnapshot().typing, () => nobody);
}
