import { currentPage, type Page } from './activity.js';
import { signalRHub, type OpenHub } from './hub.js';
import { currentKeeps, type Keeps } from './kept.js';
import { sessionTokens, type TokenSource } from './tokens.js';

export interface PulseClientOptions {
  /** Where Pulse is, such as `https://pulse.example.com`. Default: the origin of the page. */
  readonly url?: string;
  /** Where access tokens come from. Default: `POST {url}/auth/token` with the session cookie, which needs `url` to be of the page's own origin. */
  readonly getToken?: TokenSource;
  /** Without input for so long, the user is reported `away`; Infinity for never. Default: 5 minutes. */
  readonly idleAfterMs?: number;
  /** With the connection lost for so long, presence becomes `unknown`. Default: 10 seconds. */
  readonly unknownAfterMs?: number;
}

/** What the client needs of the world; tests bring their own. */
export interface Surroundings {
  readonly getToken: TokenSource;
  readonly openHub: OpenHub;
  readonly page: Page | undefined;
  readonly keeps: Keeps;
  readonly random: () => number;
}

export interface Settings {
  readonly url: string;
  readonly idleAfterMs: number;
  readonly unknownAfterMs: number;
}

export function readSettings({ url = '', idleAfterMs = 300_000, unknownAfterMs = 10_000 }: PulseClientOptions): Settings {
  for (const [name, value] of Object.entries({ idleAfterMs, unknownAfterMs })) {
    if (!(value >= 0)) throw new RangeError(`${name} is ${value}; it must be a number of milliseconds, 0 or more.`);
  }
  return { url: url.replace(/\/+$/, ''), idleAfterMs, unknownAfterMs };
}

export function surroundings({ url }: Settings, getToken: TokenSource | undefined): Surroundings {
  // Such a page would be told that nobody is signed in, and its developer look for the reason in the wrong place.
  if (!getToken && typeof location === 'object' && new URL(url, location.href).origin !== location.origin) {
    throw new TypeError(`${url} is another origin than this page's, whose session cookie it does not get: give getToken, or have Pulse at this origin.`);
  }
  const page = currentPage();
  // Node.js has such names too, and warns at the first use.
  const keeps = page ? currentKeeps() : { browser: undefined, tab: undefined };
  return { getToken: getToken ?? sessionTokens(url), openHub: signalRHub(url), page, keeps, random: Math.random };
}
