import { PulseError } from './errors.js';
import { within } from './time.js';

/** The answer of `POST /auth/token`. */
export interface AccessToken {
  readonly accessToken: string;
  /** ISO 8601 UTC. */
  readonly expiresAt: string;
}

/**
 * A source of tokens. `null`: the user is signed out, which ends the client for good. A rejection counts as a passing fault and is retried.
 * A bare string is a token of unknown life: it is used once. `signal` aborts when the client no longer waits for this answer, for `fetch`.
 */
export type TokenSource = (request: { readonly signal: AbortSignal }) => Promise<AccessToken | string | null>;

/** A token that expires in transit is refused. It is unused from this time before its end. */
const slackMs = 30_000;
const patienceMs = 20_000;

/** The one token of a client: kept until it expires, and fetched by one request at a time. */
export class Tokens {
  readonly #source: TokenSource;
  #kept: AccessToken | undefined;
  #pending: Promise<string | null> | undefined;
  #request: AbortController | undefined;
  #resets = 0;

  constructor(source: TokenSource) {
    this.#source = source;
  }

  /** A token that is valid for a while; null when the user is signed out. */
  get(): Promise<string | null> {
    if (this.#kept && Date.parse(this.#kept.expiresAt) - Date.now() > slackMs) return Promise.resolve(this.#kept.accessToken);
    return this.renew();
  }

  /** A new token, even if one is kept. A request in progress is new enough. */
  renew(): Promise<string | null> {
    if (this.#pending) return this.#pending;
    const request = (this.#request = new AbortController());
    const pending = this.#fetch(request).finally(() => {
      if (this.#pending === pending) this.#pending = undefined;
    });
    return (this.#pending = pending);
  }

  /** Gives up the request in progress, which fails. The next one may be answered. */
  abandon(): void {
    this.#request?.abort('the network or the server may be back');
    this.#pending = undefined;
  }

  /** Forgets the kept token, because the server may refuse it. A request in progress is newer, and stays. */
  drop(): void {
    this.#kept = undefined;
  }

  /**
   * Forgets the token and a request in progress, because the next token may be another person's. The callers that already wait for that
   * request still get its token.
   */
  reset(): void {
    this.#resets++;
    this.#kept = this.#pending = undefined;
  }

  async #fetch(request: AbortController): Promise<string | null> {
    const resets = this.#resets;
    this.#kept = undefined;
    try {
      const token = await within(patienceMs, 'getToken', this.#source({ signal: request.signal }), request.signal);
      if (token === null || typeof token === 'string') return token;
      if (resets === this.#resets) this.#kept = token;
      return token.accessToken;
    } catch (error) {
      request.abort(error);
      throw new PulseError('token-unavailable', `No access token: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

/** The default source: the session cookie's token from Pulse itself, which gives it to pages of its own origin only. */
export function sessionTokens(url: string): TokenSource {
  return async ({ signal }) => {
    const answer = await fetch(`${url}/auth/token`, {
      method: 'POST',
      credentials: 'same-origin',
      cache: 'no-store',
      headers: { accept: 'application/json' },
      signal,
    });
    if (answer.status === 401) return null;
    if (!answer.ok) throw new Error(`POST /auth/token answered ${answer.status}`);
    return (await answer.json()) as AccessToken;
  };
}
