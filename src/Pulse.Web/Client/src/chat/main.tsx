// The chat page. Its script takes the place of the frame that the server has rendered.
import { createPulseClient } from '@pulse-presence/client';
import { chat } from '@pulse-presence/client/chat';
import { render } from 'preact';
import { base } from '../dom';
import { App } from './app';
import { Directory } from './directory';
import { forgetDrafts } from './drafts';

const root = document.getElementById('chat')!;
const me = { userId: root.dataset['user']!, name: root.dataset['name']!, avatar: root.dataset['avatar'] || null };

const pulse = createPulseClient({ url: base, chat: chat() });
const directory = new Directory();
directory.learn([me]);
pulse.subscribe(leaveWhenSignedOut);
pulse.subscribe(reloadForAnotherUser);
forgetOnSignOut();

root.replaceChildren();
root.removeAttribute('class');
render(<App pulse={pulse} directory={directory} me={me} />, root);
pulse.start();

function leaveWhenSignedOut(): void {
  const { state } = pulse;
  if (state.name === 'ended' && (state.reason === 'signed-out' || state.reason === 'user-removed')) {
    forgetDrafts();
    location.assign(`${base}/signin?returnUrl=${encodeURIComponent(`${base}/chat`)}`);
  }
}

// Another tab has signed in another user. What this page shows, and what is written in it, is the former user's.
function reloadForAnotherUser(): void {
  const { state } = pulse;
  if (state.name !== 'online' || state.userId === me.userId) return;
  forgetDrafts();
  void pulse.stop();
  location.reload();
}

// The page closes before the server's message about the sign-out could reach it.
function forgetOnSignOut(): void {
  for (const form of document.querySelectorAll(`form[action^="${base}/auth/signout"]`)) {
    form.addEventListener('submit', () => {
      forgetDrafts();
      void pulse.stop({ forget: true });
    });
  }
}
