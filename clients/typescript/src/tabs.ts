import type { Choice } from './status-sync.js';

type Message =
  | { readonly kind: 'ask'; readonly userId: string }
  | { readonly kind: 'chosen'; readonly userId: string; readonly choice: Choice };

/**
 * The user's chosen status, shared by the tabs of one browser. Each tab has its own connection, and the server shows the busiest of them.
 * The tabs share it because a user would otherwise be unable to undo in one tab the choice of another.
 */
export class Tabs {
  readonly #name: string;
  readonly #own: () => Choice;
  readonly #adopt: (choice: Choice) => void;
  #channel: BroadcastChannel | undefined;
  #userId: string | undefined;

  constructor(url: string, own: () => Choice, adopt: (choice: Choice) => void) {
    this.#name = `pulse-status ${url}`;
    this.#own = own;
    this.#adopt = adopt;
  }

  /** Joins the tabs of that user, and asks for their choice. In a browser that blocks channels, the tab stays by itself. */
  join(userId: string): void {
    this.#userId = userId;
    if (this.#channel) return;
    try {
      this.#channel = new BroadcastChannel(this.#name);
    } catch {
      // Firefox throws with cookies blocked, also in a frame of another site.
      return;
    }
    this.#channel.onmessage = ({ data }: MessageEvent<Message | undefined>) => {
      if (data) this.#onMessage(data);
    };
    this.#post({ kind: 'ask', userId });
    // The choice was made before the user was known.
    const own = this.#own();
    if (own.at > 0) this.tell(own);
  }

  tell(choice: Choice): void {
    if (this.#userId) this.#post({ kind: 'chosen', userId: this.#userId, choice });
  }

  leave(): void {
    this.#channel?.close();
    this.#channel = undefined;
    this.#userId = undefined;
  }

  #post(message: Message): void {
    try {
      this.#channel?.postMessage(message);
    } catch {
      // The server refuses a value that cannot be copied too, such as a function in place of the message.
    }
  }

  #onMessage(message: Message): void {
    if (message.userId !== this.#userId) return;
    const own = this.#own();
    if (message.kind === 'chosen') {
      if (message.choice.at > own.at) this.#adopt(message.choice);
    } else if (own.at > 0) {
      this.tell(own);
    }
  }
}
