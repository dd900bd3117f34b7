/** Callbacks that are told of something. One that throws does not keep the others, or the client, from going on. */
export class Listeners<T> {
  readonly #listeners = new Set<{ readonly tell: (value: T) => void }>();

  get size(): number {
    return this.#listeners.size;
  }

  /** The same function may be added twice; each is removed by its own handle. */
  add(tell: (value: T) => void): () => void {
    const entry = { tell };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  tell(value: T): void {
    for (const { tell } of [...this.#listeners]) call(tell, value);
  }
}

/** Calls back into the application. Its fault must neither stop the client nor get lost: it goes where its other uncaught errors go. */
export function call<T>(tell: (value: T) => void, value: T): void {
  try {
    tell(value);
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
