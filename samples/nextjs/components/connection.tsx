'use client';
import { createPulseClient } from '@pulse-presence/client';
import { chat } from '@pulse-presence/client/chat';
import { PulseProvider, usePulseState } from '@pulse-presence/client/react';
import { useEffect, useState, type ReactNode } from 'react';

/** Connects the page to Pulse, as the user of the session. */
export function Connection({ url, children }: { url: string; children: ReactNode }) {
  const [client] = useState(() => createPulseClient({
    url,
    chat: chat(),
    getToken: async ({ signal }) => {
      const answer = await fetch('/api/pulse-token', { method: 'POST', signal });
      if (answer.status === 401) return null; // The session has ended.
      if (!answer.ok) throw new Error(`POST /api/pulse-token answered ${answer.status}`);
      return answer.json();
    },
  }));

  useEffect(() => {
    const unsubscribe = client.on('sessionEnded', ({ mayReconnect }) => {
      if (!mayReconnect) location.assign('/signin');
    });
    client.start();
    return () => {
      unsubscribe();
      void client.stop();
    };
  }, [client]);

  return (
    <PulseProvider client={client}>
      <Banner />
      {children}
    </PulseProvider>
  );
}

function Banner() {
  const { name } = usePulseState();
  return <p role="status" className="banner">{name === 'reconnecting' ? 'Connection lost. Reconnecting…' : ''}</p>;
}
