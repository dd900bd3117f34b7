import { createContext, createElement, useCallback, useContext, useSyncExternalStore, type ReactElement, type ReactNode } from 'react';
import type { Presence } from './presence.js';
import type { PulseClient } from './pulse-client.js';
import type { PulseState } from './state.js';

const PulseContext = createContext<PulseClient | undefined>(undefined);
const nothing = (): undefined => undefined;
// While rendering on a server, nobody is connected.
const notStarted: PulseState = Object.freeze({ name: 'stopped' });

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

/** Where the client is; draws the component anew when that changes. */
export function usePulseState(): PulseState {
  const client = usePulse();
  return useSyncExternalStore(client.subscribe, () => client.state, () => notStarted);
}
