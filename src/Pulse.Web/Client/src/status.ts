import type { OwnStatus, PulseClient } from '@pulse-presence/client';

/** Lets the user choose what others see of them, for as long as this page is open. */
export function offerStatus(pulse: PulseClient): void {
  const form = document.getElementById('status') as HTMLFormElement;
  const note = document.getElementById('status-note')!;
  form.hidden = false;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    // Nothing is sent as a form, so it may be pressed again: see forms.ts.
    event.stopPropagation();
    const fields = new FormData(form);
    void choose(fields.get('status') as OwnStatus, String(fields.get('message')).trim());
  });

  async function choose(status: OwnStatus, message: string): Promise<void> {
    try {
      await pulse.setStatus(status, message);
      note.textContent = status === 'invisible' ? 'Set: others see you offline.' : 'Set: others see it now.';
    } catch (error) {
      note.textContent = `Not set: ${error instanceof Error ? error.message : String(error)}`;
    }
  }
}
