import type { Reaction } from '@pulse-presence/client/chat';
import type { TimelineRow } from './timeline';
import { dayOf } from './times';

export type { Reaction };

/** A message or an event as the page shows it. */
export interface ShownMessage {
  readonly kind: 'message';
  /** The same for a pending message and its echo. */
  readonly key: string;
  /** Missing until the message is stored. */
  readonly seq: number | undefined;
  readonly senderId: string;
  /** Null for a deleted message. */
  readonly text: string | null;
  readonly sentAtMs: number;
  readonly replyTo: number | null;
  readonly mentions: readonly string[];
  readonly editedSeq: number | null;
  readonly reactions: readonly Reaction[];
  readonly fromBlocked: boolean;
  /** `waiting`: pending, and the connection is missing. */
  readonly state: 'stored' | 'pending' | 'waiting' | 'failed';
  /** The code of the refusal. */
  readonly failure: string | undefined;
}

export interface ShownEvent {
  readonly kind: 'event';
  readonly key: string;
  readonly seq: number;
  readonly sentAtMs: number;
  readonly text: string;
}

export type ShownItem = ShownMessage | ShownEvent;

export type Row = TimelineRow &
  (
    | { readonly kind: 'begin' }
    | { readonly kind: 'loading' }
    | { readonly kind: 'day'; readonly atMs: number }
    | { readonly kind: 'new' }
    | { readonly kind: 'event'; readonly event: ShownEvent }
    | { readonly kind: 'message'; readonly message: ShownMessage; readonly isFirst: boolean; readonly isLast: boolean }
  );

const groupMs = 5 * 60_000;

export interface RowOptions {
  /** Whether the first item is the first of the conversation. */
  readonly isComplete: boolean;
  /** The line of new messages is before the first message of another user above this seq. */
  readonly newAfter: number | undefined;
  readonly userId: string;
}

/** The rows of a conversation: a line for each day, messages in groups of one sender, and the line of new messages. */
export function buildRows(items: readonly ShownItem[], { isComplete, newAfter, userId }: RowOptions): readonly Row[] {
  const rows: Row[] = [isComplete ? { kind: 'begin', key: 'begin', estimate: 120 } : { kind: 'loading', key: 'loading', estimate: 48 }];
  let day: number | undefined;
  let group: { senderId: string; atMs: number } | undefined;
  let isNewShown = newAfter === undefined;
  for (const item of items) {
    const itemDay = dayOf(item.sentAtMs);
    if (itemDay !== day) {
      day = itemDay;
      group = undefined;
      rows.push({ kind: 'day', key: `day-${itemDay}`, atMs: item.sentAtMs, estimate: 48 });
    }
    if (!isNewShown && item.kind === 'message' && item.senderId !== userId && item.seq !== undefined && item.seq > newAfter!) {
      isNewShown = true;
      group = undefined;
      rows.push({ kind: 'new', key: 'new', estimate: 36 });
    }
    if (item.kind === 'event') {
      group = undefined;
      rows.push({ kind: 'event', key: item.key, event: item, estimate: 32 });
      continue;
    }
    const isFirst = group?.senderId !== item.senderId || item.sentAtMs - group.atMs > groupMs;
    const last = rows.at(-1);
    if (isFirst && last?.kind === 'message') rows[rows.length - 1] = { ...last, isLast: true };
    else if (!isFirst && last?.kind === 'message') rows[rows.length - 1] = { ...last, isLast: false };
    group = { senderId: item.senderId, atMs: item.sentAtMs };
    rows.push({ kind: 'message', key: item.key, message: item, isFirst, isLast: true, estimate: estimateOf(item, isFirst) });
  }
  return rows;
}

function estimateOf({ text, replyTo, reactions }: ShownMessage, isFirst: boolean): number {
  const lines = text === null ? 1 : text.split('\n').reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / 60)), 0);
  return 18 + lines * 22 + (isFirst ? 30 : 2) + (replyTo === null ? 0 : 48) + (reactions.length > 0 ? 32 : 0);
}
