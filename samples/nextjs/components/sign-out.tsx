'use client';
import { usePulse } from '@pulse-presence/client/react';

/** @param end ends the session of the application. */
export function SignOut({ end }: { end: () => Promise<void> }) {
  const client = usePulse();

  async function signOut(): Promise<void> {
    // First, while the page has the client: removes the user's messages and status from this browser. `stop()` alone keeps them for the
    // next page of the same user.
    await client.stop({ forget: true });
    await end();
  }

  return (
    <form action={signOut}>
      <button>Sign out</button>
    </form>
  );
}
