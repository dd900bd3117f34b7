'use client';
import { useConversations } from '@pulse-presence/client/react';
import { Dot } from '@/components/people';

/** The user's conversations, most recent first. */
export function Inbox() {
  const { items, state } = useConversations();
  if (items.length === 0) return <p>{state === 'loading' ? '…' : 'No conversations yet.'}</p>;
  return (
    <ul>
      {items.map(({ id, title, other, last, you }) => (
        <li key={id}>
          <a href={`/conversations/${id}`}>{other?.name ?? title}</a> {other && <Dot userId={other.userId} />}
          {you.unread ? <b aria-label={`${you.unread} unread`}>{you.unread}</b> : null}
          <span className="last">{last?.text}</span>
        </li>
      ))}
    </ul>
  );
}
