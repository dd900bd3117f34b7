import { findUser, type Person } from './api';
import { codeOf } from './failures';
import { texts } from './texts';

const askAgainMs = 5_000;

/** Names and pictures of users, from all answers that had them. Each unknown user is asked for once. */
export class Directory {
  readonly #people = new Map<string, Person>();
  readonly #asked = new Set<string>();
  readonly #listeners = new Set<() => void>();
  #version = 0;
  #isNotifying = false;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Changes with each new name. */
  readonly getVersion = (): number => this.#version;

  learn(people: Iterable<Person>): void {
    let isNew = false;
    for (const { userId, name, avatar } of people) {
      const known = this.#people.get(userId);
      if (known?.name === name && known.avatar === avatar) continue;
      this.#people.set(userId, { userId, name, avatar });
      isNew = true;
    }
    if (isNew) this.#notify();
  }

  find(userId: string): Person {
    const known = this.#people.get(userId);
    if (known) return known;
    void this.#ask(userId);
    return { userId, name: texts.unknownUser, avatar: null };
  }

  nameOf(userId: string): string {
    return this.find(userId).name;
  }

  async #ask(userId: string): Promise<void> {
    if (this.#asked.has(userId)) return;
    this.#asked.add(userId);
    try {
      this.learn([await findUser(userId)]);
    } catch (error) {
      if (codeOf(error) === 'not-found') {
        this.learn([{ userId, name: texts.deletedUser, avatar: null }]);
        return;
      }
      // The next rendering asks again.
      setTimeout(() => {
        this.#asked.delete(userId);
        this.#notify();
      }, askAgainMs);
    }
  }

  // A rendering asks for names, and a component must stay unchanged while it renders. So the listeners are notified after it.
  #notify(): void {
    this.#version++;
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    queueMicrotask(() => {
      this.#isNotifying = false;
      for (const listener of this.#listeners) listener();
    });
  }
}
