import { newId } from './new-id.js';

/**
 * Shows which tabs live. A pending message belongs to the tab that sent it, because a second tab could send a message that the user discards
 * in the first one. When a tab is gone, another one takes its messages over.
 */
export interface TabLocks {
  /** Names this tab. Resolves when other tabs see it as living. */
  hold(): Promise<string>;
  /** This tab has ended sending. */
  release(): void;
  isLiving(tab: string): Promise<boolean>;
  /** Calls back with each other tab that lives now or begins later, until this tab is released. */
  watch(found: (tab: string) => void): void;
  /** Runs the work once that tab is gone, and while no other tab does the same. */
  whenGone(tab: string, work: () => Promise<void>): Promise<void>;
}

export const lone = 'lone';

/** Platforms that lack Web Locks, such as Node.js, have one tab: all others count as gone. */
export function loneTab(): TabLocks {
  return { hold: () => Promise.resolve(lone), release: () => undefined, isLiving: () => Promise.resolve(false), watch: () => undefined, whenGone: (_tab, work) => work() };
}

export function webLocks(locks: LockManager): TabLocks {
  const prefix = 'pulse-chat ';
  const name = (tab: string): string => prefix + tab;
  let self = '';
  let over = new AbortController();
  return {
    hold: () => new Promise((resolve) => {
      const tab = (self = newId());
      const { signal } = (over = new AbortController());
      locks.request(name(tab), { signal }, () => {
        resolve(tab);
        return new Promise<void>((release) => signal.addEventListener('abort', () => release()));
      }).catch(() => resolve(tab)); // blocked, as in a sandbox: the tab sends without a lock
    }),
    release: () => over.abort(),
    watch: (found) => {
      const { signal } = over;
      const tell = (tab: string): void => {
        if (tab !== self && !signal.aborted) found(tab);
      };
      try {
        const channel = new BroadcastChannel('pulse-chat tabs');
        channel.onmessage = ({ data }: MessageEvent<unknown>) => {
          if (typeof data === 'string') tell(data);
        };
        signal.addEventListener('abort', () => channel.close());
        channel.postMessage(self);
      } catch {
        // Firefox throws with cookies blocked. The next page takes over what other tabs leave.
      }
      // After the announcement: a tab that begins meanwhile hears of this one, or is found here.
      locks.query().then(({ held = [] }) => {
        for (const { name: lock = '' } of held) if (lock.startsWith(prefix)) tell(lock.slice(prefix.length));
      }, () => undefined);
    },
    isLiving: async (tab) => (await locks.query()).held?.some((lock) => lock.name === name(tab)) ?? false,
    whenGone: async (tab, work) => {
      try {
        await locks.request(name(tab), { signal: over.signal }, work);
      } catch {
        // This tab has stopped before.
      }
    },
  };
}

export function defaultLocks(): TabLocks {
  return typeof navigator === 'object' && navigator.locks ? webLocks(navigator.locks) : loneTab();
}
