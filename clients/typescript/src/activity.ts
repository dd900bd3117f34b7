import { later } from './time.js';

// No 'scroll': a chat scrolls by itself.
const inputs = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchmove'];

/** The part of a browser's window and document that tells whether somebody is there. */
export interface Page {
  readonly window: EventTarget;
  readonly document: EventTarget & { readonly visibilityState: string };
}

/** The page that this code runs in; undefined outside browsers. */
export function currentPage(): Page | undefined {
  return typeof window === 'object' && typeof document === 'object' ? { window, document } : undefined;
}

export interface ActivityEvents {
  onIdle(idle: boolean): void;
  /** The page or the network is back: what was waited for may be possible now. */
  onWake(): void;
}

/**
 * Whether somebody uses the page. Without one there is nobody to watch, and it counts as used.
 * Judged by times of day and not by counting ticks, because browsers slow the timers of hidden pages down to one a minute.
 */
export class Activity {
  readonly #page: Page | undefined;
  readonly #idleAfterMs: number;
  readonly #events: ActivityEvents;
  #listening: AbortController | undefined;
  #unwatchIdle = (): void => undefined;
  #usedAt = 0;
  #idle = false;
  #pointer = '';

  constructor(page: Page | undefined, idleAfterMs: number, events: ActivityEvents) {
    this.#page = page;
    this.#idleAfterMs = idleAfterMs;
    this.#events = events;
  }

  get idle(): boolean {
    return this.#idle;
  }

  start(): void {
    if (!this.#page) return;
    const { signal } = (this.#listening = new AbortController());
    const { window, document } = this.#page;
    for (const input of inputs) window.addEventListener(input, this.#onInput, { capture: true, passive: true, signal });
    window.addEventListener('focus', this.#use, { signal });
    window.addEventListener('online', () => this.#events.onWake(), { signal });
    window.addEventListener('pageshow', () => this.#events.onWake(), { signal });
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState !== 'visible') return;
      this.#use();
      this.#events.onWake();
    }, { signal });
    this.#idle = false;
    this.#use();
    this.#watchIdle();
  }

  stop(): void {
    this.#listening?.abort();
    this.#unwatchIdle();
  }

  readonly #onInput = (event: Event): void => {
    if (event.type === 'pointermove') {
      // Browsers also send this when the page moves under a pointer that rests.
      const { screenX, screenY } = event as PointerEvent;
      const pointer = `${screenX},${screenY}`;
      if (pointer === this.#pointer) return;
      this.#pointer = pointer;
    }
    this.#use();
  };

  readonly #use = (): void => {
    this.#usedAt = Date.now();
    if (!this.#idle) return;
    this.#idle = false;
    this.#watchIdle();
    this.#events.onIdle(false);
  };

  // One timer that looks again at the earliest time that could matter, and not one that every movement of the pointer sets anew.
  #watchIdle(): void {
    this.#unwatchIdle();
    this.#unwatchIdle = later(this.#usedAt + this.#idleAfterMs - Date.now(), () => {
      if (Date.now() - this.#usedAt < this.#idleAfterMs) return this.#watchIdle();
      this.#idle = true;
      this.#events.onIdle(true);
    });
  }
}
