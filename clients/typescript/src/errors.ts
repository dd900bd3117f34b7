/** A failure with a code for decisions. */
export class PulseError extends Error {
  override readonly name = 'PulseError';
  /** A retry before that time is refused too (`Retry-After` of an answer to a request); undefined where the server names no time. */
  readonly retryAfterMs: number | undefined;

  /**
   * @param code the server's own (`invalid-argument`, `too-many-watched`, …), or `connection-failed`, `connection-lost`,
   * `token-unavailable`, `call-failed`, `client-failed`, `stopped`, `aborted` (by the call's `signal`), `storage-unavailable` (the
   * storage of chat does not answer). The client itself refuses a call above 60 KiB with `too-long`, because the server would close the
   * connection.
   * @param message for people.
   */
  constructor(readonly code: string, message: string, options?: ErrorOptions & { readonly retryAfterMs?: number | undefined }) {
    super(message, options);
    this.retryAfterMs = options?.retryAfterMs;
  }
}

// "too-many-watched: unwatch some": errors of the hub begin with their code, other errors lack one. SignalR's client puts a sentence
// before the text with which the server closes, and older servers put one before each text.
const hubException = /^(?:.*HubException: |Server returned an error on close: )?(([a-z]+(?:-[a-z]+)*): .*)/s;

export function readError(error: unknown, otherwise: string): PulseError {
  if (error instanceof PulseError) return error;
  const text = error instanceof Error ? error.message : String(error);
  const [, message, code] = hubException.exec(text) ?? [];
  return code && message ? new PulseError(code, message, { cause: error }) : new PulseError(otherwise, text, { cause: error });
}

// The same call would be refused again.
const lasting = new Set(['invalid-argument', 'too-long', 'too-many-watched', 'invalid-token', 'user-not-synced']);

/** Whether a retry of the same operation can help. */
export function isPassing({ code }: PulseError): boolean {
  return !lasting.has(code);
}
