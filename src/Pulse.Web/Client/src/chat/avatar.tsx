import type { ConversationItem } from '@pulse-presence/client/chat';
import { useState } from 'preact/hooks';
import { usePresence } from './hooks';
import { Icon } from './icons';
import { texts } from './texts';

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** A picture, or initials if it is missing or broken. The name is beside it, so both are decoration. */
export function Avatar({ name, picture, size = '' }: { readonly name: string; readonly picture: string | null; readonly size?: string }) {
  const [broken, setBroken] = useState<string>();
  return (
    <span class={`avatar tone-${tone(name)} ${size}`} aria-hidden="true">
      <span>{initials(name)}</span>
      {picture?.toLowerCase().startsWith('https://') && picture !== broken && (
        <img src={picture} alt="" referrerpolicy="no-referrer" loading="lazy" decoding="async" onError={() => setBroken(picture)} />
      )}
    </span>
  );
}

/** The avatar of a user with a dot for the presence, which screen readers read. */
export function PresentAvatar({ userId, name, picture, size }: {
  readonly userId: string;
  readonly name: string;
  readonly picture: string | null;
  readonly size?: string;
}) {
  const status = usePresence(userId)?.status ?? 'unknown';
  return (
    <span class="seat" data-state={status}>
      <Avatar name={name} picture={picture} {...(size ? { size } : undefined)} />
      <span class="dot" title={texts.statuses[status] ?? status} />
      <span class="unseen">{status === 'unknown' ? '' : texts.statuses[status]}</span>
    </span>
  );
}

/** The picture of a conversation. */
export function ConversationAvatar({ item, size }: { readonly item: ConversationItem; readonly size?: string }) {
  if (item.kind === 'direct' && item.other) {
    return <PresentAvatar userId={item.other.userId} name={item.other.name} picture={item.other.avatar} {...(size ? { size } : undefined)} />;
  }
  return (
    <span class={`avatar square tone-${tone(item.title ?? '')} ${size ?? ''}`} aria-hidden="true">
      <Icon name={item.kind === 'channel' ? 'hash' : 'group'} />
    </span>
  );
}

/** As Initials.cs: the first letter of the first and of the last word. */
export function initials(name: string): string {
  const letters = name.split(/\s+/u).map(firstLetter).filter(Boolean);
  return letters.length > 1 ? letters[0]! + letters.at(-1)! : (letters[0] ?? '?');
}

function firstLetter(word: string): string {
  for (const { segment } of graphemes.segment(word)) if (/^[\p{L}\p{N}]/u.test(segment)) return segment.toLocaleUpperCase('en');
  return '';
}

/** As Avatar.razor: by the name alone. */
export function tone(name: string): number {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) % 1021;
  return sum % 6;
}
