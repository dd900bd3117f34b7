// The live part of the dashboard: this tab's connection, the status that others see of its user, and the other users.
import { createPulseClient, type PulseState } from '@pulse-presence/client';
import { base, setText } from './dom';
import { followPeople } from './people';
import { offerStatus } from './status';
import { statusWord, t } from './words';

const notes: Readonly<Record<PulseState['name'], string>> = {
  stopped: '',
  connecting: t('Connecting…'),
  online: t('Connected. Open a second tab and close this one: you stay online until the last is gone.'),
  reconnecting: t('The connection is lost; trying again…'),
  ended: t('You are connected in too many places; this one is closed. Reload the page to come back.'),
};

const pill = document.getElementById('presence')!;
const word = pill.querySelector('.words')!;
const note = document.getElementById('presence-note')!;
const userId = pill.dataset['user']!;

const pulse = createPulseClient({ url: base });
// The status that the server sends to others, which says more than this tab's connection.
pulse.watch(userId);
pulse.subscribe(showMyself);
followPeople(pulse);
offerStatus(pulse, userId);
forgetOnSignOut();
pulse.start();

// The page closes before the server's message about the sign-out could reach it.
function forgetOnSignOut(): void {
  for (const form of document.querySelectorAll(`form[action^="${base}/auth/signout"]`)) {
    form.addEventListener('submit', () => void pulse.stop({ forget: true }));
  }
}

function showMyself(): void {
  const { state } = pulse;
  if (state.name === 'ended' && (state.reason === 'signed-out' || state.reason === 'user-removed')) {
    return location.assign(`${base}/signin?returnUrl=${encodeURIComponent(`${base}/dashboard`)}`);
  }
  setText(note, notes[state.name]);

  const mine = pulse.presence(userId);
  if (state.name !== 'online') show(state.name === 'reconnecting' ? t('Reconnecting') : state.name === 'ended' ? t('Not connected') : t('Connecting'), 'waiting');
  else if (mine) show(statusWord(mine.status), mine.status);
}

function show(text: string, state: string): void {
  setText(word, text);
  pill.dataset['state'] = state;
}
