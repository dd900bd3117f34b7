import type { Role } from '@pulse-presence/client/chat';
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Person } from './api';
import { ConversationAvatar, PresentAvatar } from './avatar';
import { nameOf, useMembers } from './conversation';
import { Dialog } from './dialog';
import { explain } from './failures';
import { useChat, useStore } from './hooks';
import { Icon, type IconName } from './icons';
import { PeoplePicker, usePeople } from './people';
import { texts } from './texts';

const roles: readonly Role[] = ['owner', 'moderator', 'member', 'reader'];
const firstShown = 100;

/** Members, roles, and what the user can do with a conversation. */
export function Details({ id, isNew, onClose }: {
  readonly id: string;
  /** Set when the user has just opened them: only then they take the focus. */
  readonly isNew: { current: boolean };
  readonly onClose: () => void;
}) {
  const { pulse, me, go, toast, ask } = useChat();
  const conversation = pulse.conversation(id);
  const { item, role: openRole } = useStore(conversation.subscribe, conversation.getSnapshot);
  const { members, hasFailed, reload } = useMembers(conversation, item);
  const [shown, setShown] = useState(firstShown);
  const [isAdding, setIsAdding] = useState(false);
  const [isRenaming, setIsRenaming] = useState(false);
  const [title, setTitle] = useState('');
  const [, refresh] = useState({});
  const head = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isNew.current) head.current?.focus({ preventScroll: true });
    isNew.current = false;
  }, []);
  const titleField = useRef<HTMLInputElement>(null);
  const wasRenaming = useRef(false);
  // The pressed button goes and comes with the form.
  useEffect(() => {
    if (isRenaming) titleField.current?.select();
    else if (wasRenaming.current) document.querySelector<HTMLElement>('[data-act=rename]')?.focus();
    wasRenaming.current = isRenaming;
  }, [isRenaming]);
  if (!item) return null;

  const name = nameOf(item);
  const role = openRole ?? item.you.role;
  const isOwner = role === 'owner';
  const leads = (isOwner || role === 'moderator') && item.kind !== 'direct' && !item.closedAt;
  const run = (work: Promise<unknown>, after?: () => void) => void work.then(() => after?.(), (error: unknown) => toast(explain(error), true));
  const other = item.other;
  const isBlocked = other !== undefined && pulse.conversations.isBlocked(other.userId);

  return (
    <aside class="details" aria-label={texts.details} onKeyDown={(event) => {
      if (event.key === 'Escape' && !(event.target as HTMLElement).closest('dialog')) onClose();
    }}>
      <header class="details-head">
        <h2 ref={head} tabIndex={-1}>{texts.detailsTitle}</h2>
        <button type="button" class="tool" aria-label={texts.close} title={texts.close} onClick={onClose}><Icon name="close" /></button>
      </header>
      <div class="details-body">
        <div class="details-top">
          <ConversationAvatar item={item} size="large" />
          {isRenaming ? (
            <form class="rename" onSubmit={(event) => {
              event.preventDefault();
              event.stopPropagation();
              if (title.trim()) run(conversation.rename(title.trim()), () => setIsRenaming(false));
            }}>
              <input type="text" aria-label={texts.name} maxLength={200} value={title} ref={titleField} onInput={(event) => setTitle(event.currentTarget.value)} />
              <button class="small">{texts.save}</button>
              <button type="button" class="small quiet" onClick={() => setIsRenaming(false)}>{texts.cancel}</button>
            </form>
          ) : <p class="details-name"><bdi>{name}</bdi></p>}
          <p class="note">{texts.kinds[item.kind]}{item.kind !== 'direct' && ` · ${texts.roles[role] ?? role}`}</p>
        </div>
        <div class="details-actions">
          <Action icon="mute" text={item.you.muted ? texts.unmute : texts.mute} onPress={() => run(conversation.mute(!item.you.muted))} />
          {leads && !isRenaming && <Action icon="edit" act="rename" text={texts.rename} onPress={() => {
            setTitle(item.title ?? '');
            setIsRenaming(true);
          }} />}
          {other && <Action icon="ban" text={isBlocked ? texts.unblock(other.name) : texts.block(other.name)} danger={!isBlocked} onPress={() => (isBlocked
            ? run(pulse.conversations.unblock(other.userId), () => refresh({}))
            : ask({ title: texts.blockTitle(other.name), hint: texts.blockHint, action: texts.block(other.name), run: () => run(pulse.conversations.block(other.userId), () => refresh({})) }))} />}
          {item.kind !== 'direct' && <Action icon="leave" text={texts.leave} danger onPress={() => ask({
            title: texts.leaveTitle, hint: texts.leaveHint, action: texts.leave, run: () => run(conversation.leave(), () => go(undefined)),
          })} />}
          {isOwner && item.kind !== 'direct' && !item.closedAt && <Action icon="close" text={texts.closeConversation} danger onPress={() => ask({
            title: texts.closeTitle, hint: texts.closeHint, action: texts.closeConversation, run: () => run(conversation.close()),
          })} />}
        </div>
        {leads && (
          <label class="check">
            <input type="checkbox" checked={item.newcomersSee === 'all'} onChange={(event) => run(conversation.setNewcomersSee(event.currentTarget.checked ? 'all' : 'since-joining'))} />
            {texts.newcomersSeeAll}
          </label>
        )}
        {item.kind !== 'direct' && (
          <section aria-labelledby="members-title">
            <div class="details-line">
              <h3 id="members-title">{texts.membersTitle} {members.length > 0 && <span class="note">{members.length}</span>}</h3>
              {leads && <button type="button" class="small quiet" onClick={() => setIsAdding(true)}>{texts.addPeople}</button>}
            </div>
            <ul class="members">
              {members.slice(0, shown).map((member) => {
                const isMe = member.userId === me.userId;
                const canRemove = leads && !isMe && (isOwner || member.role === 'member' || member.role === 'reader');
                return (
                  <li key={member.userId}>
                    <PresentAvatar userId={member.userId} name={member.name} picture={member.avatar} size="mid" />
                    <span class="member-name">
                      <bdi>{member.name}</bdi>
                      {isOwner && !isMe && !item.closedAt ? (
                        <select aria-label={texts.roleOf(member.name)} value={member.role} onChange={(event) =>
                          run(conversation.setRole(member.userId, event.currentTarget.value as Role), () => void reload())}>
                          {roles.map((value) => <option key={value} value={value}>{texts.roles[value]}</option>)}
                        </select>
                      ) : <small>{texts.roles[member.role] ?? member.role}{isMe && ` · ${texts.you}`}</small>}
                    </span>
                    {!isMe && <button type="button" class="tool" aria-label={texts.messageMember(member.name)} title={texts.messageMember(member.name)} onClick={() =>
                      run(pulse.conversations.create({ kind: 'direct', members: [member.userId] }).then(({ id: direct }) => go(direct)))}><Icon name="send" /></button>}
                    {canRemove && <button type="button" class="tool danger" aria-label={texts.removeMemberNamed(member.name)} title={texts.removeMember} onClick={() => ask({
                      title: texts.removeTitle(member.name), hint: texts.removeHint, action: texts.removeMember,
                      run: () => run(conversation.remove(member.userId), () => void reload()),
                    })}><Icon name="close" /></button>}
                  </li>
                );
              })}
            </ul>
            {members.length > shown && <button type="button" class="small quiet" onClick={() => setShown(shown + firstShown)}>{texts.moreResults}</button>}
            {hasFailed && <p class="note" role="status">{texts.membersFailed} <button type="button" class="linkish" onClick={() => void reload()}>{texts.retry}</button></p>}
          </section>
        )}
      </div>
      {isAdding && <AddPeople known={members.map(({ userId }) => userId)} onClose={() => setIsAdding(false)} onAdd={(people) => {
        setIsAdding(false);
        run(Promise.all(people.map(({ userId }) => conversation.add(userId))), () => void reload());
      }} />}
    </aside>
  );
}

function Action({ icon, text, act, danger, onPress }: { readonly icon: IconName; readonly text: string; readonly act?: string; readonly danger?: boolean; readonly onPress: () => void }) {
  return <button type="button" data-act={act} class={danger ? 'action danger' : 'action'} onClick={onPress}><Icon name={icon} /><bdi>{text}</bdi></button>;
}

function AddPeople({ known, onAdd, onClose }: { readonly known: readonly string[]; readonly onAdd: (people: readonly Person[]) => void; readonly onClose: () => void }) {
  const [chosen, setChosen] = useState<readonly Person[]>([]);
  const { people, hasFailed, reload } = usePeople();
  return (
    <Dialog title={texts.addPeople} onClose={onClose}>
      <PeoplePicker people={people?.filter(({ userId }) => !known.includes(userId))} hasFailed={hasFailed} reload={reload} chosen={chosen} single={false} onChoose={setChosen} />
      <div class="dialog-actions"><button type="button" class="small" disabled={chosen.length === 0} onClick={() => onAdd(chosen)}>{texts.add}</button></div>
    </Dialog>
  );
}
