'use client';
import { usePresence } from '@pulse-presence/client/react';

const words = { online: 'online', away: 'away', busy: 'busy', offline: 'offline', invisible: 'invisible', unknown: '…' };

export function People({ people }: { people: readonly { id: string; name: string }[] }) {
  if (people.length === 0) return <p>Nobody else has signed in yet. Open a private window, and sign in as another user.</p>;
  return <ul>{people.map(({ id, name }) => <li key={id}><a href={`/people/${id}`}>{name}</a> <Dot userId={id} /></li>)}</ul>;
}

/** The status of a user, which follows each change. */
export function Dot({ userId }: { userId: string }) {
  const status = usePresence(userId)?.status ?? 'unknown';
  return <span className="status" data-status={status}>{words[status]}</span>;
}
