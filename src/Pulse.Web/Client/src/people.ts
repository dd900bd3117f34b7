import type { Presence, PulseClient } from '@pulse-presence/client';
import { hideBrokenPictures } from './avatar';
import { base, setText, whileVisible } from './dom';
import { timeElement } from './time';
import { statusWord } from './words';

const everyMs = 15_000;
const names = new Intl.Collator();

/** The row of a person, as the server has rendered it. */
class Row {
  readonly userId: string;
  readonly unwatch: () => void;
  readonly #name: string;
  readonly #words: Element;
  #here: boolean;
  #seenMs: number;

  constructor(readonly element: HTMLElement, pulse: PulseClient, onChange: (row: Row) => void) {
    this.userId = element.dataset['user']!;
    this.#name = element.querySelector('.name')!.textContent!;
    this.#words = element.querySelector('.words')!;
    this.#here = element.dataset['state'] !== 'offline';
    this.#seenMs = Date.parse(element.querySelector('time')?.dateTime ?? '') || 0;
    this.unwatch = pulse.watch(this.userId, (presence) => {
      this.#show(presence);
      onChange(this);
    });
  }

  get isHere(): boolean {
    return this.#here;
  }

  /** Connected users come first, by name, then the others, the latest lastSeen first. The order is that of PeopleReader.cs. */
  static compare(a: Row, b: Row): number {
    if (a.#here !== b.#here) return a.#here ? -1 : 1;
    return (a.#here ? 0 : b.#seenMs - a.#seenMs) || names.compare(a.#name, b.#name);
  }

  #show({ status, message, lastSeen }: Presence): void {
    this.element.dataset['state'] = status;
    setText(this.element.querySelector('.saying')!, message ?? '');
    if (status === 'offline' && lastSeen) this.#words.replaceChildren('Last seen ', timeElement(lastSeen));
    else setText(this.#words, statusWord(status));
    // While the status is unknown, all rows keep their places.
    if (status === 'unknown') return;
    this.#here = status !== 'offline';
    this.#seenMs = Date.parse(lastSeen ?? '') || 0;
  }
}

/** Keeps the list of people live, if the page has one. */
export function followPeople(pulse: PulseClient): void {
  const list = document.getElementById('others');
  const count = document.getElementById('people-count')!;
  const nobody = document.getElementById('nobody')!;
  if (!list) return;

  const rows = new Map<string, Row>();
  for (const element of list.querySelectorAll<HTMLElement>('li')) add(element);
  whileVisible(everyMs, () => void lookForOthers());

  function add(element: HTMLElement): void {
    const row = new Row(element, pulse, () => {
      place(row);
      summarize();
    });
    rows.set(row.userId, row);
  }

  /** Moves this row only, and only if it must. */
  function place(row: Row): void {
    const after = [...list!.children].find((element) => element !== row.element && Row.compare(row, rowOf(element)) < 0) ?? null;
    if (row.element.nextElementSibling !== after) list!.insertBefore(row.element, after);
  }

  function rowOf(element: Element): Row {
    return rows.get((element as HTMLElement).dataset['user']!)!;
  }

  function summarize(): void {
    const here = [...rows.values()].filter(({ isHere }) => isHere).length;
    setText(count, rows.size > 0 ? `${here} of ${rows.size} here` : '');
    nobody.hidden = rows.size > 0;
  }

  /** Fetches the present list from the server: new people get a row, and the rows of missing people are removed. */
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
        if (rows.has(userId)) continue;
        list!.append(document.adoptNode(element));
        hideBrokenPictures(element);
        add(element);
        place(rows.get(userId)!);
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
