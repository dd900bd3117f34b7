// Drafts stay in this browser only, until they are sent or the user signs out.
const prefix = 'pulse-chat-draft:';

export function readDraft(userId: string, conversationId: string): string {
  try {
    return localStorage.getItem(keyOf(userId, conversationId)) ?? '';
  } catch {
    return '';
  }
}

export function keepDraft(userId: string, conversationId: string, text: string): void {
  try {
    if (text.trim()) localStorage.setItem(keyOf(userId, conversationId), text);
    else localStorage.removeItem(keyOf(userId, conversationId));
  } catch {
    // The browser keeps nothing for this site.
  }
}

/** Removes all drafts, because other users of this browser must not find them. */
export function forgetDrafts(): void {
  try {
    for (const key of Object.keys(localStorage)) if (key.startsWith(prefix)) localStorage.removeItem(key);
  } catch {
    // The browser keeps nothing for this site.
  }
}

function keyOf(userId: string, conversationId: string): string {
  return `${prefix}${userId}:${conversationId}`;
}
