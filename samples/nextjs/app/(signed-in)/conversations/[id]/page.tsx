import { notFound } from 'next/navigation';
import { Chat } from '@/components/chat';
import { conversation, me, PulseProblem } from '@/lib/pulse';

export default async function ConversationPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const [{ id: self }, { title, other }] = await Promise.all([
    me(),
    conversation(id).catch((error: unknown) => {
      if (error instanceof PulseProblem && error.status < 500) notFound();
      throw error;
    }),
  ]);
  return (
    <main>
      <h1>{other?.name ?? title}</h1>
      <Chat id={id} self={self} />
    </main>
  );
}
