'use client';
import { useConversation } from '@pulse-presence/client/react';
import { useEffect, useRef } from 'react';
import { useIsVisible } from '@/components/visible';

/** A conversation: its messages, those that wait for an answer of Pulse, and a field for the next one. */
export function Chat({ id, self }: { id: string; self: string }) {
  const { conversation, state, messages, pending, hasBefore, typing } = useConversation(id);
  const end = useRef<HTMLDivElement>(null);
  const newest = messages.at(-1)?.seq;
  const isVisible = useIsVisible();

  useEffect(() => {
    end.current?.scrollIntoView({ block: 'end' });
  }, [newest, pending.length]);

  // A message that arrives in a background tab stays unread until the user returns to the tab.
  useEffect(() => {
    if (isVisible && newest !== undefined) conversation.markRead(newest);
  }, [conversation, isVisible, newest]);

  function submit(form: FormData): void {
    const text = String(form.get('text')).trim();
    if (text) conversation.send(text);
  }

  if (state === 'gone') return <p role="alert">You are not a member of this conversation.</p>;
  return (
    <>
      {hasBefore && <button onClick={() => void conversation.loadBefore().catch(() => undefined)}>Earlier messages</button>}
      <ol className="messages" aria-live="polite" aria-label="Messages">
        {messages.map(({ clientId, seq, senderId, text, editedSeq }) => (
          <li key={clientId ?? seq} data-own={senderId === self}>
            <bdi>{text ?? 'This message was deleted.'}</bdi>
            {editedSeq !== null && text !== null && <small>edited</small>}
          </li>
        ))}
        {pending.map(({ clientId, text, state: progress, error }) => (
          <li key={clientId} data-own data-pending={progress}>
            <bdi>{text}</bdi>
            {progress === 'failed' && (
              <small>
                Not sent: {error?.message} <button onClick={() => conversation.retry(clientId)}>Send again</button>
                <button onClick={() => conversation.discard(clientId)}>Remove</button>
              </small>
            )}
          </li>
        ))}
      </ol>
      <div ref={end} />
      <p className="typing">{typing.length > 0 ? 'typing…' : ''}</p>
      <form action={submit} className="composer">
        <input name="text" aria-label="Message" autoComplete="off" maxLength={8000} onInput={() => conversation.typing()} />
        <button>Send</button>
      </form>
    </>
  );
}
