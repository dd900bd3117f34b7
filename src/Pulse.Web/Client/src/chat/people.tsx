import { useEffect, useState } from 'preact/hooks';
import { listPeople, type Person } from './api';
import { PresentAvatar } from './avatar';
import { useChat } from './hooks';
import { Icon } from './icons';
import { texts } from './texts';

/** The people of the site's list, and the other users of the loaded direct conversations. */
export function usePeople() {
  const { pulse, directory, me } = useChat();
  const [people, setPeople] = useState<readonly Person[]>();
  const [hasFailed, setHasFailed] = useState(false);
  useEffect(() => {
    const known = new Map<string, Person>();
    for (const { other } of pulse.conversations.getSnapshot().items) if (other) known.set(other.userId, other);
    listPeople().then((listed) => {
      for (const person of listed) known.set(person.userId, person);
    }, () => setHasFailed(true)).finally(() => {
      known.delete(me.userId);
      directory.learn(known.values());
      setPeople([...known.values()].sort((a, b) => a.name.localeCompare(b.name)));
    });
  }, []);
  return { people, hasFailed };
}

/** A field that filters people, the chosen ones, and the list. */
export function PeoplePicker({ people, hasFailed, chosen, single, onChoose }: {
  readonly people: readonly Person[] | undefined;
  readonly hasFailed: boolean;
  readonly chosen: readonly Person[];
  readonly single: boolean;
  readonly onChoose: (chosen: readonly Person[]) => void;
}) {
  const [query, setQuery] = useState('');
  const wanted = query.trim().toLocaleLowerCase();
  const shown = (people ?? []).filter(({ name }) => name.toLocaleLowerCase().includes(wanted));
  const toggle = (person: Person) => {
    const has = chosen.some(({ userId }) => userId === person.userId);
    onChoose(has ? chosen.filter(({ userId }) => userId !== person.userId) : single ? [person] : [...chosen, person]);
  };
  return (
    <div class="picker">
      <div class="search">
        <Icon name="search" />
        <input type="text" autocomplete="off" value={query} placeholder={texts.findPeople} aria-label={texts.findPeople} onInput={(event) => setQuery(event.currentTarget.value)} />
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
