// The live part of the dashboard: this tab's connection, the status that others see of its user, and the other users.
import { createPulseClient, type PulseState } from '@pulse-presence/client';
import { base, setText } from './dom';
import { followPeople } from './people';
import { offerStatus } from './status';
import { leaveWithUser, stopAtSignOut } from './user';
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
stopAtSignOut(pulse);
pulse.start();

function showMyself(): void {
  if (leaveWithUser(pulse, userId, '/dashboard')) return;
  const { state } = pulse;
  setText(note, notes[state.name]);

  const mine = pulse.presence(userId);
  if (state.name !== 'online') show(state.name === 'reconnecting' ? t('Reconnecting') : state.name === 'ended' ? t('Not connected') : t('Connecting'), 'waiting');
  else if (mine) show(statusWord(mine.status), mine.status);
}

function show(text: string, state: string): void {
  setText(word, text);
  pill.dataset['state'] = state;
}
