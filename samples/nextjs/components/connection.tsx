'use client';
import { createPulseClient } from '@pulse-presence/client';
import { chat } from '@pulse-presence/client/chat';
import { PulseProvider, usePulse, usePulseState } from '@pulse-presence/client/react';
import { useEffect, useState, type ReactNode } from 'react';
import { getToken, watchUse } from '@/lib/token';

/**
 * Connects the page to Pulse, as the user of the session.
 * @param userId the user that the server has rendered the page for.
 */
export function Connection({ url, userId, children }: { url: string; userId: string; children: ReactNode }) {
  const [client] = useState(() => createPulseClient({ url, chat: chat(), getToken }));

  useEffect(() => {
    const cleanups = [
      watchUse(),
      client.on('sessionEnded', ({ reason }) => {
        if (reason === 'signed-out') location.assign('/signin');
        if (reason === 'user-removed') location.assign(`/signed-out?error=${reason}`);
      }),
      client.on('error', ({ code }) => {
        // The user was erased, and the token was renewed since.
        if (code === 'user-not-synced') location.assign('/signed-out?error=not-synced');
      }),
      client.subscribe(() => {
        const { state } = client;
        if (state.name !== 'online' || state.userId === userId) return;
        // Another tab has signed in another user. The content of this page, also an unsent text, is the former user's.
        void client.stop();
        location.reload();
      }),
    ];
    client.start();
    return () => {
      for (const cleanup of cleanups) cleanup();
      void client.stop();
    };
  }, [client, userId]);

  return (
    <PulseProvider client={client}>
      <Banner />
      {children}
    </PulseProvider>
  );
}

function Banner() {
  const client = usePulse();
  const state = usePulseState();
  return (
    <p role="status" className="banner">
      {state.name === 'reconnecting' && 'Connection lost. Reconnecting…'}
      {state.name === 'ended' && (
        <>
          {state.reason === 'too-many-connections' ? 'You have opened too many pages, so this one was disconnected.' : 'Disconnected.'}{' '}
          <button onClick={() => client.start()}>Connect</button>
        </>
      )}
    </p>
  );
}
