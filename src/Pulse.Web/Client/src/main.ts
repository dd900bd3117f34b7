import { devSignInExists, presenceOf, type Person } from './api';
import { byId, setText } from './dom';
import { showHealth } from './health';
import { Session, type LinkState } from './session';
import { Tabs } from './tabs';

const presenceEveryMs = 2_000;
const healthEveryMs = 10_000;
/** Survives a reload of this tab, and nothing else; it holds no token. */
const personKey = 'pulse.person';

const form = byId<HTMLFormElement>('become');
const me = byId('me');
const problem = byId('problem');
let session: Session | undefined;
const tabs = new Tabs(() => session?.person);

form.addEventListener('submit', (event) => {
  event.preventDefault();
  const fields = new FormData(form);
  void become({ email: String(fields.get('email')).trim(), name: String(fields.get('name')).trim() });
});
byId('leave').addEventListener('click', () => void leave());

void showHealth();
window.setInterval(() => void showHealth(), healthEveryMs);
window.setInterval(() => void showPresence(), presenceEveryMs);
void offerDevSignIn();

/** In Development: this tab is whom it was before a reload, else whom a sibling tab is, else whom the form says. */
async function offerDevSignIn(): Promise<void> {
  if (!(await devSignInExists().catch(() => false))) return;
  byId('try').hidden = false;
  const stored = sessionStorage.getItem(personKey);
  const person = stored ? (JSON.parse(stored) as Person) : (await tabs.others())[0];
  if (person) await become(person);
}

async function become(person: Person): Promise<void> {
  const button = byId<HTMLButtonElement>('become-button');
  button.disabled = true;
  setText(problem, '');
  try {
    session = await Session.start(person, showLink);
    sessionStorage.setItem(personKey, JSON.stringify(person));
    setText(byId('me-name'), session.user.name);
    setText(byId('me-email'), session.user.email);
    setText(byId('me-id'), session.user.id);
    show({ signedIn: true });
    await showPresence();
  } catch (error) {
    sessionStorage.removeItem(personKey);
    setText(problem, error instanceof Error ? error.message : String(error));
  } finally {
    button.disabled = false;
  }
}

async function leave(): Promise<void> {
  const left = session;
  session = undefined;
  sessionStorage.removeItem(personKey);
  await left?.stop();
  show({ signedIn: false });
}

function show({ signedIn }: { signedIn: boolean }): void {
  form.hidden = signedIn;
  me.hidden = !signedIn;
  // The control that had the focus is hidden now; without this, keyboard users would be thrown to the top of the page.
  (signedIn ? byId('me-name') : byId('email')).focus();
}

function showLink(state: LinkState): void {
  const words = { connected: 'This tab is connected.', reconnecting: 'Connection lost; trying again…', closed: 'This tab is not connected.' };
  setText(byId('link'), words[state]);
}

async function showPresence(): Promise<void> {
  const current = session;
  if (!current) return;
  const status = byId('me-status');
  try {
    const [presence, others] = await Promise.all([presenceOf(current.user.id, await current.token()), tabs.others()]);
    if (current !== session) return;
    const same = others.filter((one) => one.email === current.person.email).length + 1;
    setText(status, presence?.status ?? 'unknown');
    status.dataset['state'] = presence?.status ?? 'unknown';
    setText(byId('me-tabs'), same === 1 ? '1 tab' : `${same} tabs`);
    setText(byId('me-seen'), presence?.lastSeen ? new Date(presence.lastSeen).toLocaleString() : 'not yet');
  } catch {
    if (current !== session) return;
    setText(status, 'no answer');
    status.dataset['state'] = 'unknown';
  }
}
