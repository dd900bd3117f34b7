import { Activity } from './activity.js';
import type { Connection } from './connection.js';
import type { Extension, Running } from './extension.js';
import type { Hub, HubMessages } from './hub.js';
import { Kept } from './kept.js';
import { Link } from './link.js';
import { call, Listeners } from './listeners.js';
import type { Settings, Surroundings } from './options.js';
import { normalizeId, type OwnPresence, type OwnStatus, type Presence, type WirePresence } from './presence.js';
import { PresenceStore } from './presence-store.js';
import type { PulseClient, PulseEvents, PulseSnapshot } from './pulse-client.js';
import { leavePlace, takePlace } from './running.js';
import type { PulseState } from './state.js';
import { StatusSync, type Choice } from './status-sync.js';
import { Tabs } from './tabs.js';
import { later } from './time.js';
import { Tokens } from './tokens.js';
import { Watches } from './watches.js';
import { WatchSync } from './watch-sync.js';

const stopped: PulseState = Object.freeze({ name: 'stopped' });
const replaced: PulseState = Object.freeze({ name: 'ended', reason: 'replaced' });
const connecting: PulseState = Object.freeze({ name: 'connecting' });

/** Connects the parts, which are independent of each other. */
export class Client implements PulseClient {
  readonly #settings: Settings;
  readonly #surroundings: Surroundings;
  readonly #tokens: Tokens;
  readonly #store = new PresenceStore();
  readonly #watches: Watches;
  readonly #kept: Kept;
  readonly #status = new StatusSync((choice) => this.#onRefused(choice), () => this.#onOwnChange());
  readonly #tabs: Tabs | undefined;
  readonly #activity: Activity;
  readonly #extension: Running<object> | undefined;

  readonly #listeners = new Listeners<void>();
  readonly #userListeners = new Map<string, Listeners<void>>();
  readonly #eventListeners: { readonly [E in keyof PulseEvents]: Listeners<PulseEvents[E]> } = { sessionEnded: new Listeners(), error: new Listeners() };

  #state: PulseState = stopped;
  #snapshot: PulseSnapshot | undefined;
  #own: OwnPresence = Object.freeze({ status: 'online', message: null, isSet: false });
  #link: Link | undefined;
  #sync: WatchSync | undefined;
  #losing: (() => void) | undefined;
  #listening: AbortController | undefined;
  /** The latest connection. A new page begins with the connection of the previous page in this tab. */
  #connectionId: string | undefined;
  /** The user that made the present choice; undefined while the connected user is unknown. */
  #chosenBy: string | undefined;
  /** The only record of the last user in a browser that blocks storage. */
  #lastUserId: string | undefined;
  #hasExplainedSync = false;

