import { useCallback, useEffect, useState } from 'preact/hooks';
import { listPeople, type Person } from './api';
import { PresentAvatar } from './avatar';
import { useChat } from './hooks';
import { Icon } from './icons';
import { texts } from './texts';

const askAgainMs = 1_500;

/** The people of the site's list, and the other users of the loaded direct conversations. */
export function usePeople() {
  const { pulse, directory, me } = useChat();
  const [people, setPeople] = useState<readonly Person[]>();
  const [hasFailed, setHasFailed] = useState(false);
  const reload = useCallback(() => {
    const known = new Map<string, Person>();
    for (const { other } of pulse.conversations.getSnapshot().items) if (other) known.set(other.userId, other);
    listPeople().then((listed) => {
      for (const person of listed) known.set(person.userId, person);
      setHasFailed(false);
    }, () => setHasFailed(true)).finally(() => {
      known.delete(me.userId);
      directory.learn(known.values());
      setPeople([...known.values()].sort((a, b) => a.name.localeCompare(b.name)));
    });
  }, []);
  useEffect(reload, []);
  return { people, hasFailed, reload };
}

/** A field that filters people, the chosen ones, and the list. */
export function PeoplePicker({ people, hasFailed, reload, chosen, single, onChoose }: {
  readonly people: readonly Person[] | undefined;
  readonly hasFailed: boolean;
  readonly reload: () => void;
  readonly chosen: readonly Person[];
  readonly single: boolean;
  readonly onChoose: (chosen: readonly Person[]) => void;
}) {
  const [query, setQuery] = useState('');
  const wanted = query.trim().toLocaleLowerCase();
  const shown = (people ?? []).filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  // The list is as old as the dialog, and the server's is some seconds old, so a user that has just signed in for the first time is missing.
  const isMissing = people !== undefined && (hasFailed || (wanted !== '' && shown.length === 0));
  useEffect(() => {
    if (!isMissing) return undefined;
    const timer = setInterval(reload, askAgainMs);
    return () => clearInterval(timer);
  }, [isMissing]);
  const toggle = (person: Person) => {
    const has = chosen.some(({ userId }) => userId === person.userId);
    onChoose(has ? chosen.filter(({ userId }) => userId !== person.userId) : single ? [person] : [...chosen, person]);
  };
  // Enter would submit the form around the field, and create the conversation before the user has chosen all its members.
  const onEnter = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    const [person] = shown;
    if (shown.length !== 1 || !person || chosen.some(({ userId }) => userId === person.userId)) return;
    toggle(person);
    setQuery('');
  };
  return (
    <div class="picker">
      <div class="search">
        <Icon name="search" />
        <input type="text" autocomplete="off" value={query} placeholder={texts.findPeople} aria-label={texts.findPeople} onInput={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={onEnter} />
      </div>
      {!single && chosen.length > 0 && (
        <ul class="chips">
          {chosen.map((person) => (
            <li key={person.userId}><button type="button" aria-label={texts.removePerson(person.name)} onClick={() => toggle(person)}><bdi>{person.name}</bdi><Icon name="close" /></button></li>
          ))}
        </ul>
      )}
      <ul class="picker-list">
        {shown.map((person) => {
          const isChosen = chosen.some(({ userId }) => userId === person.userId);
          return (
            <li key={person.userId}>
              <button type="button" class="pick" aria-pressed={isChosen} onClick={() => toggle(person)}>
                <PresentAvatar userId={person.userId} name={person.name} picture={person.avatar} size="mid" />
                <bdi>{person.name}</bdi>
                {isChosen && <Icon name="check" />}
              </button>
            </li>
          );
        })}
      </ul>
      <p class="note" role="status">
        {people === undefined ? texts.searching : hasFailed ? texts.peopleFailed : people.length === 0 ? texts.noPeople : shown.length === 0 ? texts.noPeopleFor(query.trim()) : ''}
      </p>
    </div>
  );
}
