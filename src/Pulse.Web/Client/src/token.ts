interface AccessToken {
  readonly accessToken: string;
  readonly expiresAt: string;
}

const slackMs = 30_000;

/** The session is over: its cookie buys no more tokens. */
export class SignedOutError extends Error {}

/** Access tokens for this tab, bought with the session cookie and kept in memory alone. */
export class Tokens {
  #token: AccessToken | undefined;

  /** A token that still lasts a while: reconnecting with a stale one would be refused. */
  async current(): Promise<string> {
    if (!this.#token || Date.parse(this.#token.expiresAt) - Date.now() < slackMs) this.#token = await buy();
    return this.#token.accessToken;
  }

  /** Forgets the token; the next one is bought anew, or not at all if the session has ended. */
  drop(): void {
    this.#token = undefined;
  }
}

async function buy(): Promise<AccessToken> {
  const answer = await fetch('/auth/token', { method: 'POST', cache: 'no-store' });
  if (answer.status === 401) throw new SignedOutError();
  if (!answer.ok) throw new Error(`POST /auth/token answered ${answer.status}.`);
  return (await answer.json()) as AccessToken;
}