  readonly #place: string;
  readonly #replaceable = {
    replace: (): string | undefined => {
      const connectionId = this.#connectionId;
      void this.#end(replaced, true);
      return connectionId;
    },
  };

  constructor(settings: Settings, around: Surroundings, extension?: Extension<object>) {
    this.#settings = settings;
    this.#place = `${settings.url} ${settings.name}`;
    this.#surroundings = around;
    this.#tokens = new Tokens(around.getToken);
    this.#kept = new Kept(settings.url, around.keeps);
    this.#watches = new Watches(
      () => this.#sync?.request(),
      (userIds) => {
        this.#announce(this.#store.forget(userIds));
        this.#sync?.request();
      },
    );
    this.#activity = new Activity(around.page, settings.idleAfterMs, {
      onIdle: (idle) => this.#status.setIdle(idle),
      onWake: () => this.#link?.wake(),
    });
    if (around.page && typeof BroadcastChannel === 'function') {
      this.#tabs = new Tabs(settings.url, () => this.#status.choice, (choice) => this.#choose(choice));
    }
    this.#extension = extension?.attach({
      url: settings.url,
      getToken: () => this.#tokens.get(),
      dropToken: () => this.#tokens.drop(),
      onError: (error) => this.#eventListeners.error.tell(error),
      ownUser: () => this.userId,
      canStart: () => {
        try {
          return around.canStart();
        } catch {
          // `start()` itself reports what is missing.
          return true;
        }
      },
      random: around.random,
      isSeen: () => this.#isSeen,
    });
    Object.assign(this, this.#extension?.members);
  }

  get state(): PulseState {
    return this.#state;
  }

  get userId(): string | undefined {
    return this.#connectedUser ?? this.#lastUserId;
  }

  get own(): OwnPresence {
    return this.#own;
  }

  readonly start = (): void => {
    if (this.#link || !this.#surroundings.canStart()) return;
    const { reach, random, page } = this.#surroundings;
    // A token that was fetched while the client was stopped may be another user's.
    this.#tokens.reset();
    // Before the listeners, whose calls would otherwise reject with `stopped`.
    this.#extension?.onStart();
    this.#setState(connecting);
    // A listener has stopped the client.
    if (this.#state !== connecting) return;
    // Always take both: the kept connection belongs to the previous page, so it is named once, now.
    const kept = this.#kept.takeConnection();
    this.#connectionId = (page && takePlace(page.window, this.#place, this.#replaceable)) ?? kept;
    // Before the activity, because its waking opens the next socket.
    this.#followPage();
    this.#activity.start();
    // The page counts as used again, because the user has started the client.
    this.#status.setIdle(this.#activity.idle);
    // The status of the latest socket. A link has only one socket at a time.
    let opened: OwnStatus = 'online';
    const openHub = (token: string): Hub => {
      // The user is unknown until the server has greeted. Most likely it is the previous user, and an invisible user must stay unseen for
      // a moment.
      const userId = this.#expectedUser;
      if (userId !== undefined) this.#recall(userId);
      return this.#surroundings.openHub(token, { status: (opened = this.#status.wanted.status), previous: this.#connectionId });
    };
    const link: Link = new Link(this.#tokens, { openHub, reach, random, isSeen: () => this.#isSeen }, {
      onOpen: (connection, greeting) => this.#onOpen(connection, greeting, opened),
      onLost: () => this.#onLost(),
      onPresenceChanged: (change) => this.#take([change]),
      onSessionEnded: (session) => {
        if ((session.reason === 'signed-out' || session.reason === 'user-removed') && !session.mayReconnect) void this.#forget();
        if (!session.mayReconnect) void this.#end(Object.freeze({ name: 'ended', reason: session.reason }));
        this.#eventListeners.sessionEnded.tell(session);
      },
      onError: (error) => {
        if (error.code === 'user-not-synced') this.#explainSync();
        this.#eventListeners.error.tell(error);
      },
    });
    this.#link = link;
  };

  readonly probe = (): void => this.#link?.wake();

  readonly stop = async ({ forget = false }: { readonly forget?: boolean } = {}): Promise<void> => {
    const forgotten = forget && this.#forget();
    if (this.#state.name !== 'stopped') {
      await this.#end(stopped);
    } else {
      // Otherwise the next user would make what waits for the first start.
      this.#extension?.onEnd();
      // `userId` has changed.
      if (forget) this.#setState(stopped);
    }
    await forgotten;
  };

  readonly watch = (userIds: string | Iterable<string>, onChange?: (presence: Presence) => void): (() => void) => {
    const ids = new Set([...(typeof userIds === 'string' ? [userIds] : userIds)].map(normalizeId));
    const release = this.#watches.add(ids);
    const unsubscribe = onChange ? [...ids].map((userId) => this.#follow(userId, onChange)) : [];
    return () => {
      for (const end of unsubscribe) end();
      release();
    };
  };

  readonly countOnline = (userIds?: Iterable<string>): number => this.#store.countOnline(userIds);

  readonly presence = (userId: string): Presence | undefined => this.#store.get(userId);

  readonly subscribe = (listener: () => void, userId?: string): (() => void) => {
    if (userId === undefined) return this.#listeners.add(listener);
    const key = normalizeId(userId);
    let listeners = this.#userListeners.get(key);
    if (!listeners) this.#userListeners.set(key, (listeners = new Listeners<void>()));
    const remove = listeners.add(listener);
    return () => {
      remove();
      if (listeners.size === 0 && this.#userListeners.get(key) === listeners) this.#userListeners.delete(key);
    };
  };

  readonly getSnapshot = (): PulseSnapshot =>
    (this.#snapshot ??= Object.freeze({ state: this.#state, userId: this.userId, presences: this.#store.all(), own: this.#own }));

  readonly setStatus = (status: OwnStatus, message?: string): Promise<void> => {
    // The time is later than that of the present choice even if the clock was set back, because other tabs and a reload take the latest choice.
    const choice: Choice = { status, message: message || null, at: Math.max(Date.now(), this.#status.choice.at + 1) };
    const chosen = this.#status.choose(choice);
    if (this.#status.choice === choice) {
      this.#chosenBy = this.#connectedUser;
      this.#keepChoice();
      this.#onOwnChange();
    }
    chosen.then(() => this.#tabs?.tell(choice), () => undefined);
    return chosen;
  };

  readonly on = <E extends keyof PulseEvents>(event: E, listener: (event: PulseEvents[E]) => void): (() => void) =>
    this.#eventListeners[event].add(listener);

  /** Reports a mistake in the application. This message is its only symptom, and only the developer can correct it. */
  #explainSync(): void {
    if (this.#hasExplainedSync) return;
    this.#hasExplainedSync = true;
    console.error(
      "Pulse does not know this token's user yet. Send POST /auth/sync with the same token once, for each user, before the client starts.",
    );
  }

  #onOpen(connection: Connection, greeting: HubMessages['Connected'], opened: OwnStatus): void {
    const { userId, connectionId, heartbeatSeconds } = greeting;
    this.#connectionId = connectionId;
    // The user is another one than expected, or than before.
    if (this.#chosenBy !== undefined && this.#chosenBy !== userId) this.#status.reset();
    this.#recall(userId);
    this.#chosenBy = userId;
    this.#keepChoice();
    this.#kept.userId = this.#lastUserId = userId;
    this.#store.beginConnection();
    // Attached first, so that a user that chose to be invisible while the socket opened is seen for as short as possible.
    this.#status.attach(connection, opened);
    this.#tabs?.join(userId);
    this.#sync = new WatchSync(connection, () => this.#watches.wanted, {
      onAnswer: (presences) => this.#take(presences),
      onRefused: (error) => this.#eventListeners.error.tell(error),
      onSettled: () => this.#keepSight(),
    });
    this.#sync.request();
    this.#beat(connection, heartbeatSeconds);
    this.#setState(Object.freeze({ name: 'online', userId }));
    this.#extension?.onOpen(connection, greeting);
  }

  #onLost(): void {
    const userId = this.#connectedUser ?? '';
    this.#sync = undefined;
    // The timer already runs if the connection was lost before it had reported all users.
    this.#losing ??= later(this.#settings.unknownAfterMs, () => {
      this.#losing = undefined;
      this.#announce(this.#store.loseSight((id) => this.#sync?.isWatching(id) ?? false));
    });
    this.#setState(Object.freeze({ name: 'reconnecting', userId }));
  }

  /** Reports that the page is in use. The server keeps the connection by SignalR's own pings, so it needs no heartbeats. */
  #beat(connection: Connection, seconds: number): void {
    const timer = setInterval(() => {
      if (!this.#activity.idle) connection.invoke('Heartbeat').catch(() => undefined);
    }, seconds * 1_000);
    connection.over.addEventListener('abort', () => clearInterval(timer));
  }

  /** @param isReplaced skips the goodbye, because another client of the page takes the connection over. */
  #end(state: PulseState, isReplaced = false): Promise<void> {
    const { page } = this.#surroundings;
    if (page) leavePlace(page.window, this.#place, this.#replaceable);
    const link = this.#link;
    this.#link = undefined;
    this.#sync = undefined;
    this.#listening?.abort();
    this.#connectionId = this.#chosenBy = undefined;
    this.#activity.stop();
    this.#tabs?.leave();
    this.#status.reset();
    this.#tokens.reset();
    this.#extension?.onEnd();
    this.#keepSight();
    const closed = (isReplaced ? link?.drop() : link?.stop()) ?? Promise.resolve();
    this.#setState(state, this.#store.loseSight());
    return closed;
  }

  #keepSight(): void {
    this.#losing?.();
    this.#losing = undefined;
  }

  #choose(choice: Choice): void {
    this.#status.choose(choice).catch(() => undefined);
    this.#keepChoice();
    this.#onOwnChange();
  }

  #onOwnChange(): void {
    if (this.#readOwn() !== this.#own) this.#setState(this.#state);
  }

  #readOwn(): OwnPresence {
    const { status, message } = this.#status.choice;
    const isSet = this.#state.name === 'online' && this.#status.isSet;
    const { own } = this;
    return status === own.status && message === own.message && isSet === own.isSet ? own : Object.freeze({ status, message, isSet });
  }

  /** Whether the user may be looking at the page. */
  get #isSeen(): boolean {
    return this.#surroundings.page?.document.visibilityState !== 'hidden';
  }

  /** The user of the present or lost connection; undefined before it is known. */
  get #connectedUser(): string | undefined {
    return this.#state.name === 'online' || this.#state.name === 'reconnecting' ? this.#state.userId || undefined : undefined;
  }

  /** Most likely the user of the next connection: another tab may have signed in as another user since this client's latest one. */
  get #expectedUser(): string | undefined {
    return this.#connectedUser ?? this.#kept.userId ?? this.#lastUserId;
  }

  /** Applies the earlier choice of that user, from this page or another, unless the present choice is later. */
  #recall(userId: string): void {
    const kept = this.#kept.choice(userId);
    if (!kept || kept.at <= this.#status.choice.at) return;
    this.#chosenBy = userId;
    this.#status.choose(kept).catch(() => undefined);
    this.#onOwnChange();
  }

  #keepChoice(): void {
    if (this.#chosenBy !== undefined && this.#status.choice.at > 0) this.#kept.keepChoice(this.#chosenBy, this.#status.choice);
  }

  #onRefused(choice: Choice): void {
    this.#dropChoice(choice);
    this.#onOwnChange();
  }

  /** The server refuses the choice, and would refuse it on the next page too. */
  #dropChoice({ at }: Choice): void {
    // Another tab may have stored a later choice in its place.
    if (this.#chosenBy === undefined || this.#kept.choice(this.#chosenBy)?.at !== at) return;
    this.#kept.dropChoice(this.#chosenBy);
    this.#keepChoice();
  }

  #forget(): Promise<void> | undefined {
    // Another tab may have signed in another user meanwhile, so the user of this client comes first.
    const userId = this.userId ?? this.#kept.userId;
    this.#lastUserId = undefined;
    if (userId !== undefined) this.#kept.forget(userId);
    return this.#extension?.onForget(userId);
  }

  /** Hands the connection on to the next page of this tab, so that others do not see the user disconnect in between. */
  #followPage(): void {
    if (!this.#surroundings.page) return;
    const { window } = this.#surroundings.page;
    const { signal } = (this.#listening = new AbortController());
    window.addEventListener('pagehide', () => {
      if (this.#connectionId !== undefined) this.#kept.keepConnection(this.#connectionId);
    }, { signal });
    // A page may be restored as it was. The connection of the page in between is then the latest of this tab.
    window.addEventListener('pageshow', () => {
      this.#connectionId = this.#kept.takeConnection() ?? this.#connectionId;
    }, { signal });
  }

  #follow(userId: string, onChange: (presence: Presence) => void): () => void {
    let told: Presence | undefined;
    const tell = (): void => {
      const presence = this.#store.get(userId);
      if (!presence || presence === told) return;
      told = presence;
      call(onChange, presence);
    };
    tell();
    return this.subscribe(tell, userId);
  }

  #take(presences: readonly WirePresence[]): void {
    this.#announce(this.#store.apply(presences.filter(({ userId }) => this.#watches.has(normalizeId(userId)))));
  }

  #announce(userIds: readonly string[]): void {
    if (userIds.length > 0) this.#setState(this.#state, userIds);
  }

  /** Changes state and presences together, so that listeners see both changes or neither. */
  #setState(state: PulseState, userIds: readonly string[] = []): void {
    this.#state = state;
    this.#own = this.#readOwn();
    this.#snapshot = undefined;
    for (const userId of userIds) this.#userListeners.get(userId)?.tell();
    this.#listeners.tell();
  }
}
