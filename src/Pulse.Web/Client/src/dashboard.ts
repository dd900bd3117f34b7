// The live part of the dashboard: this tab's connection, and what others see of its user.
import { setText, whileVisible } from './dom';
import { Live, type Link } from './live';
import { timeElement } from './time';

interface Presence {
  readonly userId: string;
  readonly status: string;
  readonly lastSeen: string | null;
}

const everyMs = 3_000;
const notes: Readonly<Record<Link, string>> = {
  connecting: 'Connecting…',
  connected: 'Connected. Open a second tab and close this one: you stay online until the last is gone.',
  lost: 'The connection is lost; trying again…',
  'signed-out': 'You are signed out.',
};

const pill = document.getElementById('presence')!;
const word = pill.querySelector('.words')!;
const note = document.getElementById('presence-note')!;
const lastSeen = document.getElementById('last-seen')!;
const userId = pill.dataset['user']!;

const live = new Live(showLink);
showLink('connecting');
void live.start();
whileVisible(everyMs, () => void showPresence());

function showLink(link: Link): void {
  setText(note, notes[link]);
  if (link === 'signed-out') location.assign('/signin?returnUrl=%2Fdashboard');
  else if (link === 'connected') void showPresence();
  else show(link === 'lost' ? 'Reconnecting' : 'Connecting', 'waiting');
}

/** What the server tells everybody about this user, which is more than that this tab is connected. */
async function showPresence(): Promise<void> {
  if (!live.isConnected) return;
  try {
    const answer = await fetch(`/presence?ids=${userId}`, {
      cache: 'no-store',
      headers: { authorization: `Bearer ${await live.tokens.current()}` },
    });
    if (!answer.ok || !live.isConnected) return;
    const mine = ((await answer.json()) as Presence[]).find((one) => one.userId === userId);
    if (!mine) return;
    show(mine.status.charAt(0).toUpperCase() + mine.status.slice(1), mine.status);
    if (mine.lastSeen && lastSeen.querySelector('time')?.dateTime !== mine.lastSeen) lastSeen.replaceChildren(timeElement(mine.lastSeen));
  } catch {
    // Without an answer the last one stands; a connection that is lost says so itself.
  }
}

function show(text: string, state: string): void {
  setText(word, text);
  pill.dataset['state'] = state;
}
