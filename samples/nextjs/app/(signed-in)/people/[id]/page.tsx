import { notFound, redirect } from 'next/navigation';
import { PulseProblem, startDirect } from '@/lib/pulse';

/** Opens the conversation with a user. */
export default async function Person({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const { id: conversationId } = await startDirect(id).catch((error: unknown) => {
    if (error instanceof PulseProblem && error.status < 500) notFound();
    throw error;
  });
  redirect(`/conversations/${conversationId}`);
}
