import { isChoosable, type Choice } from './status-sync.js';

/** The part of a browser's storage that the client uses. */
export type Keep = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

/**
 * Where the client keeps data beyond the life of the page. Each storage may be missing, and each of its functions may throw, because
 * browsers block storage.
 */
export interface Keeps {
  /** Shared by the tabs of the browser. */
  readonly browser: Keep | undefined;
  /** Belongs to this tab only. A duplicated tab begins with a copy. */
  readonly tab: Keep | undefined;
}

/** The storage of this page. A browser that blocks it throws at the first access. */
export function currentKeeps(): Keeps {
  return { browser: attempt(() => globalThis.localStorage), tab: attempt(() => globalThis.sessionStorage) };
}

/**
 * The client's stored data of one server: the users' chosen statuses, the last user, and the tab's last connection. Its functions never
 * throw.
 */
export class Kept {
  readonly #url: string;
  readonly #keeps: Keeps;

  constructor(url: string, keeps: Keeps) {
    this.#url = url;
    this.#keeps = keeps;
  }

  /** The last connected user in this browser, which most likely is the next one too. */
  get userId(): string | undefined {
    return attempt(() => this.#keeps.browser?.getItem(this.#key('user'))) ?? undefined;
  }

  set userId(userId: string) {
    attempt(() => this.#keeps.browser?.setItem(this.#key('user'), userId));
  }

  choice(userId: string): Choice | undefined {
    return attempt(() => readChoice(this.#keeps.browser?.getItem(this.#key('status', userId))));
  }

  keepChoice(userId: string, choice: Choice): void {
    attempt(() => this.#keeps.browser?.setItem(this.#key('status', userId), JSON.stringify(choice)));
  }

  dropChoice(userId: string): void {
    attempt(() => this.#keeps.browser?.removeItem(this.#key('status', userId)));
  }

  /** For a user that signs out. */
  forget(userId: string): void {
    this.dropChoice(userId);
    if (this.userId === userId) attempt(() => this.#keeps.browser?.removeItem(this.#key('user')));
  }

  /** The connection of the previous page in this tab. Read once, because from then on it has been replaced. */
  takeConnection(): string | undefined {
    const connectionId = attempt(() => this.#keeps.tab?.getItem(this.#key('connection')));
    attempt(() => this.#keeps.tab?.removeItem(this.#key('connection')));
    return connectionId ?? undefined;
  }

  /**
   * Call it only when the page goes away: a duplicate of the tab begins with a copy of its storage, and would otherwise name, and so
   * replace, the connection of a living tab.
   */
  keepConnection(connectionId: string): void {
    attempt(() => this.#keeps.tab?.setItem(this.#key('connection'), connectionId));
  }

  #key(...parts: readonly string[]): string {
    return ['pulse', this.#url, ...parts].join(' ');
  }
}

/** Another version of this package, or another program, may have written the text. */
function readChoice(text: string | null | undefined): Choice | undefined {
  if (!text) return undefined;
  const { status, message, at } = JSON.parse(text) as Choice;
  if (!isChoosable(status) || typeof at !== 'number') return undefined;
  // The later of two choices counts. A choice from the future, as after the clock was set back, would keep all others out.
  return { status, message: typeof message === 'string' ? message : null, at: Math.min(at, Date.now()) };
}

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch {
    return undefined;
  }
}
