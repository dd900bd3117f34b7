import { Inbox } from '@/components/inbox';
import { People } from '@/components/people';
import { everyone } from '@/lib/people';
import { idsOf, me } from '@/lib/pulse';

export default async function Dashboard() {
  const people = everyone();
  const [{ id: self }, ids] = await Promise.all([me(), idsOf(people.map(({ subject }) => subject))]);
  const others = people.flatMap(({ subject, name }) => {
    const id = ids.get(subject);
    return id && id !== self ? [{ id, name }] : [];
  });
  return (
    <main>
      <section aria-labelledby="conversations">
        <h2 id="conversations">Conversations</h2>
        <Inbox />
      </section>
      <section aria-labelledby="people">
        <h2 id="people">People</h2>
        <People people={others} />
      </section>
    </main>
  );
}
