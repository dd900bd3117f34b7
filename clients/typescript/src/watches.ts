/** Long enough for a list that is rendered again, or a row that scrolls out and in again. */
const lingerMs = 5_000;

/**
 * The wanted users, counted over calls. A user stays watched for a moment after the last call has ended, so that a quick return is free.
 */
export class Watches {
  readonly #counts = new Map<string, number>();
  readonly #onAdded: () => void;
  readonly #onRemoved: (userIds: readonly string[]) => void;

  constructor(onAdded: () => void, onRemoved: (userIds: readonly string[]) => void) {
    this.#onAdded = onAdded;
    this.#onRemoved = onRemoved;
  }

  has(userId: string): boolean {
    return this.#counts.has(userId);
  }

  get wanted(): Iterable<string> {
    return this.#counts.keys();
  }

  /** Returns a function that takes this back. A second call of it has no effect. */
  add(userIds: ReadonlySet<string>): () => void {
    let added = false;
    for (const userId of userIds) {
      const count = this.#counts.get(userId);
      added ||= count === undefined;
      this.#counts.set(userId, (count ?? 0) + 1);
    }
    if (added) this.#onAdded();

    let held = true;
    return () => {
      if (!held) return;
      held = false;
      for (const userId of userIds) this.#counts.set(userId, this.#counts.get(userId)! - 1);
      setTimeout(() => this.#sweep(userIds), lingerMs);
    };
  }

  #sweep(userIds: Iterable<string>): void {
    const removed = [...userIds].filter((userId) => this.#counts.get(userId) === 0);
    for (const userId of removed) this.#counts.delete(userId);
    if (removed.length > 0) this.#onRemoved(removed);
  }
}
