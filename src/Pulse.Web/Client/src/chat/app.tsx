import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Person } from './api';
import { ConversationView } from './conversation';
import { Details } from './details';
import { Confirm, Help } from './dialog';
import type { Directory } from './directory';
import { ChatProvider, useChat, usePulseState, useStore, type Chat, type Question } from './hooks';
import { Icon } from './icons';
import { ChannelBrowser, NewConversation } from './new-conversation';
import type { ChatPulse } from './pulse';
import { Sidebar } from './sidebar';
import { texts } from './texts';

interface Place {
  readonly id: string | undefined;
  readonly seq: number | undefined;
  /** Counts the visits, because a search hit can be pressed twice. */
  readonly turn: number;
}

const toastMs = 5_000;

/** The whole page. Its place is in the address: `#conversation` or `#conversation/seq`. */
export function App({ pulse, directory, me }: { readonly pulse: ChatPulse; readonly directory: Directory; readonly me: Person }) {
  const [place, setPlace] = useState(readPlace);
  const [dialog, setDialog] = useState<'new' | 'channels' | 'help'>();
  const [question, setQuestion] = useState<Question>();
  const [areDetailsOpen, setAreDetailsOpen] = useState(false);
  const [toast, setToast] = useState<{ readonly text: string; readonly isBad: boolean }>();
  const live = useRef<HTMLDivElement>(null);
  const areDetailsNew = useRef(false);

  const chat = useMemo<Chat>(() => ({
    pulse,
    directory,
    me,
    // A new element for each text, because a region is silent about a text that it had before.
    say: (text) => {
      const line = document.createElement('p');
      line.textContent = text;
      while (live.current!.childElementCount > 4) live.current!.firstElementChild!.remove();
      live.current!.append(line);
    },
    toast: (text, isBad = false) => setToast({ text, isBad }),
    go: (id, seq) => {
      const hash = id ? `#${id}${seq === undefined ? '' : `/${seq}`}` : '';
      const former = readPlace().id;
      if (location.hash !== hash) history.pushState(null, '', location.pathname + location.search + hash);
      setPlace(readPlace());
      if (!id) setAreDetailsOpen(false);
      requestAnimationFrame(() => focusPlace(id, former));
    },
    ask: setQuestion,
  }), [pulse]);

  // Before the browser goes on: a move between the first reading and an effect would be missed.
  useLayoutEffect(() => {
    const onMove = () => setPlace(readPlace());
    window.addEventListener('popstate', onMove);
    window.addEventListener('hashchange', onMove);
    return () => {
      window.removeEventListener('popstate', onMove);
      window.removeEventListener('hashchange', onMove);
    };
  }, []);
  useEffect(() => {
    if (!toast) return undefined;
    const timer = setTimeout(() => setToast(undefined), toastMs);
    return () => clearTimeout(timer);
  }, [toast]);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === 'k') {
        event.preventDefault();
        document.getElementById('chat-search')?.focus();
      } else if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
        event.preventDefault();
        const { items } = pulse.conversations.getSnapshot();
        const at = items.findIndex(({ id }) => id === readPlace().id);
        const next = items[at < 0 ? 0 : at + (event.key === 'ArrowDown' ? 1 : -1)];
        if (next) chat.go(next.id);
      }
    };
    document.addEventListener('keydown', onKey);
    return () => document.removeEventListener('keydown', onKey);
  }, [chat]);
  useTitle(pulse);
  useNames(pulse, directory);

  const classes = ['chat', place.id ? 'has-talk' : 'has-list', areDetailsOpen && place.id ? 'has-details' : ''].join(' ').trim();
  return (
    <ChatProvider value={chat}>
      <div class={classes}>
        {/* A narrow window hides the list or the conversation, and with it a heading that would stand there. */}
        <h1 class="unseen">{texts.title}</h1>
        <Banner />
        <Sidebar openId={place.id} onNew={() => setDialog('new')} onChannels={() => setDialog('channels')} onHelp={() => setDialog('help')} />
        {place.id
          ? <ConversationView key={place.id} id={place.id} seq={place.seq} turn={place.turn} areDetailsOpen={areDetailsOpen} onDetails={() => {
            areDetailsNew.current = !areDetailsOpen;
            setAreDetailsOpen(!areDetailsOpen);
          }} />
          : <Nothing onNew={() => setDialog('new')} />}
        {place.id && areDetailsOpen && <Details key={place.id} id={place.id} isNew={areDetailsNew} onClose={() => {
          setAreDetailsOpen(false);
          requestAnimationFrame(() => document.querySelector<HTMLElement>('[data-act=details]')?.focus());
        }} />}
      </div>
      {dialog === 'new' && <NewConversation onClose={() => setDialog(undefined)} />}
      {dialog === 'channels' && <ChannelBrowser onClose={() => setDialog(undefined)} />}
      {dialog === 'help' && <Help onClose={() => setDialog(undefined)} />}
      {question && <Confirm question={question} onClose={() => setQuestion(undefined)} />}
      <div class="toasts" role="status">{toast && <p class={toast.isBad ? 'toast bad' : 'toast'}>{toast.text}</p>}</div>
      <div class="unseen" ref={live} aria-live="polite" aria-atomic="false" id="chat-live" />
    </ChatProvider>
  );
}

