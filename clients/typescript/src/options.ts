import { currentPage, type Page } from './activity.js';
import type { ChatMembers } from './chat/types.js';
import type { Extension } from './extension.js';
import { signalRHub, type OpenHub } from './hub.js';
import { currentKeeps, type Keeps } from './kept.js';
import { healthReach, type Reach } from './reach.js';
import { sessionTokens, type TokenSource } from './tokens.js';
import { transportTypes, type TransportName } from './transport.js';

export interface PulseClientOptions {
  /** Where Pulse is, such as `https://pulse.example.com`. Default: the origin of the page. */
  readonly url?: string;
  /**
   * The source of access tokens. Default: `POST {url}/auth/token` with the session cookie, which needs `url` to be of the page's own
   * origin.
   */
  readonly getToken?: TokenSource;
  /**
   * Transports to the hub. Default: `['webSockets']`, which works with any load balancer. With `serverSentEvents` or `longPolling`, for
   * networks that block WebSockets, all requests of a client must reach the same front end: sticky sessions, or one front end.
   */
  readonly transports?: readonly TransportName[];
  /**
   * Distinguishes clients of one page and one `url`. A client that starts ends the running client of the same name, because a hot reload of
   * the module that made it leaves such a client behind. A page that needs two at a time names them. Default: none.
   */
  readonly name?: string;
  /** After so long without input, the user is reported as `away`; Infinity for never. Default: 5 minutes. */
  readonly idleAfterMs?: number;
  /** Conversations: `chat()` of `@pulse-presence/client/chat`. Default: presence only, which leaves out the code of chat. */
  readonly chat?: Extension<ChatMembers>;
  /** When the connection has been lost for so long, presence becomes `unknown`. Default: 10 seconds. */
  readonly unknownAfterMs?: number;
}

/** The environment of the client. Tests provide their own. */
export interface Surroundings {
  readonly getToken: TokenSource;
  readonly openHub: OpenHub;
  readonly reach: Reach;
  readonly page: Page | undefined;
  readonly keeps: Keeps;
  readonly random: () => number;
  /** False on a server that renders pages. Throws where the client could never connect. */
  canStart(): boolean;
}

export interface Settings {
  readonly url: string;
  readonly name: string;
  readonly transports: readonly TransportName[];
  readonly idleAfterMs: number;
  readonly unknownAfterMs: number;
}

export function readSettings(
  { url = '', name = '', transports = ['webSockets'], idleAfterMs = 300_000, unknownAfterMs = 10_000 }: PulseClientOptions,
): Settings {
  for (const [option, value] of Object.entries({ idleAfterMs, unknownAfterMs })) {
    if (!(value >= 0)) throw new RangeError(`${option} is ${value}; it must be a number of milliseconds, 0 or more.`);
  }
  if (transports.length === 0 || !transports.every((transport) => transport in transportTypes)) {
    throw new RangeError(`transports is [${transports}]; it must have one or more of ${Object.keys(transportTypes).join(', ')}.`);
  }
  return { url: url.replace(/\/+$/, ''), name, transports, idleAfterMs, unknownAfterMs };
}

export function surroundings({ url, transports }: Settings, getToken: TokenSource | undefined): Surroundings {
  // Such a page would get "signed out", and its developer would look for the reason in the wrong place.
  if (!getToken && typeof location === 'object' && new URL(url, location.href).origin !== location.origin) {
    throw new TypeError(`The session cookie of this page does not reach ${url}, which has another origin: set getToken, or serve Pulse at this origin.`);
  }
  const page = currentPage();
  return {
    getToken: getToken ?? sessionTokens(url),
    openHub: signalRHub(url, transports),
    reach: healthReach(url),
    page,
    // Node.js has such names too, and warns at the first use.
    keeps: page ? currentKeeps() : { browser: undefined, tab: undefined },
    random: Math.random,
    canStart: () => {
      if (typeof location === 'object') return true;
      // The page's module may also run on the server that renders it, where a client would make a user look online.
      if (!url) return false;
      if (!getToken) throw new TypeError('Outside of pages there is no session cookie to get a token with: set getToken.');
      return true;
    },
  };
}
