import type { Conversation, Member } from '@pulse-presence/client/chat';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { Avatar } from './avatar';
import { cancelSave, keepDraft, keepPurpose, readDraft, savedPurpose, subscribeDrafts, type Purpose, type Words } from './drafts';
import { EmojiPicker } from './emoji';
import { useChat, useDirectory, useStore } from './hooks';
import { Icon } from './icons';
import { texts } from './texts';

const maxLength = 8_000;
const nearLength = 500;
const announcedSteps = [500, 100, 20, 0] as const;
const maxShown = 6;

export interface ComposerProps {
  readonly conversation: Conversation;
  readonly name: string;
  readonly purpose: Purpose | undefined;
  /** Whether messages are sent at once. */
  readonly isLive: boolean;
  readonly members: readonly Member[];
  readonly onSend: (text: string, mentions: readonly string[]) => void;
  /** Asked for by the arrow key in an empty field. */
  readonly onEditLast: () => void;
  readonly onNeedMembers: () => void;
}

/** The field for a message. It grows with its text and keeps a draft for each conversation. */
export function Composer({ conversation, name, purpose, isLive, members, onSend, onEditLast, onNeedMembers }: ComposerProps) {
  const { me } = useChat();
  const directory = useDirectory();
  const field = useRef<HTMLTextAreaElement>(null);
  const face = useRef<HTMLButtonElement>(null);
  const draft = useStore(subscribeDrafts, () => readDraft(me.userId, conversation.id));
  const saved = useStore(subscribeDrafts, () => savedPurpose(conversation.id));
  const [query, setQuery] = useState<{ readonly from: number; readonly text: string }>();
  const [active, setActive] = useState(0);
  const [picker, setPicker] = useState<HTMLElement>();

  const isEdit = purpose?.kind === 'edit';
  const isSaving = isEdit && saved !== undefined && saved === draft.purpose;
  const { text, chosen } = isEdit ? draft.edit : draft.message;
  const candidates = query ? find(members, query.text, me.userId) : [];

  // The key stands for the message, because a reaction replaces the object and must leave the focus where it is.
  const about = [purpose?.kind, purpose?.message.key];
  useLayoutEffect(() => setQuery(undefined), about);
  // The focus moves only for an edit or answer that begins after the field was rendered.
  const isFirst = useRef(true);
  useEffect(() => {
    if (purpose && !isFirst.current) field.current?.focus();
    isFirst.current = false;
  }, about);

  useLayoutEffect(() => {
    const element = field.current!;
    const row = element.parentElement!;
    // The row keeps its height while the field is measured. Otherwise the list above grows for a moment, and the browser moves its view.
    row.style.minHeight = `${row.offsetHeight}px`;
    element.style.height = 'auto';
    element.style.height = `${element.scrollHeight + 2}px`;
    row.style.minHeight = '';
  }, [text]);

  const change = (change: Partial<Words>) => {
    const present = readDraft(me.userId, conversation.id);
    keepDraft(me.userId, conversation.id, isEdit ? { edit: { ...present.edit, ...change } } : { message: { ...present.message, ...change } });
  };
  const cancel = () => {
    if (isSaving) cancelSave(conversation.id);
    else keepPurpose(me.userId, conversation.id, undefined);
  };

  const onInput = () => {
    const { value, selectionStart } = field.current!;
    change({ text: value });
    if (value.trim() && !isEdit) conversation.typing();
    const found = /(?:^|\s)@([^\s@]{0,40}(?: [^\s@]{0,40})?)$/u.exec(value.slice(0, selectionStart));
    if (found) {
      onNeedMembers();
      setQuery({ from: selectionStart - found[1]!.length - 1, text: found[1]! });
      setActive(0);
    } else setQuery(undefined);
  };

  const insert = (from: number, to: number, added: string) => {
    change({ text: text.slice(0, from) + added + text.slice(to) });
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(from + added.length, from + added.length);
    });
  };

  const mention = (member: Member) => {
    change({ chosen: [...chosen.filter(([known]) => known !== member.name), [member.name, member.userId]] });
    insert(query!.from, query!.from + query!.text.length + 1, `@${member.name} `);
    setQuery(undefined);
  };

  const send = () => {
    const said = text.trim();
    if (!said || said.length > maxLength || isSaving) return;
    onSend(said, chosen.filter(([mentioned]) => said.includes(`@${mentioned}`)).map(([, userId]) => userId).slice(0, 50));
    setQuery(undefined);
    if (!isEdit) change({ text: '', chosen: [] });
  };

  const onKeyDown = (event: KeyboardEvent) => {
    // While an input method composes a sign, its keys are its own. Safari ends the composing before the Enter that confirms it, whose code is
    // the input method's.
    if (event.isComposing || event.keyCode === 229) return;
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
      cancel();
    } else if (event.key === 'ArrowUp' && text === '' && !event.altKey && !event.shiftKey) {
      event.preventDefault();
      onEditLast();
    }
  };

  const over = text.trim().length - maxLength;
  const lengthWords = over > 0 ? texts.tooLong(over) : texts.left(-over);
  // Screen readers hear of a few steps only, because they would read each number between two letters.
  const step = announcedSteps.filter((left) => -over < left).length;
  const announcedLength = useMemo(() => (step === 0 ? '' : lengthWords), [step]);
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
            <span dir="auto">{purpose.message.fromBlocked ? texts.blockedHidden : purpose.message.text ?? texts.deleted}</span>
          </p>
          <button type="button" class="tool" aria-label={texts.cancel} title={texts.cancel} onClick={() => {
            cancel();
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
          enterkeyhint="send" autocomplete="off" spellcheck={true} readOnly={isSaving}
          aria-autocomplete="list" aria-controls={candidates.length > 0 ? 'candidates' : undefined}
          aria-activedescendant={candidates.length > 0 ? `candidate-${active}` : undefined}
          onInput={onInput} onKeyDown={onKeyDown} onBlur={() => setQuery(undefined)} />
        <button type="submit" class="send" aria-label={isEdit ? texts.save : texts.send} title={isEdit ? texts.save : texts.send} disabled={!text.trim() || over > 0 || isSaving}>
          <Icon name={isEdit ? 'check' : 'send'} />
        </button>
      </div>
      {isSaving && <p class="count" role="status">{isLive ? texts.saving : texts.savingLater}</p>}
      {over > -nearLength && <p class={over > 0 ? 'count fault' : 'count'} aria-hidden="true">{lengthWords}</p>}
      <p class="unseen" role="status">{announcedLength}</p>
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
