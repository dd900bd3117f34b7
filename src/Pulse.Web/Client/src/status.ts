import { PulseError, type OwnStatus, type PulseClient } from '@pulse-presence/client';
import { setText } from './dom';
import { statusWord, t } from './words';

/** After the server's answer to a choice, others see it within this time, unless another device of the user outranks this one. */
const seenWithinMs = 2_000;

/** The status and message that the user has chosen in this form. */
interface Choice {
  readonly status: OwnStatus;
  readonly message: string;
  /** Others have seen it. */
  seen: boolean;
  /** The server has it. */
  isTaken?: boolean;
  /** Others would have seen it by now. */
  isOutranked?: boolean;
  fault?: string;
}

/** Lets the user choose the status that others see, until the user signs out. */
export function offerStatus(pulse: PulseClient, userId: string): void {
  const form = document.getElementById('status') as HTMLFormElement;
  const status = form.elements.namedItem('status') as HTMLSelectElement;
  const message = form.elements.namedItem('message') as HTMLInputElement;
  const note = document.getElementById('status-note')!;
  let choice: Choice | undefined;
  // The user has begun to choose, so the form keeps its values.
  let isEdited = false;

  form.hidden = false;
  form.addEventListener('input', () => (isEdited = true));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // The form stays in the page, so its button may be pressed again: see forms.ts.
    event.stopPropagation();
    const fields = new FormData(form);
    void choose({ status: fields.get('status') as OwnStatus, message: String(fields.get('message')).trim(), seen: false });
  });
  pulse.subscribe(show);
  show();

  async function choose(mine: Choice): Promise<void> {
    choice = mine;
    try {
      const set = pulse.setStatus(mine.status, mine.message);
      show();
      await set;
      mine.isTaken = true;
      if (choice === mine) isEdited = false;
      window.setTimeout(() => {
        mine.isOutranked = !mine.seen;
        show();
      }, seenWithinMs);
    } catch (error) {
      mine.fault = faultWords(error);
    }
    show();
  }

  // Until the user begins to choose, the form shows the present choice, also one from before the page was loaded.
  function show(): void {
    const seen = pulse.state.name === 'online' ? pulse.presence(userId) : undefined;
    if (choice && seen?.status === choice.status && (seen.message ?? '') === choice.message) choice.seen = true;
    // Another tab or device has replaced the choice, and the form shows the new one.
    else if (choice && (choice.seen ? seen : isReplaced(choice))) choice = undefined;
    setText(note, words(seen?.status));
    if (isEdited || choice || !seen) return;
    // "away" may be the client's report of an idle page. The choice is then another status.
    const shown = seen.status === 'away' ? pulse.own.status : seen.status;
    if (shown === 'online' || shown === 'away' || shown === 'busy' || shown === 'invisible') status.value = shown;
    if (message.value !== (seen.message ?? '')) message.value = seen.message ?? '';
  }

  function isReplaced(mine: Choice): boolean {
    const { own } = pulse;
    return mine.isTaken === true && (own.status !== mine.status || (own.message ?? '') !== mine.message);
  }

  function words(seen: string | undefined): string {
    if (!choice) return '';
    // This precedes the fault, because the end of the client rejects a pending choice as well.
    if (pulse.state.name === 'ended') return t('Not set: this page is not connected any more. Reload it.');
    if (choice.fault) return choice.fault;
    if (pulse.state.name !== 'online') return t('Not set yet: it will be as soon as this page is connected.');
    if (!pulse.own.isSet) return t('Setting…');
    if (choice.seen) return choice.status === 'invisible' ? t('Set: others see you offline.') : t('Set: others see it now.');
    if (!choice.isOutranked || !seen || seen === 'unknown') return t('Setting…');
    return t('Set for this device. Another device of yours decides what others see: {0}.', statusWord(seen === 'invisible' ? 'offline' : seen));
  }
}

// The errors themselves are in English.
function faultWords(error: unknown): string {
  return error instanceof PulseError && error.code === 'invalid-argument'
    ? t('Not set: a text has at most 140 characters, and no control characters or line breaks.')
    : t('Not set: the server has refused it.');
}
