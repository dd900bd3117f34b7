import { memoryStorage } from '../../src/chat/storage.js';
import type { TabLocks } from '../../src/chat/tab-locks.js';
import type { ChatStorage } from '../../src/chat/types.js';

/** The tabs of one browser. */
export class Browser {
  readonly storage: ChatStorage = memoryStorage();
  readonly #watching = new Map<string, (tab: string) => void>();
  readonly living = new Set<string>();
  #waiting: { tab: string; by: string; work: () => Promise<void> }[] = [];
  #busy = Promise.resolve();
  #tabs = 0;

  locks(): TabLocks {
    let self = '';
    return {
      hold: async () => {
        this.living.add((self = `tab-${++this.#tabs}`));
        return self;
      },
      release: () => this.end(self),
      isLiving: async (tab) => this.living.has(tab),
      watch: (found) => {
        for (const tab of this.living) if (tab !== self) found(tab);
        for (const tell of this.#watching.values()) tell(self);
        this.#watching.set(self, found);
      },
      whenGone: (tab, work) => new Promise((resolve) => {
        this.#waiting.push({ tab, by: self, work: () => work().then(resolve) });
        this.#check();
      }),
    };
  }

  end(tab: string): void {
    this.living.delete(tab);
    this.#watching.delete(tab);
    this.#waiting = this.#waiting.filter(({ by }) => by !== tab);
    this.#check();
  }

  #check(): void {
    const ready = this.#waiting.filter(({ tab }) => !this.living.has(tab));
    this.#waiting = this.#waiting.filter((waiting) => !ready.includes(waiting));
    for (const { work } of ready) this.#busy = this.#busy.then(work);
  }
}
