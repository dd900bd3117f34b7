/** Callbacks for one kind of event. If one of them throws, the others and the client go on. */
export class Listeners<T> {
  readonly #listeners = new Set<{ readonly tell: (value: T) => void }>();

  get size(): number {
    return this.#listeners.size;
  }

  /** The same function may be added twice. Each is removed by its own handle. */
  add(tell: (value: T) => void): () => void {
    const entry = { tell };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  tell(value: T): void {
    for (const { tell } of [...this.#listeners]) call(tell, value);
  }
}

/**
 * Calls back into the application. Its error does not stop the client, and is reported like the application's other
 * uncaught errors.
 */
export function call<T>(tell: (value: T) => void, value: T): void {
  try {
    tell(value);
  } catch (error) {
    setTimeout(() => {
      throw error;
    });
  }
}
