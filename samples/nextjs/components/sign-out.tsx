'use client';
import { usePulse } from '@pulse-presence/client/react';
import { useEffect, useRef } from 'react';

/** @param end ends the session of the application. */
export function SignOut({ end }: { end: () => Promise<void> }) {
  const client = usePulse();
  const otherTabs = useRef<BroadcastChannel>(null);

  useEffect(() => {
    // The sign-out of another tab ends the session of this one too. Otherwise this page would stay online until its token expires, and
    // store the user's messages again. A channel gets only the messages of other tabs.
    const channel = (otherTabs.current = new BroadcastChannel('sign-out'));
    channel.onmessage = async () => {
      await client.stop({ forget: true });
      location.assign('/signin');
    };
    return () => channel.close();
  }, [client]);

  async function signOut(): Promise<void> {
    // The page still has the client here, which removes the user's messages and status from this browser. `stop()` alone keeps them for the
    // next page of the same user.
    await client.stop({ forget: true });
    otherTabs.current?.postMessage('');
    await end();
  }

  return (
    <form action={signOut}>
      <button>Sign out</button>
    </form>
  );
}
