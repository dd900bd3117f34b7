import type { Channel, ConversationKind } from '@pulse-presence/client/chat';
import { useEffect, useState } from 'preact/hooks';
import type { Person } from './api';
import { Dialog } from './dialog';
import { codeOf, explain } from './failures';
import { useChat } from './hooks';
import { Icon } from './icons';
import { PeoplePicker, usePeople } from './people';
import { texts } from './texts';

const kinds: readonly (readonly [ConversationKind, string])[] = [['direct', texts.newDirect], ['group', texts.newGroup], ['channel', texts.newChannel]];

export function NewConversation({ onClose }: { readonly onClose: () => void }) {
  const { pulse, go } = useChat();
  const [kind, setKind] = useState<ConversationKind>('direct');
  const [title, setTitle] = useState('');
  const [chosen, setChosen] = useState<readonly Person[]>([]);
  const [seesAll, setSeesAll] = useState(true);
  const [fault, setFault] = useState('');
  const [isBusy, setIsBusy] = useState(false);
  const { people, hasFailed, reload } = usePeople();

  const create = async (members: readonly Person[]) => {
    if (kind !== 'direct' && !title.trim()) return setFault(texts.nameMissing);
    if (kind !== 'channel' && members.length === 0) return setFault(texts.peopleMissing);
    setFault('');
    setIsBusy(true);
    try {
      const item = await pulse.conversations.create({
        kind,
        members: members.map(({ userId }) => userId),
        ...(kind === 'direct' ? undefined : { title: title.trim(), newcomersSee: seesAll ? 'all' as const : 'since-joining' as const }),
      });
      onClose();
      go(item.id);
    } catch (error) {
      setFault(explain(error));
      setIsBusy(false);
    }
  };

  return (
    <Dialog title={texts.newTitle} onClose={onClose}>
      <form class="dialog-form" onSubmit={(event) => {
        event.preventDefault();
        event.stopPropagation();
        void create(chosen);
      }}>
        <fieldset class="kinds">
          <legend class="unseen">{texts.newKindLabel}</legend>
          {kinds.map(([value, label]) => (
            <label key={value}>
              <input type="radio" name="kind" value={value} checked={kind === value} onChange={() => {
                setKind(value);
                setFault('');
                if (value === 'direct') setChosen(chosen.slice(0, 1));
              }} />
              <span>{label}</span>
            </label>
          ))}
        </fieldset>
        <p class="note">{texts.kindHints[kind]}</p>
        {kind !== 'direct' && (
          <label class="field">{texts.nameOf[kind]}<input type="text" maxLength={200} value={title} autocomplete="off" onInput={(event) => setTitle(event.currentTarget.value)} /></label>
        )}
        <PeoplePicker people={people} hasFailed={hasFailed} reload={reload} chosen={chosen} single={kind === 'direct'} onChoose={(next) => {
          setChosen(next);
          // For a direct conversation, the choice of the person is all there is to say.
          if (kind === 'direct' && next.length > 0 && !isBusy) void create(next);
        }} />
        {kind !== 'direct' && (
          <label class="check"><input type="checkbox" checked={seesAll} onChange={(event) => setSeesAll(event.currentTarget.checked)} />{texts.newcomersSeeAll}</label>
        )}
        {fault && <p class="fault" role="alert">{fault}</p>}
        {kind !== 'direct' && (
          <div class="dialog-actions"><button class="small" disabled={isBusy}>{texts.create}</button></div>
        )}
      </form>
    </Dialog>
  );
}

export function ChannelBrowser({ onClose }: { readonly onClose: () => void }) {
  const { pulse, go } = useChat();
  const [query, setQuery] = useState('');
  const [found, setFound] = useState<{ readonly query: string; readonly items: readonly Channel[]; readonly after: string | null }>();
  const channels = found?.items;
  const [fault, setFault] = useState('');

  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      pulse.conversations.channels(query.trim() || undefined).then(
        (page) => {
          if (isCurrent) {
            setFound({ query, ...page });
            setFault('');
          }
        },
        (error: unknown) => {
          if (isCurrent) setFault(codeOf(error) === 'not-found' ? texts.channelsUnavailable : texts.channelsFailed);
        },
      );
    }, query ? 200 : 0);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [query]);

  const more = async (begun: NonNullable<typeof found>) => {
    try {
      const { items, after } = await pulse.conversations.channels(begun.query.trim() || undefined, begun.after!);
      setFound((present) => (present === begun ? { ...begun, items: [...begun.items, ...items], after } : present));
    } catch {
      setFault(texts.channelsFailed);
    }
  };

  const join = async (channel: Channel) => {
    try {
      await pulse.conversations.join(channel.id);
      onClose();
      go(channel.id);
    } catch (error) {
      setFault(explain(error));
    }
  };

  return (
    <Dialog title={texts.channelsTitle} onClose={onClose}>
      <div class="picker">
        <div class="search">
          <Icon name="search" />
          <input type="text" autocomplete="off" value={query} placeholder={texts.findChannels} aria-label={texts.findChannels} onInput={(event) => setQuery(event.currentTarget.value)} />
        </div>
        <ul class="picker-list">
          {(channels ?? []).map((channel) => (
            <li key={channel.id} class="channel">
              <span class="avatar square mid" aria-hidden="true"><Icon name="hash" /></span>
              <span class="channel-name"><bdi>{channel.title}</bdi>{typeof channel['members'] === 'number' && <small>{texts.members(channel['members'])}</small>}</span>
              <button type="button" class="small quiet" onClick={() => void join(channel)}>{texts.join}<span class="unseen"> {channel.title}</span></button>
            </li>
          ))}
        </ul>
        {found?.after && <button type="button" class="small quiet" onClick={() => void more(found)}>{texts.moreResults}</button>}
        <p class="note" role="status">{fault || (channels === undefined ? texts.searching : channels.length === 0 && !found?.after ? (query ? texts.noMatches(query) : texts.noChannels) : '')}</p>
      </div>
    </Dialog>
  );
}
