import { onTestFinished, vi } from 'vitest';
import { Client } from '../../src/client.js';
import type { Keep, Keeps } from '../../src/kept.js';
import { readSettings, type PulseClientOptions } from '../../src/options.js';
import type { Reach } from '../../src/reach.js';
import type { TokenSource } from '../../src/tokens.js';
import { FakeHub } from './fake-hub.js';

/** A page that the test uses, hides and shows. */
export class FakePage {
  readonly window = new EventTarget();
  readonly document = Object.assign(new EventTarget(), { visibilityState: 'visible' });

  input(type = 'keydown', more: object = {}): void {
    this.window.dispatchEvent(Object.assign(new Event(type), more));
  }

  show(visibilityState: 'visible' | 'hidden'): void {
    this.document.visibilityState = visibilityState;
    this.document.dispatchEvent(new Event('visibilitychange'));
  }
}

/** A client in an environment that the test controls. Time is fake: call it after `vi.useFakeTimers()`. */
export function scene(options: PulseClientOptions & { random?: () => number; keeps?: Keeps; reach?: Reach; page?: FakePage } = {}) {
  const hubs: FakeHub[] = [];
  const page = options.page ?? new FakePage();
  let tokens = 0;
  const getToken = vi.fn<TokenSource>(async () => ({ accessToken: `token-${++tokens}`, expiresAt: inMinutes(15) }));
  const pulse = new Client(readSettings(options), {
    getToken,
    openHub: (token, opening) => {
      const hub = new FakeHub(token, opening);
      hubs.push(hub);
      return hub;
    },
    reach: options.reach ?? (() => Promise.resolve()),
    page,
    keeps: options.keeps ?? { browser: undefined, tab: undefined },
    random: options.random ?? (() => 1),
    canStart: () => true,
  }, options.chat);
  // A client that lives on would share its status with the next test's client, as tabs do.
  onTestFinished(() => pulse.stop());
  return {
    pulse,
    hubs,
    page,
    getToken,
    /** The latest socket. */
    get hub(): FakeHub {
      return hubs.at(-1)!;
    },
    /** Starts, and lets the server accept. */
    async online(userId = 'me', connectionId?: string): Promise<FakeHub> {
      pulse.start();
      return this.accept(userId, connectionId);
    },
    async accept(userId = 'me', connectionId?: string): Promise<FakeHub> {
      await settle();
      this.hub.accept(userId, connectionId);
      await settle();
      return this.hub;
    },
  };
}

/** A browser's storage. A duplicated tab gets a copy. */
export class FakeKeep implements Keep {
  readonly items: Map<string, string>;

  constructor(items: Iterable<[string, string]> = []) {
    this.items = new Map(items);
  }

  getItem(key: string): string | null {
    return this.items.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.items.set(key, value);
  }

  removeItem(key: string): void {
    this.items.delete(key);
  }
}

/** Runs all work that is due now. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

export function inMinutes(minutes: number): string {
  return new Date(Date.now() + minutes * 60_000).toISOString();
}
