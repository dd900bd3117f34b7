/** TCP repeats a lost segment for the first time after this time (Linux). Each further wait is twice as long, up to the longest one. */
const repeatMs = 200;
/** The same for a lost request to connect (RFC 6298 section 2). */
const repeatOpeningMs = 1_000;
const longestRepeatMs = 120_000;

/** The time until TCP repeats again what it first sent at `sentAt`, into a network that has lost it since. */
function untilRepeated(sentAt, waitMs) {
  let at = sentAt;
  while (at <= Date.now()) {
    at += waitMs;
    waitMs = Math.min(waitMs * 2, longestRepeatMs);
  }
  return at - Date.now();
}

/** The time until TCP repeats a request to connect. */
export const untilOpeningRepeated = (sentAt) => untilRepeated(sentAt, repeatOpeningMs);

/** One direction of a connection. While it is held, it keeps bytes and the end, as TCP does when packets are lost. */
export class Lane {
  #to;
  #held = [];
  #heldAt;
  #isHeld = false;
  #timer;

  constructor(from, to) {
    this.#to = to;
    // Null is the end of the connection.
    from.on('data', (bytes) => this.#take(bytes)).on('end', () => this.#take(null)).on('close', () => this.#take(null));
  }

  hold() {
    this.#isHeld = true;
    clearTimeout(this.#timer);
  }

  /** Passes the kept bytes when TCP would repeat them. */
  release() {
    this.#isHeld = false;
    if (this.#held.length > 0) this.#timer = setTimeout(() => this.#flush(), untilRepeated(this.#heldAt, repeatMs));
  }

  #take(bytes) {
    // Bytes behind lost ones wait for the repetition too.
    if (!this.#isHeld && this.#held.length === 0) return this.#pass(bytes);
    if (this.#held.push(bytes) === 1) this.#heldAt = Date.now();
  }

  #flush() {
    for (const bytes of this.#held.splice(0)) this.#pass(bytes);
  }

  #pass(bytes) {
    if (bytes === null) this.#to.destroySoon();
    else if (this.#to.writable) this.#to.write(bytes);
  }
}
