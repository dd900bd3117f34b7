import type { Conversation } from '@pulse-presence/client/chat';
import type { ShownMessage } from './rows';

/** The parts of a message that outlive the page with its edit or answer. */
export type Target = Pick<ShownMessage, 'key' | 'senderId' | 'text' | 'mentions' | 'editedSeq' | 'fromBlocked'> & { readonly seq: number };

/** An edit or an answer, in place of a plain message. */
export interface Purpose {
  readonly kind: 'reply' | 'edit';
  /** As it was when the user began. */
  readonly message: Target;
}

/** A text, and the names that the user has chosen from the list, with their ids. */
export interface Words {
  readonly text: string;
  readonly chosen: readonly (readonly [name: string, userId: string])[];
}

export interface Draft {
  readonly message: Words;
  readonly purpose: Purpose | undefined;
  /** The new text of the message that is edited. The draft of the next message waits meanwhile. */
  readonly edit: Words;
}

// Drafts stay in this browser only, until they are sent or the user signs out.
const prefix = 'pulse-chat-draft:';
const noWords: Words = { text: '', chosen: [] };
const nothing: Draft = { message: noWords, purpose: undefined, edit: noWords };

// The drafts of this page. Another tab may store others, which this page reads when it opens the conversation again.
const drafts = new Map<string, Draft>();
const listeners = new Set<() => void>();
const saves = new Map<string, { readonly purpose: Purpose; readonly abort: AbortController }>();

export function subscribeDrafts(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The draft of an open conversation, the same object until it changes. */
export function readDraft(userId: string, conversationId: string): Draft {
  const key = keyOf(userId, conversationId);
  let draft = drafts.get(key);
  if (!draft) drafts.set(key, draft = peekDraft(userId, conversationId));
  return draft;
}

/** The stored draft, which another tab may have written. */
export function peekDraft(userId: string, conversationId: string): Draft {
  try {
    return parse(localStorage.getItem(keyOf(userId, conversationId)));
  } catch {
    // The browser blocks storage for this site.
    return drafts.get(keyOf(userId, conversationId)) ?? nothing;
  }
}

/** Reads the stored draft, before the conversation is shown. */
export function recallDraft(userId: string, conversationId: string): void {
  if (!saves.has(conversationId)) drafts.set(keyOf(userId, conversationId), peekDraft(userId, conversationId));
}

export function keepDraft(userId: string, conversationId: string, change: Partial<Draft>): void {
  const key = keyOf(userId, conversationId);
  const draft = { ...readDraft(userId, conversationId), ...change };
  drafts.set(key, draft);
  try {
    if (draft.message.text.trim() || draft.purpose) localStorage.setItem(key, JSON.stringify(draft));
    else localStorage.removeItem(key);
  } catch {
    // The browser blocks storage for this site.
  }
  for (const listener of listeners) listener();
}

/** Begins an edit or an answer, or ends it. */
export function keepPurpose(userId: string, conversationId: string, purpose: Purpose | undefined, edit = noWords): void {
  keepDraft(userId, conversationId, { purpose, edit });
}

/** The edit that waits for the server's answer. */
export function savedPurpose(conversationId: string): Purpose | undefined {
  return saves.get(conversationId)?.purpose;
}

/** Stops waiting for the answer, so that the user can change the text or give it up. */
export function cancelSave(conversationId: string): void {
  saves.get(conversationId)?.abort.abort();
  saves.delete(conversationId);
  for (const listener of listeners) listener();
}

/**
 * Saves an edit, which stays in the composer until the server has answered. While the connection is lost, that can be long after the
 * conversation was left. @param onFailure gets the refusal.
 */
export function saveEdit(userId: string, conversation: Conversation, purpose: Purpose, text: string, mentions: readonly string[], onFailure: (error: unknown) => void): void {
  const { id } = conversation;
  const abort = new AbortController();
  const save = { purpose, abort };
  saves.set(id, save);
  for (const listener of listeners) listener();
  const end = (change: (present: Purpose | undefined) => void) => {
    if (saves.get(id) !== save) return;
    saves.delete(id);
    change(readDraft(userId, id).purpose);
    for (const listener of listeners) listener();
  };
  const { seq, editedSeq } = purpose.message;
  conversation.edit(seq, text, { mentions, edited: editedSeq ?? 0, signal: abort.signal }).then(
    () => end((present) => {
      if (present === purpose) keepPurpose(userId, id, undefined);
    }),
    (error: unknown) => {
      if (!abort.signal.aborted) onFailure(error);
      end((present) => {
        const now = conversation.getSnapshot().messages.find((message) => message.seq === seq);
        // The page has shown the other edit to the user, so the next attempt counts from it.
        if (present === purpose && now) keepDraft(userId, id, { purpose: { ...purpose, message: { ...purpose.message, editedSeq: now.editedSeq } } });
      });
    },
  );
}

/** Removes all drafts of that user, otherwise other users of this browser could find them. */
export function forgetDrafts(userId: string): void {
  drafts.clear();
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(keyOf(userId, ''))) localStorage.removeItem(key);
  } catch {
    // The browser blocks storage for this site.
  }
}

function parse(stored: string | null): Draft {
  if (!stored) return nothing;
  try {
    const draft = JSON.parse(stored) as Draft;
    if (typeof draft.message.text === 'string' && Array.isArray(draft.message.chosen) && typeof draft.edit.text === 'string') return { ...nothing, ...draft };
  } catch {
    // An earlier version of the page stored the text alone.
  }
  return { ...nothing, message: { text: stored, chosen: [] } };
}

function keyOf(userId: string, conversationId: string): string {
  return `${prefix}${userId}:${conversationId}`;
}
