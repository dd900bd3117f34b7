import { later } from './time.js';

// 'scroll' is left out, because a chat scrolls by itself.
const inputs = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'touchmove'];

/** The part of a browser's window and document that shows user activity. */
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
  /** The page or the network is back, so waiting operations may succeed now. */
  onWake(): void;
}

/**
 * Whether the page is in use. Outside of pages it always counts as used.
 * Compares times of day instead of counting ticks, because browsers slow the timers of hidden pages down to one a minute.
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
      // Browsers also send this when the page moves under a resting pointer.
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

  // Sets one timer for the earliest possible time, because a timer per pointer movement would restart too often.
  #watchIdle(): void {
    this.#unwatchIdle();
    this.#unwatchIdle = later(this.#usedAt + this.#idleAfterMs - Date.now(), () => {
      if (Date.now() - this.#usedAt < this.#idleAfterMs) return this.#watchIdle();
      this.#idle = true;
      this.#events.onIdle(true);
    });
  }
}
