import { useRef, useState } from 'preact/hooks';
import { Avatar } from './avatar';
import { EmojiPicker, quickEmoji } from './emoji';
import { memo, useChat, useDirectory } from './hooks';
import { Icon } from './icons';
import { isJumbo, partsOf } from './links';
import type { Reaction, ShownMessage } from './rows';
import { texts } from './texts';
import { exactTime, timeOfDay } from './times';

export interface MessageActions {
  reply(message: ShownMessage): void;
  edit(message: ShownMessage): void;
  remove(message: ShownMessage): void;
  react(message: ShownMessage, emoji: string, on: boolean): void;
  retry(message: ShownMessage): void;
  discard(message: ShownMessage): void;
  jump(seq: number): void;
}

export interface MessageProps {
  readonly message: ShownMessage;
  readonly isFirst: boolean;
  readonly isLast: boolean;
  readonly isOwn: boolean;
  readonly isDirect: boolean;
  readonly canWrite: boolean;
  readonly canDelete: boolean;
  readonly isMarked: boolean;
  /** The message that this one answers, undefined until it is known. */
  readonly quote: Quote | undefined;
  /** The line under the newest own message that was seen. */
  readonly seen: string | undefined;
  readonly isSeen: boolean;
  /** Whether the conversation ends with this message. */
  readonly isNewest: boolean;
  readonly actions: MessageActions;
  readonly namesVersion: number;
}

export interface Quote {
  readonly senderId: string;
  readonly text: string | null;
  readonly fromBlocked: boolean;
}

/** A message in its bubble. Its text stays text, so that HTML in it is harmless. */
export const MessageRow = memo(function MessageRow(props: MessageProps) {
  const { message, isFirst, isLast, isOwn, isDirect, isMarked, quote, seen, actions } = props;
  const directory = useDirectory();
  const [isShown, setIsShown] = useState(false);
  // The toolbar exists only where it can be seen, because the buttons of all messages would be stops of the Tab key.
  const [isHovered, setIsHovered] = useState(false);
  const [hasFocus, setHasFocus] = useState(false);
  const sender = directory.find(message.senderId);
  const isHidden = message.fromBlocked && !isDirect && !isOwn && !isShown;
  const classes = ['message', isOwn ? 'own' : 'theirs', isFirst && 'first', isLast && 'last', message.state, message.state === 'waiting' && 'pending', isMarked && 'marked'];
  const isPlain = message.text !== null && !isHidden && message.replyTo === null && isJumbo(message.text);
  return (
    <article class={classes.filter(Boolean).join(' ')} data-key={message.key} tabIndex={props.isNewest ? 0 : -1}
      aria-label={texts.messageFrom(isOwn ? texts.you : sender.name, exactTime(message.sentAtMs))}
      onMouseEnter={() => setIsHovered(true)} onMouseLeave={() => setIsHovered(false)}
      onFocusIn={() => setHasFocus(true)}
      onFocusOut={(event) => setHasFocus(event.currentTarget.contains(event.relatedTarget as Node | null))}>
      {!isOwn && !isDirect && <div class="message-face">{isLast && <Avatar name={sender.name} picture={sender.avatar} size="mini" />}</div>}
      <div class="message-body">
        <div class={isPlain ? 'bubble jumbo' : 'bubble'}>
          {!isOwn && !isDirect && isFirst && <p class={`sender tone-${toneOf(sender.name)}`} aria-hidden="true"><bdi>{sender.name}</bdi></p>}
          {message.replyTo !== null && !isHidden && <QuoteButton quote={quote} isDirect={isDirect} onPress={() => actions.jump(message.replyTo!)} />}
          <div class="content" dir="auto">
          {isHidden ? (
            <p class="faded">{texts.blockedHidden} <button type="button" class="linkish" onClick={() => setIsShown(true)}>{texts.show}</button></p>
          ) : message.text === null ? (
            <p class="faded">{texts.deleted}</p>
          ) : (
            <MessageText text={message.text} mentions={message.mentions} />
          )}
          <Stamp message={message} isOwn={isOwn} isSeen={props.isSeen} />
          </div>
        </div>
        {message.reactions.length > 0 && <Reactions {...props} />}
        {message.state === 'failed' && (
          <div class="failed-note" role="group" aria-label={texts.notSent}>
            <Icon name="warn" />
            <span>{texts.notSent} {texts.failures[message.failure ?? ''] ?? texts.failure}</span>
            <button type="button" class="linkish" onClick={() => actions.retry(message)}>{texts.retry}</button>
            <button type="button" class="linkish" onClick={() => actions.discard(message)}>{texts.discard}</button>
          </div>
        )}
        {message.state === 'waiting' && props.isNewest && (
          <div class="waiting-note">
            <span>{texts.waiting}</span>
            <button type="button" class="linkish" onClick={() => actions.discard(message)}>{texts.discard}</button>
          </div>
        )}
        {seen && <p class="seen"><bdi>{seen}</bdi></p>}
        {(isHovered || hasFocus) && message.seq !== undefined && message.text !== null && !isHidden && <Toolbar {...props} />}
      </div>
    </article>
  );
});

function toneOf(name: string): number {
  let sum = 0;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) % 1021;
  return sum % 6;
}

