import {
  createContext, createElement, useCallback, useContext, useMemo, useRef, useSyncExternalStore, type ReactElement, type ReactNode,
} from 'react';
import type { OwnPresence, Presence } from './presence.js';
import type { PulseClient } from './pulse-client.js';
import type { PulseState } from './state.js';

const PulseContext = createContext<PulseClient | undefined>(undefined);
const nothing = (): undefined => undefined;
// On a server that renders pages the client stays stopped.
const notStarted: PulseState = Object.freeze({ name: 'stopped' });
const nobody: ReadonlyMap<string, Presence> = new Map();
const nothingChosen: OwnPresence = Object.freeze({ status: 'online', message: null, isSet: false });

export interface PulseProviderProps {
  /** Create it once, outside of components. The application starts and stops it. */
  readonly client: PulseClient;
  readonly children?: ReactNode;
}

/** Gives the client to the hooks below it. */
export function PulseProvider({ client, children }: PulseProviderProps): ReactElement {
  return createElement(PulseContext.Provider, { value: client }, children);
}

/** The client of the nearest PulseProvider. */
export function usePulse(): PulseClient {
  const client = useContext(PulseContext);
  if (!client) throw new Error('A <PulseProvider client={…}> is missing above this component.');
  return client;
}

/** Watches a user while the component is mounted, and renders it again when the presence changes; undefined until it is known. */
export function usePresence(userId: string): Presence | undefined {
  const client = usePulse();
  const subscribe = useCallback((onChange: () => void) => {
    const unsubscribe = client.subscribe(onChange, userId);
    const unwatch = client.watch(userId);
    return () => {
      unsubscribe();
      unwatch();
    };
  }, [client, userId]);
  return useSyncExternalStore(subscribe, () => client.presence(userId), nothing);
}

/**
 * Watches users while the component is mounted, and renders it again when the presence of one of them changes.
 * @param userIds may be a new array each time.
 * @returns the known presences, by user id as given; the same object until a value in it changes.
 */
export function usePresences(userIds: readonly string[]): ReadonlyMap<string, Presence> {
  const client = usePulse();
  const ids = useSame(userIds);
  const subscribe = useCallback((onChange: () => void) => {
    const unsubscribe = ids.map((userId) => client.subscribe(onChange, userId));
    const unwatch = client.watch(ids);
    return () => {
      for (const end of unsubscribe) end();
      unwatch();
    };
  }, [client, ids]);
  const read = useMemo(() => {
    let latest = nobody;
    return () => {
      const known: [string, Presence][] = ids.flatMap((userId) => {
        const presence = client.presence(userId);
        return presence ? [[userId, presence]] : [];
      });
      const isSame = known.length === latest.size && known.every(([userId, presence]) => latest.get(userId) === presence);
      return isSame ? latest : (latest = new Map(known));
    };
  }, [client, ids]);
  return useSyncExternalStore(subscribe, read, () => nobody);
}

/**
 * The number of connected users among these, as far as it is known; without ids, among all watched users. Renders the component again when
 * it changes. Adds no watches.
 */
export function useOnlineCount(userIds?: readonly string[]): number {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.countOnline(userIds), () => 0);
}

/** The Pulse id of the client's user; undefined before the first connection. Renders the component again when it changes. */
export function useUserId(): string | undefined {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.userId, nothing);
}

/** The status that the user has chosen with `setStatus`. Renders the component again when it changes. */
export function useOwnPresence(): OwnPresence {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.own, () => nothingChosen);
}

/** The state of the connection. Renders the component again when it changes. */
export function usePulseState(): PulseState {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.state, () => notStarted);
}

/** The same array while it has the same ids, so that a list may be created at each rendering. */
function useSame(ids: readonly string[]): readonly string[] {
  const kept = useRef(ids);
  if (kept.current.length !== ids.length || kept.current.some((id, index) => id !== ids[index])) kept.current = ids;
  return kept.current;
}

export { useChat, useConversation, useConversations, useTyping, useUnread } from './chat/hooks.js';
