import {
  createContext, createElement, useCallback, useContext, useMemo, useRef, useSyncExternalStore, type ReactElement, type ReactNode,
} from 'react';
import type { OwnPresence, Presence } from './presence.js';
import type { PulseClient } from './pulse-client.js';
import type { PulseState } from './state.js';

const PulseContext = createContext<PulseClient | undefined>(undefined);
const nothing = (): undefined => undefined;
// While rendering on a server, nobody is connected.
const notStarted: PulseState = Object.freeze({ name: 'stopped' });
const nobody: ReadonlyMap<string, Presence> = new Map();
const nothingChosen: OwnPresence = Object.freeze({ status: 'online', message: null, isSet: false });

export interface PulseProviderProps {
  /** Made once, outside of components; starting and stopping it stays with the application. */
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
  if (!client) throw new Error('There is no <PulseProvider client={…}> above this component.');
  return client;
}

/** Watches a user for as long as the component is there, and draws it anew when their presence changes; undefined until it is known. */
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
 * Watches users for as long as the component is there, and draws it anew when the presence of one of them changes.
 * @param userIds need not be the same array each time.
 * @returns by user id as given, those who are known; the same object until something in it changes.
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
 * How many of these users are connected, as far as it is known; without ids, of all who are watched. Draws the component anew when that
 * changes. Watches nobody.
 */
export function useOnlineCount(userIds?: readonly string[]): number {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.countOnline(userIds), () => 0);
}

/** What the user has chosen with `setStatus`; draws the component anew when that changes. */
export function useOwnPresence(): OwnPresence {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.own, () => nothingChosen);
}

/** Where the client is; draws the component anew when that changes. */
export function usePulseState(): PulseState {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.state, () => notStarted);
}

/** The same array as long as it has the same ids, so that a list that is made while drawing costs nothing. */
function useSame(ids: readonly string[]): readonly string[] {
  const kept = useRef(ids);
  if (kept.current.length !== ids.length || kept.current.some((id, index) => id !== ids[index])) kept.current = ids;
  return kept.current;
}