/** Where the keyboard goes on. In a narrow window the element that had the focus is hidden now. */
function focusPlace(id: string | undefined, former: string | undefined): void {
  const find = (selector: string) => document.querySelector<HTMLElement>(selector);
  // On a touch screen the field would open the keyboard.
  const isTouch = matchMedia('(pointer: coarse)').matches;
  if (id && !isTouch) find('.composer textarea')?.focus();
  else if (document.activeElement?.checkVisibility() && document.activeElement !== document.body) return;
  else if (id) find('.talk-title h2')?.focus();
  else ((former && find(`.entry[href="#${former}"]`)) || find('#chat-search'))?.focus();
}

let turns = 0;

function readPlace(): Place {
  const [id, seq] = location.hash.slice(1).split('/');
  const isId = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id ?? '');
  return { id: isId ? id!.toLowerCase() : undefined, seq: isId && /^\d{1,15}$/.test(seq ?? '') ? Number(seq) : undefined, turn: ++turns };
}

/** Explains a lost connection, and offers the user the next step. */
function Banner() {
  const { pulse } = useChat();
  const state = usePulseState();
  const isLate = useLate(state.name === 'connecting', 2_000);
  const isOnline = useStore(onNetwork, () => navigator.onLine);
  const text =
    !isOnline && state.name !== 'ended' ? texts.offline
    : state.name === 'reconnecting' ? texts.reconnecting
    : state.name === 'connecting' && isLate ? texts.connecting
    : state.name === 'ended' ? (state.reason === 'too-many-connections' ? texts.tooManyTabs : state.reason === 'replaced' ? texts.replacedTab : texts.ended)
    : '';
  return (
    <div class="banner-box" role="status">
      {text && (
        <p class="banner" data-state={state.name}>
          <Icon name="warn" /><span>{text}</span>
          {state.name === 'ended' && <button type="button" class="small" onClick={() => pulse.start()}>{texts.reconnect}</button>}
        </p>
      )}
    </div>
  );
}

/** The browser says so before the connection notices it. */
function onNetwork(listener: () => void): () => void {
  window.addEventListener('online', listener);
  window.addEventListener('offline', listener);
  return () => {
    window.removeEventListener('online', listener);
    window.removeEventListener('offline', listener);
  };
}

/** Whether the condition has held for so long. Short waits stay invisible. */
function useLate(condition: boolean, ms: number): boolean {
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    setIsLate(false);
    if (!condition) return undefined;
    const timer = setTimeout(() => setIsLate(true), ms);
    return () => clearTimeout(timer);
  }, [condition]);
  return condition && isLate;
}

function Nothing({ onNew }: { readonly onNew: () => void }) {
  const { pulse } = useChat();
  const isNew = useStore(pulse.conversations.subscribe, () => {
    const { state, items } = pulse.conversations.getSnapshot();
    return state === 'ready' && items.length === 0;
  });
  return (
    <section class="talk blank">
      <svg class="flat" viewBox="0 0 120 24" aria-hidden="true"><path d="M0 12h44l4-7 6 14 4-7h62" /></svg>
      <h2>{isNew ? texts.welcome : texts.pickOne}</h2>
      <p class="note">{isNew ? texts.welcomeHint : texts.pickOneHint}</p>
      <button type="button" class="small" onClick={onNew}>{texts.newConversation}</button>
    </section>
  );
}

// The server's title has the integrator's name for Pulse.
const pageTitle = document.title;

/** The number of unread messages in the title of the tab. */
function useTitle(pulse: ChatPulse): void {
  const unread = useStore(pulse.conversations.subscribe, () => pulse.conversations.getSnapshot().unread.messages);
  useEffect(() => {
    document.title = unread > 0 ? `(${unread > 99 ? '99+' : unread}) ${pageTitle}` : pageTitle;
  }, [unread]);
}

/** The names of the other users of direct conversations. */
function useNames(pulse: ChatPulse, directory: Directory): void {
  const items = useStore(pulse.conversations.subscribe, () => pulse.conversations.getSnapshot().items);
  useEffect(() => directory.learn(items.flatMap(({ other }) => other ?? [])), [items]);
}
