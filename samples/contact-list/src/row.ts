import type { Presence } from '@pulse-presence/client';
import type { Person } from './people';

const words = { online: 'Online', away: 'Away', busy: 'Busy', offline: 'Offline', invisible: 'Invisible', unknown: 'Not known' };
const ago = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** A contact: a picture with a dot, a name, and the status also in words, for people that cannot see colours. */
export class Row {
  readonly element = document.createElement('li');
  readonly #status = document.createElement('span');

  constructor({ name }: Person) {
    const avatar = document.createElement('span');
    avatar.className = 'avatar';
    avatar.ariaHidden = 'true';
    avatar.textContent = name.split(' ').map(([initial]) => initial).join('');
    const label = document.createElement('strong');
    label.textContent = name;
    this.#status.className = 'status';
    this.#status.textContent = '…';
    this.element.dataset['status'] = 'unknown';
    this.element.append(avatar, label, this.#status);
  }

  show({ status, message, lastSeen }: Presence): void {
    this.element.dataset['status'] = status;
    const details = message ?? (status === 'offline' && lastSeen ? `seen ${since(lastSeen)}` : '');
    this.#status.textContent = details ? `${words[status]} · ${details}` : words[status];
  }
}

function since(time: string): string {
  const minutes = Math.round((Date.parse(time) - Date.now()) / 60_000);
  if (minutes > -60) return ago.format(minutes, 'minute');
  return minutes > -24 * 60 ? ago.format(Math.round(minutes / 60), 'hour') : ago.format(Math.round(minutes / 1_440), 'day');
}
