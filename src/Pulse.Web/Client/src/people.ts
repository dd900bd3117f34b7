import type { Presence, PulseClient } from '@pulse-presence/client';
import { hideBrokenPictures } from './avatar';
import { base, setText, whileVisible } from './dom';
import { timeElement } from './time';
import { statusWord, t } from './words';

const everyMs = 5_000;
const names = new Intl.Collator();
/** With fewer people than this, the list is read faster than searched. */
const searchFrom = 8;

/** The row of a person, as the server has rendered it. */
class Row {
  readonly userId: string;
  readonly unwatch: () => void;
  #name: string;
  #found: string;
  /** The picture, or the initials, as the server has rendered it. */
  #avatar: string;
  readonly #words: Element;
  readonly #text: HTMLElement;
  #state: string;

  constructor(readonly element: HTMLElement, pulse: PulseClient, onChange: () => void) {
    this.userId = element.dataset['user']!;
    this.#name = nameIn(element);
    this.#found = plain(this.#name);
    this.#avatar = avatarIn(element).outerHTML;
    this.#words = element.querySelector('.words')!;
    this.#text = element.querySelector('.text')!;
    this.#state = element.dataset['state']!;
    this.unwatch = pulse.watch(this.userId, (presence) => {
      this.#show(presence);
      onChange();
    });
  }

  get state(): string {
    return this.#state;
  }

  static compare(a: Row, b: Row): number {
    return names.compare(a.#name, b.#name);
  }

  /** Shows name and picture of a newer row of the same person. @returns whether the name is another one. */
  update(newer: HTMLElement): boolean {
    const [name, avatar] = [nameIn(newer), avatarIn(newer)];
    const isRenamed = name !== this.#name;
    if (avatar.outerHTML !== this.#avatar) {
      this.#avatar = avatar.outerHTML;
      avatarIn(this.element).replaceWith(document.adoptNode(avatar));
      hideBrokenPictures(this.element);
    }
    if (isRenamed) {
      this.#name = name;
      this.#found = plain(name);
      this.element.querySelector('.name > bdi')!.textContent = name;
      this.measure();
    }
    return isRenamed;
  }

  /** Shows the row if it fits the filters. */
  filter(state: string, search: string): boolean {
    const fits = (state === '' || (state === 'here' ? isHere(this.#state) : state === this.#state)) && this.#found.includes(search);
    this.element.hidden = !fits;
    return fits;
  }

  /** The keyboard must reach a text that is cut. The style sheet shows the whole of it while the row has the focus. */
  measure(): void {
    const cut = [...this.#text.children].some(({ scrollWidth, clientWidth, scrollHeight, clientHeight }) => scrollWidth > clientWidth || scrollHeight > clientHeight + 1);
    if (cut) this.element.tabIndex = 0;
    else if (document.activeElement !== this.element) this.element.removeAttribute('tabindex');
  }

  #show({ status, message, lastSeen }: Presence): void {
    this.element.dataset['state'] = this.#state = status;
    setText(this.element.querySelector('.saying')!, message ?? '');
    if (status === 'offline' && lastSeen) this.#words.replaceChildren(`${t('Last seen')} `, timeElement(lastSeen));
    else setText(this.#words, statusWord(status));
    this.measure();
  }
}

/** Keeps the list of people live, if the page has one. Rows keep their places: only another name moves a person. */
export function followPeople(pulse: PulseClient): void {
  const list = document.getElementById('others');
  const count = document.getElementById('people-count')!;
  const nobody = document.getElementById('nobody')!;
  if (!list) return;
  const filters = document.getElementById('people-filter') as HTMLFormElement;
  const search = filters.elements.namedItem('search') as HTMLInputElement;
  const noMatch = document.getElementById('no-match')!;

  const rows = new Map<string, Row>();
  for (const element of list.querySelectorAll<HTMLElement>('li')) add(element);
  for (const event of ['input', 'change']) filters.addEventListener(event, summarize);
  filters.addEventListener('submit', (event) => event.preventDefault());
  new ResizeObserver(() => rows.forEach((row) => row.measure())).observe(list);
  summarize();
  whileVisible(everyMs, () => void lookForOthers());

  function add(element: HTMLElement): Row {
    const row = new Row(element, pulse, summarize);
    rows.set(row.userId, row);
    return row;
  }

  /** Puts a row where its name belongs. */
  function place(row: Row): void {
    const next = [...rows.values()].filter((other) => other !== row && other.element.isConnected && Row.compare(row, other) < 0).sort(Row.compare)[0];
    list!.insertBefore(row.element, next?.element ?? null);
  }

  function summarize(): void {
    const all = [...rows.values()];
    const known = all.some(({ state }) => state !== 'unknown');
    const here = all.filter(({ state }) => isHere(state)).length;
    // The number is unknown while this page is disconnected.
    setText(count, all.length > 0 && known ? t('{0} of {1} here', here, all.length) : '');
    nobody.hidden = all.length > 0;
    filters.hidden = all.length < searchFrom;
    const group = filters.hidden ? '' : String(new FormData(filters).get('group'));
    const wanted = filters.hidden ? '' : plain(search.value.trim());
    const shown = all.filter((row) => row.filter(group, wanted)).length;
    noMatch.hidden = all.length === 0 || shown > 0;
  }

  /** Fetches the present list: new people get a row, known people their new names and pictures, and missing people lose theirs. */
  async function lookForOthers(): Promise<void> {
    try {
      // The server redirects a signed-out user to a page that lacks the list.
      const answer = await fetch(`${base}/dashboard/people`, { cache: 'no-store', redirect: 'manual' });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
      const listed = new Set<string>();
      for (const element of page.querySelectorAll<HTMLElement>('#others > li')) {
        const userId = element.dataset['user']!;
        listed.add(userId);
        const known = rows.get(userId);
        if (!known) {
          hideBrokenPictures(document.adoptNode(element));
          place(add(element));
        } else if (known.update(element)) {
          place(known);
        }
      }
      for (const [userId, row] of rows) {
        if (listed.has(userId)) continue;
        row.unwatch();
        row.element.remove();
        rows.delete(userId);
      }
      summarize();
    } catch {
      // The next fetch may succeed.
    }
  }
}

function nameIn(row: HTMLElement): string {
  return row.querySelector('.name')!.textContent!;
}

function avatarIn(row: HTMLElement): HTMLElement {
  return row.querySelector<HTMLElement>('.avatar')!;
}

function isHere(state: string): boolean {
  return state !== 'offline' && state !== 'unknown';
}

/** A text for comparing, in lower case and stripped of diacritics. */
function plain(text: string): string {
  return text.normalize('NFD').replace(/\p{Mn}/gu, '').toLowerCase();
}