export function MessageText({ text, mentions }: { readonly text: string; readonly mentions: readonly string[] }) {
  const directory = useDirectory();
  const { me } = useChat();
  const named = mentions.map((userId) => ({ userId, name: directory.nameOf(userId) }));
  return (
    <p class="text">
      {partsOf(text, named).map((part) =>
        part.kind === 'text' ? part.text
        : part.kind === 'link' ? <a href={part.href} target="_blank" rel="noopener noreferrer nofollow"><bdi>{part.text}</bdi></a>
        : <span class={part.userId === me.userId ? 'mention me' : 'mention'}><bdi>{part.text}</bdi></span>)}
    </p>
  );
}

function Stamp({ message, isOwn, isSeen }: { readonly message: ShownMessage; readonly isOwn: boolean; readonly isSeen: boolean }) {
  const words = { stored: isSeen ? texts.seen : texts.sent, pending: texts.sending, waiting: texts.waiting, failed: texts.notSent }[message.state];
  return (
    <span class="stamp">
      {message.editedSeq !== null && message.text !== null && <span>{texts.edited}</span>}
      <time dateTime={new Date(message.sentAtMs).toISOString()} title={exactTime(message.sentAtMs)}>{timeOfDay(message.sentAtMs)}</time>
      {isOwn && message.text !== null && (
        <span class="state" title={words}>
          <Icon name={message.state === 'failed' ? 'warn' : message.state !== 'stored' ? 'clock' : isSeen ? 'checks' : 'check'} />
          <span class="unseen">{words}</span>
        </span>
      )}
    </span>
  );
}

function QuoteButton({ quote, isDirect, onPress }: { readonly quote: Quote | undefined; readonly isDirect: boolean; readonly onPress: () => void }) {
  const directory = useDirectory();
  return (
    <button type="button" class="quote" onClick={onPress} aria-label={quote ? undefined : texts.replyNotLoaded}>
      {quote ? (
        <>
          <span class="quote-name"><bdi>{directory.nameOf(quote.senderId)}</bdi></span>
          <span class="quote-text" dir="auto">{quote.fromBlocked && !isDirect ? texts.blockedHidden : quote.text ?? texts.deleted}</span>
        </>
      ) : <span class="quote-text">{texts.replyNotLoaded}</span>}
    </button>
  );
}

function Reactions({ message, canWrite, actions }: MessageProps) {
  return (
    <ul class="reactions">
      {message.reactions.map(({ emoji, count, mine }: Reaction) => (
        <li key={emoji}>
          <button type="button" aria-pressed={mine} disabled={!canWrite} aria-label={texts.reaction(emoji, count, mine)} onClick={(event) => {
            // The last reaction of its kind takes its button away.
            if (mine && count === 1) event.currentTarget.closest('article')?.focus({ preventScroll: true });
            actions.react(message, emoji, !mine);
          }}>
            <span aria-hidden="true">{emoji}</span> <span aria-hidden="true">{count}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Shown at the message under the pointer or with the focus. */
function Toolbar({ message, isOwn, canWrite, canDelete, actions }: MessageProps) {
  const { toast } = useChat();
  const [picker, setPicker] = useState<HTMLElement>();
  const face = useRef<HTMLButtonElement>(null);
  const react = (emoji: string) => {
    const mine = message.reactions.find((reaction) => reaction.emoji === emoji)?.mine ?? false;
    actions.react(message, emoji, !mine);
    if (!picker) return;
    // The picker has the focus and is removed, and with the focus this toolbar would go too.
    face.current?.closest('article')?.focus({ preventScroll: true });
    setPicker(undefined);
  };
  return (
    <div class="tools" role="group" aria-label={texts.actions}>
      {canWrite && quickEmoji.slice(0, 3).map((emoji) => (
        <button type="button" key={emoji} class="tool quick" aria-label={texts.reactWith(emoji)} title={texts.reactWith(emoji)} onClick={() => react(emoji)}>{emoji}</button>
      ))}
      {canWrite && (
        <button type="button" class="tool" ref={face} data-act="react" aria-haspopup="dialog" aria-label={texts.react} title={texts.react} onClick={() => setPicker(face.current!)}><Icon name="smile" /></button>
      )}
      {canWrite && <button type="button" class="tool" data-act="reply" aria-label={texts.reply} title={texts.reply} onClick={() => actions.reply(message)}><Icon name="reply" /></button>}
      <button type="button" class="tool" aria-label={texts.copy} title={texts.copy} onClick={() => void copy(message.text!).then(() => toast(texts.copied), () => toast(texts.copyFailed, true))}><Icon name="copy" /></button>
      {canWrite && isOwn && <button type="button" class="tool" data-act="edit" aria-label={texts.edit} title={texts.edit} onClick={() => actions.edit(message)}><Icon name="edit" /></button>}
      {canDelete && <button type="button" class="tool danger" data-act="remove" aria-label={texts.remove} title={texts.remove} onClick={() => actions.remove(message)}><Icon name="trash" /></button>}
      {picker && <EmojiPicker anchor={picker} onPick={react} onClose={() => setPicker(undefined)} />}
    </div>
  );
}

// Rejects where the browser forbids it, as in a page over plain HTTP, which lacks `clipboard`.
async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
}
