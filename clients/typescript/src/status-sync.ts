import type { Connection } from './connection.js';
import { PulseError } from './errors.js';
import type { OwnStatus } from './presence.js';

/** What the user has chosen, and when: of two choices the later counts. */
export interface Choice {
  readonly status: OwnStatus;
  readonly message: string | null;
  readonly at: number;
}

const choosable: readonly string[] = ['online', 'away', 'busy', 'invisible'] satisfies readonly OwnStatus[];
export function isChoosable(status: unknown): status is OwnStatus {
  return choosable.includes(status as string);
}

const fresh: Choice = { status: 'online', message: null, at: 0 };

/**
 * The user's own status: what they chose, or `away` while they chose nothing else than `online` and the page is not used. The server knows it
 * per connection, and merges a user's connections. A socket is opened with the status of that moment; what is wanted beyond, it is told.
 */
export class StatusSync {
  #choice = fresh;
  #accepted = fresh;
  #idle = false;
  #connection: Connection | undefined;
  #told: Pick<Choice, 'status' | 'message'> = fresh;
  #running: Promise<void> | undefined;
  readonly #onRefused: (choice: Choice) => void;

  constructor(onRefused: (choice: Choice) => void) {
    this.#onRefused = onRefused;
  }

  get choice(): Choice {
    return this.#choice;
  }

  /** Resolves when the server has it, or at once without a connection: the next one is told. Rejects when the server refuses it. */
  choose(choice: Choice): Promise<void> {
    if (!isChoosable(choice.status)) {
      return Promise.reject(new PulseError('invalid-argument', `A status is one of ${choosable.join(', ')}; not ${choice.status}`));
    }
    this.#choice = choice;
    return this.#tell();
  }

  setIdle(idle: boolean): void {
    this.#idle = idle;
    this.#tell().catch(() => undefined);
  }

  /** @param opened what the connection's socket was opened with; by now something else may be wanted. */
  attach(connection: Connection, opened: OwnStatus): void {
    this.#connection = connection;
    this.#told = { status: opened, message: null };
    if (this.#isTold) this.#accepted = this.#choice;
    this.#running = undefined;
    this.#tell().catch(() => undefined);
  }

  /** Forgets the user's choice: the next one may be somebody else. */
  reset(): void {
    this.#choice = this.#accepted = fresh;
  }

  /** What others shall see of this connection. */
  get wanted(): Pick<Choice, 'status' | 'message'> {
    const { status, message } = this.#choice;
    return { status: status === 'online' && this.#idle ? 'away' : status, message };
  }

  get #isTold(): boolean {
    const { status, message } = this.wanted;
    return status === this.#told.status && message === this.#told.message;
  }

  #tell(): Promise<void> {
    const connection = this.#connection;
    if (!connection || connection.over.aborted) return Promise.resolve();
    if (!this.#running && !this.#isTold) this.#running = this.#run(connection);
    return this.#running ?? Promise.resolve();
  }

  async #run(connection: Connection): Promise<void> {
    try {
      while (!this.#isTold) {
        const { choice } = this;
        const wanted = this.wanted;
        try {
          await connection.insist('SetStatus', wanted.status, wanted.message);
        } catch (error) {
          if (connection.over.aborted) return;
          if (this.#choice !== choice) continue;
          if (choice !== this.#accepted) {
            // Else it would be refused on every connection to come.
            this.#choice = this.#accepted;
            this.#onRefused(choice);
            // The socket may have been opened with the status of what is refused now. Later, because this round must be over first.
            queueMicrotask(() => void this.#tell().catch(() => undefined));
          }
          throw error;
        }
        if (this.#connection !== connection) return;
        this.#told = wanted;
        this.#accepted = choice;
      }
    } finally {
      // Right after the last look at what is wanted, so that no wish falls between.
      if (this.#connection === connection) this.#running = undefined;
    }
  }
}
