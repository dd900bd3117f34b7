// Leaves a page whose user is signed out, or was replaced by another user of the browser.
import type { PulseClient } from '@pulse-presence/client';
import { base } from './dom';

// The answer to a form is the next page, also if the form ends the session and the hub says so first.
let isFormSent = false;
document.addEventListener('submit', (event) => (isFormSent ||= !event.defaultPrevented));
window.addEventListener('pageshow', () => (isFormSent = false));

/**
 * Leaves the page once its user is signed out, here or elsewhere, or another tab has signed in another user: what the page shows, and what
 * is written in it, is the former user's.
 * @param path the path of the page.
 * @param forget deletes what the page itself has stored.
 * @returns whether the page is left.
 */
export function leaveWithUser(pulse: PulseClient, userId: string, path: string, forget?: () => void): boolean {
  const { state } = pulse;
  if (state.name === 'ended' && (state.reason === 'signed-out' || state.reason === 'user-removed')) {
    forget?.();
    if (!isFormSent) location.assign(`${base}/signin?returnUrl=${encodeURIComponent(base + path)}`);
    return true;
  }
  if (state.name === 'online' && state.userId !== userId) {
    forget?.();
    void pulse.stop();
    // A reload would repeat the former user's form if the page is the answer to one.
    location.replace(base + path);
    return true;
  }
  return false;
}

/** Disconnects at a sign-out: the page closes before the server's message about it could reach the client. */
export function stopAtSignOut(pulse: PulseClient, forget?: () => void): void {
  for (const form of document.querySelectorAll(`form[action^="${base}/auth/signout"]`)) {
    form.addEventListener('submit', () => {
      forget?.();
      void pulse.stop({ forget: true });
    });
  }
}
