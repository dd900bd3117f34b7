import type { OwnStatus, PulseClient } from '@pulse-presence/client';
import { t } from './words';

/** What the user has chosen in this form. */
interface Choice {
  readonly status: OwnStatus;
  readonly message: string;
  /** Others have seen it. */
  seen: boolean;
  fault?: string;
}

/** Lets the user choose the status that others see, until the user signs out. */
export function offerStatus(pulse: PulseClient, userId: string): void {
  const form = document.getElementById('status') as HTMLFormElement;
  const status = form.elements.namedItem('status') as HTMLSelectElement;
  const message = form.elements.namedItem('message') as HTMLInputElement;
  const note = document.getElementById('status-note')!;
  let choice: Choice | undefined;
  // The user has begun to choose, so the form is not overwritten.
  let isEdited = false;

  form.hidden = false;
  form.addEventListener('input', () => (isEdited = true));
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // The form is not sent, so it may be pressed again: see forms.ts.
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
      if (choice === mine) isEdited = false;
    } catch (error) {
      mine.fault = error instanceof Error ? error.message : String(error);
    }
    show();
  }

  function show(): void {
    const seen = pulse.state.name === 'online' ? pulse.presence(userId) : undefined;
    if (choice && seen?.status === choice.status && (seen.message ?? '') === choice.message) choice.seen = true;
    // Another tab or device has replaced the choice, and the form shows the new one.
    else if (choice?.seen && seen) choice = undefined;
    note.textContent = words();
    if (isEdited || choice || !seen) return;
    // "away" may be the client's own, for an idle page, and is then no choice.
    const shown = seen.status === 'away' ? pulse.own.status : seen.status;
    if (shown === 'online' || shown === 'away' || shown === 'busy' || shown === 'invisible') status.value = shown;
    if (message.value !== (seen.message ?? '')) message.value = seen.message ?? '';
  }

  function words(): string {
    if (!choice) return '';
    if (choice.fault) return t('Not set: {0}', choice.fault);
    if (pulse.state.name === 'ended') return t('Not set: this page is not connected any more. Reload it.');
    if (pulse.state.name !== 'online') return t('Not set yet: it will be as soon as this page is connected.');
    if (!pulse.own.isSet) return t('Setting…');
    return choice.status === 'invisible' ? t('Set: others see you offline.') : t('Set: others see it now.');
  }
}
