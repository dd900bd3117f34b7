import { createPulseClient, PulseError, type OwnStatus, type PulseClient, type PulseState } from '@pulse-presence/client';
import { findPeople, signInAs, type Person } from './people';
import { Row } from './row';

/** Survives only a reload of this tab. It holds no token. */
const meKey = 'contact-list.me';

const who = byId('who');
const contacts = byId('contacts');
const form = byId<HTMLFormElement>('me');
let pulse: PulseClient | undefined;

try {
  const people = await findPeople();
  byId('choices').replaceChildren(...people.map((person) => choice(person, people)));
  const before = people.find(({ email }) => email === sessionStorage.getItem(meKey));
  if (before) become(before, people);
  else who.hidden = false;
} catch (error) {
  byId('trouble').textContent = `${error instanceof Error ? error.message : error} Is Pulse running?`;
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  const problem = byId('problem');
  if (pulse?.state.name !== 'online') problem.textContent = 'It will be set as soon as there is a connection.';
  try {
    await pulse?.setStatus(fields.get('status') as OwnStatus, String(fields.get('message')).trim());
    problem.textContent = '';
  } catch (error) {
    problem.textContent = error instanceof PulseError ? error.message : String(error);
  }
});

byId('leave').addEventListener('click', () => {
  sessionStorage.removeItem(meKey);
  void pulse?.stop();
  contacts.hidden = true;
  who.hidden = false;
  who.querySelector('button')?.focus();
});

function choice(person: Person, people: readonly Person[]): HTMLLIElement {
  const button = document.createElement('button');
  button.textContent = person.name;
  button.addEventListener('click', () => become(person, people));
  const item = document.createElement('li');
  item.append(button);
  return item;
}

function become(me: Person, people: readonly Person[]): void {
  sessionStorage.setItem(meKey, me.email);
  const client = (pulse = createPulseClient({ getToken: () => signInAs(me) }));

  byId('list').replaceChildren(...people.filter(({ id }) => id !== me.id).map((person) => {
    const row = new Row(person);
    client.watch(person.id, (presence) => row.show(presence));
    return row.element;
  }));
  client.subscribe(() => showLink(client.state));
  client.start();

  const title = byId('me-title');
  title.textContent = me.name;
  form.reset();
  who.hidden = true;
  contacts.hidden = false;
  // The control that had the focus is hidden now. Without this, keyboard users would be thrown to the top of the page.
  title.focus();
}

function showLink(state: PulseState): void {
  const link = byId('link');
  const words = state.name === 'ended'
    ? `Signed out (${state.reason})`
    : { stopped: 'Not connected', connecting: 'Connecting…', online: 'Live', reconnecting: 'Connection lost; trying again…' }[state.name];
  // Screen readers read it aloud, so it is set only when it has changed.
  if (link.textContent !== words) link.textContent = words;
  link.dataset['state'] = state.name;
}

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
