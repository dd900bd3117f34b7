import type { Presence, PulseState } from '@pulse-presence/client';
import { createContext, type ComponentType, Component } from 'preact';
import { useContext, useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Person } from './api';
import type { Directory } from './directory';
import type { ChatPulse } from './pulse';

/** The values that all parts of the page share. */
export interface Chat {
  readonly pulse: ChatPulse;
  readonly directory: Directory;
  readonly me: Person;
  /** Announces a text to screen readers, politely and once. */
  say(text: string): void;
  /** Shows a short text at the edge of the page, also to screen readers. */
  toast(text: string, isBad?: boolean): void;
  go(conversationId: string | undefined, seq?: number): void;
  ask(question: Question): void;
}

/** A question before an action that cannot be undone. */
export interface Question {
  readonly title: string;
  readonly hint: string;
  readonly action: string;
  run(): void;
}

const ChatContext = createContext<Chat | undefined>(undefined);
export const ChatProvider = ChatContext.Provider;

export function useChat(): Chat {
  return useContext(ChatContext)!;
}

/** The value of a store, and a new rendering when it is another object. */
export function useStore<T>(subscribe: (listener: () => void) => () => void, read: () => T): T {
  const value = read();
  const [, render] = useState({});
  const latest = useRef({ value, read });
  latest.current = { value, read };
  useLayoutEffect(() => {
    const look = () => {
      if (latest.current.read() !== latest.current.value) render({});
    };
    look();
    return subscribe(look);
  }, [subscribe]);
  return value;
}

const minuteMs = 60_000;
const minuteListeners = new Set<() => void>();
let minutes: ReturnType<typeof setInterval> | undefined;

function onMinute(listener: () => void): () => void {
  minuteListeners.add(listener);
  minutes ??= setInterval(() => {
    for (const each of minuteListeners) each();
  }, minuteMs / 4);
  return () => {
    minuteListeners.delete(listener);
    if (minuteListeners.size > 0) return;
    clearInterval(minutes);
    minutes = undefined;
  };
}

/** Renders again in each new minute, for times such as "Today" and "5 minutes ago". */
export function useMinute(): void {
  useStore(onMinute, () => Math.floor(Date.now() / minuteMs));
}

export function usePulseState(): PulseState {
  const { pulse } = useChat();
  return useStore(pulse.subscribe, () => pulse.state);
}

/** The presence of a user. The client watches the user while the component is mounted. */
export function usePresence(userId: string | undefined): Presence | undefined {
  const { pulse } = useChat();
  const [, render] = useState({});
  useLayoutEffect(() => {
    if (!userId) return undefined;
    const unsubscribe = pulse.subscribe(() => render({}), userId);
    const unwatch = pulse.watch(userId);
    return () => {
      unsubscribe();
      unwatch();
    };
  }, [pulse, userId]);
  return userId ? pulse.presence(userId) : undefined;
}

/** Renders again when names become known. */
export function useDirectory(): Directory {
  const { directory } = useChat();
  useStore(directory.subscribe, directory.getVersion);
  return directory;
}

/** Calls `act` when a pointer goes down outside of the element, or Escape is pressed. */
export function useDismiss(element: { readonly current: HTMLElement | null }, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    const onPointer = (event: PointerEvent) => {
      if (!element.current?.contains(event.target as Node)) latest.current();
    };
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      event.preventDefault();
      latest.current();
    };
    document.addEventListener('pointerdown', onPointer);
    document.addEventListener('keydown', onKey, true);
    return () => {
      document.removeEventListener('pointerdown', onPointer);
      document.removeEventListener('keydown', onKey, true);
    };
  }, []);
}

/** A component that renders again only when a value of its props is another one. */
export function memo<P extends object>(View: (props: P) => preact.ComponentChild): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const present = this.props as Record<string, unknown>;
      const other = next as Record<string, unknown>;
      for (const name in other) if (other[name] !== present[name]) return true;
      return false;
    }

    render(props: P) {
      return <View {...props} />;
    }
  };
}
