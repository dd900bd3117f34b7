import type { Person } from './api';

type Message =
  | { readonly kind: 'who'; readonly from: string }
  | { readonly kind: 'here'; readonly from: string; readonly to: string; readonly person: Person };

const patienceMs = 200;

/**
 * The other tabs of this page in this browser. Tabs answer a question rather than announce themselves on a timer, because browsers slow
 * the timers of hidden tabs down to a minute, but deliver messages to them at once.
 */
export class Tabs {
  readonly #id = crypto.getRandomValues(new Uint32Array(2)).join('-');
  readonly #channel = new BroadcastChannel('pulse-tabs');
  readonly #answers = new Map<string, Person>();

  /** @param me who this tab is signed in as now, if anyone. */
  constructor(me: () => Person | undefined) {
    this.#channel.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.kind === 'here') {
        if (data.to === this.#id) this.#answers.set(data.from, data.person);
        return;
      }
      const person = me();
      if (person) this.#say({ kind: 'here', from: this.#id, to: data.from, person });
    };
  }

  /** Who the other signed-in tabs are, one entry a tab. */
  async others(): Promise<Person[]> {
    this.#answers.clear();
    this.#say({ kind: 'who', from: this.#id });
    await new Promise((resolve) => setTimeout(resolve, patienceMs));
    return [...this.#answers.values()];
  }

  #say(message: Message): void {
    this.#channel.postMessage(message);
  }
}
