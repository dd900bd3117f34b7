// The source of tokens of the application's pages.

/** Whether the user has used the page since its latest token. */
let isUsed = false;

export function watchUse(): () => void {
  const inputs = ['keydown', 'pointerdown', 'wheel'];
  const onInput = (): void => void (isUsed = true);
  for (const input of inputs) addEventListener(input, onInput, { passive: true });
  return () => {
    for (const input of inputs) removeEventListener(input, onInput);
  };
}

/** The session token; null when the session has ended. The client calls it again shortly before the token expires. */
export async function getToken({ signal }: { signal: AbortSignal }) {
  // Auth.js renews its cookie, and with it the token. An unused page leaves this out, so that the session of a forgotten tab
  // expires.
  if (isUsed) await fetch('/api/auth/session', { signal });
  const answer = await fetch('/api/pulse-token', { method: 'POST', signal });
  if (answer.status === 401) return null;
  if (!answer.ok) throw new Error(`POST /api/pulse-token answered ${answer.status}`);
  isUsed = false;
  return answer.json();
}
