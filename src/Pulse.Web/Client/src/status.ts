import type { OwnStatus, PulseClient } from '@pulse-presence/client';

/** Lets the user choose the status that others see, until the user signs out. */
export function offerStatus(pulse: PulseClient, userId: string): void {
  const form = document.getElementById('status') as HTMLFormElement;
  const status = form.elements.namedItem('status') as HTMLSelectElement;
  const message = form.elements.namedItem('message') as HTMLInputElement;
  const note = document.getElementById('status-note')!;
  form.hidden = false;
  // Shows the choice from before the page was loaded, until the user begins to choose anew. "away" may be the client's own, for an idle
  // page.
  const stopShowing = pulse.subscribe(() => {
    const mine = pulse.presence(userId);
    if (mine?.status === 'busy' || mine?.status === 'invisible') status.value = mine.status;
    if (mine?.message) message.value = mine.message;
  }, userId);
  form.addEventListener('input', stopShowing, { once: true });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // The form is not sent, so it may be pressed again: see forms.ts.
    event.stopPropagation();
    const fields = new FormData(form);
    void choose(fields.get('status') as OwnStatus, String(fields.get('message')).trim());
  });

  let latest = 0;
  async function choose(status: OwnStatus, message: string): Promise<void> {
    const choice = ++latest;
    const say = (text: string): void => {
      // The note is about the latest choice.
      if (choice === latest) note.textContent = text;
    };
    say(pulse.state.name === 'online' ? 'Setting…' : 'Not set yet: it will be as soon as this page is connected.');
    try {
      await pulse.setStatus(status, message);
      say(status === 'invisible' ? 'Set: others see you offline.' : 'Set: others see it now.');
    } catch (error) {
      say(`Not set: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
