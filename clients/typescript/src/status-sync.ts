import type { Connection } from './connection.js';
import { PulseError } from './errors.js';
import type { OwnStatus } from './presence.js';

/** The user's choice and its time: of two choices the later counts. */
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

/** A caller that waits until the server has its choice. */
interface Waiting {
  readonly choice: Choice;
  readonly resolve: () => void;
  readonly reject: (error: PulseError) => void;
}

/**
 * Synchronizes the user's own status: the chosen one, or `away` while the choice is `online` and the page is idle. The server knows it per
 * connection, and merges a user's connections. A socket is opened with the status of that moment; later differences are sent to the server.
 */
export class StatusSync {
  #choice = fresh;
  #accepted = fresh;
  #idle = false;
  #connection: Connection | undefined;
  #told: Pick<Choice, 'status' | 'message'> = fresh;
  /** The connection to which a status is being sent. */
  #running: Connection | undefined;
  #waiting: Waiting[] = [];
  readonly #onRefused: (choice: Choice) => void;
  readonly #onAccepted: () => void;

  /** @param onAccepted called when the server has the present choice. */
  constructor(onRefused: (choice: Choice) => void, onAccepted: () => void) {
    this.#onRefused = onRefused;
    this.#onAccepted = onAccepted;
  }

  get choice(): Choice {
    return this.#choice;
  }

  /** Whether the server has the choice. */
  get isSet(): boolean {
    return this.#connection !== undefined && !this.#connection.over.aborted && this.#accepted === this.#choice && this.#isTold;
  }

  /**
   * Resolves when the server has the choice, or a later one: while the client is disconnected, after the next connect. Rejects when the
   * server refuses it, and when the choice is forgotten.
   */
  choose(choice: Choice): Promise<void> {
    if (!isChoosable(choice.status)) {
      return Promise.reject(new PulseError('invalid-argument', `A status is one of ${choosable.join(', ')}; not ${choice.status}`));
    }
    this.#choice = choice;
    const set = new Promise<void>((resolve, reject) => this.#waiting.push({ choice, resolve, reject }));
    // Callers that ignore the outcome need not catch the rejection.
    set.catch(() => undefined);
    this.#tell();
    return set;
  }

  setIdle(idle: boolean): void {
    this.#idle = idle;
    this.#tell();
  }

  /** @param opened the status with which the connection's socket was opened. The wanted status may have changed since. */
  attach(connection: Connection, opened: OwnStatus): void {
    this.#connection = connection;
    this.#told = { status: opened, message: null };
    this.#running = undefined;
    this.#tell();
  }

  /** Forgets the user's choice, because the next user may be another person. */
  reset(): void {
    this.#choice = this.#accepted = fresh;
    this.#settle(({ reject }) => reject(new PulseError('stopped', 'The status was not set: the client has stopped, or has another user')));
  }

  /** The status that others should see of this connection. */
  get wanted(): Pick<Choice, 'status' | 'message'> {
    const { status, message } = this.#choice;
    return { status: status === 'online' && this.#idle ? 'away' : status, message };
  }

  get #isTold(): boolean {
    const { status, message } = this.wanted;
    return status === this.#told.status && message === this.#told.message;
  }

  #settle(settle: (waiting: Waiting) => void, which: (waiting: Waiting) => boolean = () => true): void {
    const settled = this.#waiting.filter(which);
    this.#waiting = this.#waiting.filter((waiting) => !settled.includes(waiting));
    settled.forEach(settle);
  }

  #tell(): void {
    const connection = this.#connection;
    if (!connection || connection.over.aborted || this.#running === connection) return;
    if (this.#isTold) return this.#accept(this.#choice);
    this.#running = connection;
    void this.#run(connection);
  }

  #accept(choice: Choice): void {
    this.#accepted = choice;
    this.#settle(({ resolve }) => resolve());
    this.#onAccepted();
  }

  async #run(connection: Connection): Promise<void> {
    try {
      while (!this.#isTold) {
        const { choice } = this;
        const wanted = this.wanted;
        try {
          await connection.insist('SetStatus', wanted.status, wanted.message);
        } catch (error) {
          if (connection.over.aborted || this.#connection !== connection) return;
          this.#settle(({ reject }) => reject(error as PulseError), (waiting) => waiting.choice === choice);
          if (this.#choice !== choice) continue;
          // The server has already accepted this choice, and would refuse it again.
          if (choice === this.#accepted) return;
          // Otherwise it would be refused on every later connection. The socket may have been opened with the refused status.
          this.#choice = this.#accepted;
          this.#onRefused(choice);
          continue;
        }
        if (this.#connection !== connection) return;
        this.#told = wanted;
        this.#accepted = choice;
      }
    } finally {
      // This line follows the last comparison with the wanted status directly, so that a change in between cannot be missed.
      if (this.#running === connection) this.#running = undefined;
    }
    this.#accept(this.#choice);
  }
}
