import type { Conversation, Member } from '@pulse-presence/client/chat';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Avatar } from './avatar';
import { keepDraft, readDraft } from './drafts';
import { EmojiPicker } from './emoji';
import { useChat, useDirectory } from './hooks';
import { Icon } from './icons';
import type { ShownMessage } from './rows';
import { texts } from './texts';

const maxLength = 8_000;
const nearLength = 500;
const maxShown = 6;

/** What the composer does beside a plain message. */
export type Purpose =
  | { readonly kind: 'reply'; readonly message: ShownMessage }
  | { readonly kind: 'edit'; readonly message: ShownMessage; /** Default: the message's. */ readonly text?: string };

export interface ComposerProps {
  readonly conversation: Conversation;
  readonly name: string;
  readonly purpose: Purpose | undefined;
  readonly members: readonly Member[];
  readonly onPurpose: (purpose: Purpose | undefined) => void;
  readonly onSend: (text: string, mentions: readonly string[]) => void;
  /** Asked for by the arrow key in an empty field. */
  readonly onEditLast: () => void;
  readonly onNeedMembers: () => void;
}

/** The field for a message. It grows with its text and keeps a draft for each conversation. */
export function Composer({ conversation, name, purpose, members, onPurpose, onSend, onEditLast, onNeedMembers }: ComposerProps) {
  const { me } = useChat();
  const directory = useDirectory();
  const field = useRef<HTMLTextAreaElement>(null);
  const face = useRef<HTMLButtonElement>(null);
  const [draft, setDraft] = useState(() => readDraft(me.userId, conversation.id));
  // Apart from the draft, which waits meanwhile.
  const [edited, setEdited] = useState('');
  const [query, setQuery] = useState<{ readonly from: number; readonly text: string }>();
  const [active, setActive] = useState(0);
  const [picker, setPicker] = useState<HTMLElement>();
  // Names that the user has chosen from the list, with their ids.
  const chosenForDraft = useRef(new Map<string, string>());
  const chosenForEdit = useRef(new Map<string, string>());

  const isEdit = purpose?.kind === 'edit';
  const text = isEdit ? edited : draft;
  const chosen = isEdit ? chosenForEdit : chosenForDraft;
  const candidates = query ? find(members, query.text, me.userId) : [];

  // A reaction to the message changes the object, and is no reason to move the focus.
  const about = [purpose?.kind, purpose?.message.key, purpose?.kind === 'edit' ? purpose.text : undefined];
  // Before the field is shown, which would otherwise have the text of the former edit for a moment.
  useLayoutEffect(() => {
    if (purpose?.kind === 'edit') {
      setEdited(purpose.text ?? purpose.message.text ?? '');
      chosenForEdit.current = new Map(purpose.message.mentions.map((userId) => [directory.nameOf(userId), userId]));
    }
    setQuery(undefined);
  }, about);
  useEffect(() => {
    if (purpose) field.current?.focus();
  }, about);

  useLayoutEffect(() => {
    const element = field.current!;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
  }, [text]);

  const change = (value: string) => {
    if (isEdit) {
      setEdited(value);
    } else {
      setDraft(value);
      keepDraft(me.userId, conversation.id, value);
    }
  };

  const onInput = () => {
    const { value, selectionStart } = field.current!;
    change(value);
    if (value.trim() && !isEdit) conversation.typing();
    const found = /(?:^|\s)@([^\s@]{0,40}(?: [^\s@]{0,40})?)$/u.exec(value.slice(0, selectionStart));
    if (found) {
      onNeedMembers();
      setQuery({ from: selectionStart - found[1]!.length - 1, text: found[1]! });
      setActive(0);
    } else setQuery(undefined);
  };

  const insert = (from: number, to: number, added: string) => {
    const value = text.slice(0, from) + added + text.slice(to);
    change(value);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(from + added.length, from + added.length);
    });
  };

  const mention = (member: Member) => {
    chosen.current.set(member.name, member.userId);
    insert(query!.from, query!.from + query!.text.length + 1, `@${member.name} `);
    setQuery(undefined);
  };

  const send = () => {
    const said = text.trim();
    if (!said || said.length > maxLength) return;
    onSend(said, [...chosen.current].filter(([mentioned]) => said.includes(`@${mentioned}`)).map(([, userId]) => userId).slice(0, 50));
    chosen.current.clear();
    setQuery(undefined);
    if (!isEdit) change('');
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a sign, its keys are its own.
    if (event.isComposing) return;
    if (candidates.length > 0) {
      const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
      if (step !== 0) setActive((active + step + candidates.length) % candidates.length);
      else if (event.key === 'Enter' || event.key === 'Tab') mention(candidates[active]!);
      else if (event.key === 'Escape') setQuery(undefined);
      else return;
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === 'Enter' && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      send();
    } else if (event.key === 'Escape' && purpose) {
      event.stopPropagation();
      onPurpose(undefined);
    } else if (event.key === 'ArrowUp' && text === '' && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      onEditLast();
    }
  };

  const over = text.trim().length - maxLength;
  return (
    <form class="composer" onSubmit={(event) => {
      event.preventDefault();
      event.stopPropagation();
      send();
      field.current?.focus();
    }}>
      {purpose && (
        <div class="purpose">
          <Icon name={isEdit ? 'edit' : 'reply'} />
          <p>
            <b>{isEdit ? texts.editing : texts.replyingTo(directory.nameOf(purpose.message.senderId))}</b>
            <span dir="auto">{purpose.message.text ?? texts.deleted}</span>
          </p>
          <button type="button" class="tool" aria-label={texts.cancel} title={texts.cancel} onClick={() => {
            onPurpose(undefined);
            field.current?.focus();
          }}><Icon name="close" /></button>
        </div>
      )}
      {candidates.length > 0 && (
        <ul class="candidates" id="candidates" role="listbox" aria-label={texts.mentionList}>
          {candidates.map((member, index) => (
            <li key={member.userId} id={`candidate-${index}`} role="option" aria-selected={index === active}
              onPointerDown={(event) => event.preventDefault()} onClick={() => mention(member)}>
              <Avatar name={member.name} picture={member.avatar} size="mini" /><bdi>{member.name}</bdi>
            </li>
          ))}
        </ul>
      )}
      <div class="composer-row">
        <button type="button" class="tool" ref={face} aria-label={texts.emoji} title={texts.emoji} aria-haspopup="dialog" onClick={() => setPicker(face.current!)}>
          <Icon name="smile" />
        </button>
        <textarea ref={field} rows={1} dir="auto" value={text} placeholder={texts.composerPlaceholder(name)} aria-label={texts.composer(name)} title={texts.composerHint}
          enterkeyhint="send" autocomplete="off" spellcheck={true}
          aria-autocomplete="list" aria-controls={candidates.length > 0 ? 'candidates' : undefined}
          aria-activedescendant={candidates.length > 0 ? `candidate-${active}` : undefined}
          onInput={onInput} onKeyDown={onKeyDown} onBlur={() => setQuery(undefined)} />
        <button type="submit" class="send" aria-label={isEdit ? texts.save : texts.send} title={isEdit ? texts.save : texts.send} disabled={!text.trim() || over > 0}>
          <Icon name={isEdit ? 'check' : 'send'} />
        </button>
      </div>
      {over > -nearLength && <p class={over > 0 ? 'count fault' : 'count'} role="status">{over > 0 ? texts.tooLong(over) : texts.left(-over)}</p>}
      {picker && (
        <EmojiPicker anchor={picker} onClose={() => setPicker(undefined)} onPick={(emoji) => {
          setPicker(undefined);
          const at = field.current?.selectionStart ?? text.length;
          insert(at, field.current?.selectionEnd ?? at, emoji);
        }} />
      )}
    </form>
  );
}

function find(members: readonly Member[], query: string, userId: string): readonly Member[] {
  const wanted = query.trim().toLocaleLowerCase();
  return members
    .filter((member) => member.userId !== userId)
    .filter(({ name }) => name.toLocaleLowerCase().split(/\s+/).some((_, at, words) => words.slice(at).join(' ').startsWith(wanted)))
    .slice(0, maxShown);
}
