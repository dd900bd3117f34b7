import { PulseError } from '../errors.js';
import { within } from '../time.js';
import type { ChatStorage } from './types.js';

/** The storage of platforms that lack or block their own. Its data ends with the page. */
export function memoryStorage(): ChatStorage {
  const kept = new Map<string, unknown>();
  return {
    list: async (prefix) => [...kept].filter(([key]) => key.startsWith(prefix)).map(([key, value]) => [key, structuredClone(value)] as const),
    set: async (key, value) => void kept.set(key, structuredClone(value)),
    delete: async (key) => void kept.delete(key),
    clear: async (prefix) => {
      for (const key of kept.keys()) if (key.startsWith(prefix)) kept.delete(key);
    },
  };
}

const store = 'kept';
/** A blocked database never answers. After this time chat continues without the storage. */
const storageMs = 5_000;

/** The browser's database, shared by the tabs of this origin. */
export function indexedDbStorage(): ChatStorage {
  let database: Promise<IDBDatabase> | undefined;
  const open = (): Promise<IDBDatabase> =>
    (database ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open('pulse-chat', 1);
      request.onupgradeneeded = () => request.result.createObjectStore(store);
      request.onsuccess = () => {
        // A browser that deletes the data of this origin, or a later version, closes the database.
        request.result.onclose = () => (database = undefined);
        request.result.onversionchange = () => {
          request.result.close();
          database = undefined;
        };
        resolve(request.result);
      };
      request.onerror = () => reject(request.error);
    }).catch((error: unknown) => {
      database = undefined;
      throw error;
    }));
  const run = async <T>(mode: IDBTransactionMode, work: (kept: IDBObjectStore) => () => T): Promise<T> => {
    const transaction = (await open()).transaction(store, mode);
    const result = work(transaction.objectStore(store));
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () => resolve(result());
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
    });
  };
  const startingWith = (prefix: string): IDBKeyRange => IDBKeyRange.bound(prefix, `${prefix}\uffff`);
  return {
    list: (prefix) => run('readonly', (kept) => {
      const [keys, values] = [kept.getAllKeys(startingWith(prefix)), kept.getAll(startingWith(prefix))];
      return () => keys.result.map((key, index) => [String(key), values.result[index] as unknown] as const);
    }),
    set: (key, value) => run('readwrite', (kept) => {
      kept.put(value, key);
      return () => undefined;
    }),
    delete: (key) => run('readwrite', (kept) => {
      kept.delete(key);
      return () => undefined;
    }),
    clear: (prefix) => run('readwrite', (kept) => {
      kept.delete(startingWith(prefix));
      return () => undefined;
    }),
  };
}

export function defaultStorage(): ChatStorage {
  return typeof indexedDB === 'object' ? indexedDbStorage() : memoryStorage();
}

/** Work on the storage in the order of the calls, whichever user it is for. Never rejects. */
export class StorageQueue {
  readonly #storage: ChatStorage;
  readonly #onStuck: (error: PulseError) => void;
  #last: Promise<unknown> = Promise.resolve();
  /** Counts the calls of `resume`. */
  #round = 0;
  /** The latest round in which work timed out. */
  #stuckRound = -1;

  constructor(storage: ChatStorage, onStuck: (error: PulseError) => void) {
    this.#storage = storage;
    this.#onStuck = onStuck;
  }

  /** @returns undefined where the storage fails or times out. */
  do<T>(work: (storage: ChatStorage) => Promise<T>): Promise<T | undefined> {
    // Work that times out after the next start counts for its own round, so that the new start keeps the storage.
    const round = this.#round;
    const done = this.#last.then(() => this.#try(round, work));
    this.#last = done;
    return done;
  }

  /** Tries the storage again, for work from now on. */
  resume(): void {
    this.#round++;
  }

  async #try<T>(round: number, work: (storage: ChatStorage) => Promise<T>): Promise<T | undefined> {
    if (round <= this.#stuckRound) return undefined;
    try {
      return await within(storageMs, 'the storage of chat', Promise.resolve(this.#storage).then(work).catch(() => undefined));
    } catch (error) {
      this.#stuckRound = round;
      this.#onStuck(new PulseError('storage-unavailable', (error as Error).message));
      return undefined;
    }
  }
}

/** The stored data of one user at one server, for one session. Its functions never reject, and take effect in the order of their calls. */
export class Shelf {
  readonly #queue: StorageQueue;
  readonly #prefix: string;
  #isClosed = false;

  constructor(queue: StorageQueue, url: string, userId: string) {
    this.#queue = queue;
    this.#prefix = `pulse ${url} ${userId} `;
  }

  async list(prefix: string): Promise<readonly (readonly [key: string, value: unknown])[]> {
    const rows = await this.#do((storage) => storage.list(this.#prefix + prefix));
    return (rows ?? []).map(([key, value]) => [key.slice(this.#prefix.length), value] as const);
  }

  async get(key: string): Promise<unknown> {
    return (await this.list(key)).find(([found]) => found === key)?.[1];
  }

  set(key: string, value: unknown): Promise<unknown> {
    return this.#do((storage) => storage.set(this.#prefix + key, value));
  }

  delete(key: string): Promise<unknown> {
    return this.#do((storage) => storage.delete(this.#prefix + key));
  }

  clear(prefix = ''): Promise<unknown> {
    return this.#do((storage) => storage.clear(this.#prefix + prefix));
  }

  /** Ends reading and writing, because the session is over. */
  close(): void {
    this.#isClosed = true;
  }

  /** Deletes all data and ends writing, because the user signs out. */
  async forget(): Promise<void> {
    this.#queue.resume();
    const cleared = this.clear();
    this.close();
    await cleared;
  }

  #do<T>(work: (storage: ChatStorage) => Promise<T>): Promise<T | undefined> {
    return this.#isClosed ? Promise.resolve(undefined) : this.#queue.do(work);
  }
}
