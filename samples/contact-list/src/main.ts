import { createPulseClient, PulseError, type OwnPresence, type OwnStatus, type PulseClient, type PulseState } from '@pulse-presence/client';
import { findPeople, signInAs, type Person } from './people';
import { Row } from './row';

/** Holds the address of the chosen person, so that a reload of this tab keeps the choice. The token stays in memory. */
const meKey = 'contact-list.me';

const who = byId('who');
const contacts = byId('contacts');
const form = byId<HTMLFormElement>('me');
const problem = byId('problem');
let pulse: PulseClient | undefined;
/** The status that the fields were filled with, or that was set from them. Fields that differ have changes that the user has yet to send. */
let shown = readFields();

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
  const client = pulse;
  if (!client) return;
  const chosen = readFields();
  problem.textContent = client.state.name === 'online' ? '' : 'It will be set as soon as there is a connection.';
  try {
    await client.setStatus(chosen.status, chosen.message);
    if (client !== pulse) return;
    shown = chosen;
    problem.textContent = '';
  } catch (error) {
    // The form belongs to the next person by now.
    if (client !== pulse) return;
    problem.textContent = error instanceof PulseError ? error.message : String(error);
  }
});

byId('leave').addEventListener('click', () => {
  sessionStorage.removeItem(meKey);
  // A sign-out removes the data of the person from this browser.
  void pulse?.stop({ forget: true });
  pulse = undefined;
  problem.textContent = '';
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
  form.reset();
  shown = readFields();
  client.subscribe(() => {
    showLink(client.state);
    showOwn(client.own);
  });
  client.start();

  const title = byId('me-title');
  title.textContent = me.name;
  who.hidden = true;
  contacts.hidden = false;
  // The control that had the focus is hidden now. Otherwise the focus would fall to the top of the page, where keyboard users would start anew.
  title.focus();
}

/** Shows a status that may come from an earlier page or another tab. Otherwise the next "Set" would show an invisible person. */
function showOwn({ status, message }: OwnPresence): void {
  const fields = readFields();
  if (fields.status !== shown.status || fields.message !== shown.message) return;
  shown = { status, message: message ?? '' };
  field('status').value = shown.status;
  field('message').value = shown.message;
}

function readFields(): { status: OwnStatus; message: string } {
  return { status: field('status').value as OwnStatus, message: field('message').value.trim() };
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

function field(name: string): HTMLInputElement | HTMLSelectElement {
  return form.elements.namedItem(name) as HTMLInputElement | HTMLSelectElement;
}

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
