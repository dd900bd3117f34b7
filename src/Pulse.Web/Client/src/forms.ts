/** Keeps an impatient second press from sending a form twice. */
export function pressOnce(): void {
  const sent = new Set<HTMLFormElement>();
  document.addEventListener('submit', (event) => {
    const form = event.target as HTMLFormElement;
    if (sent.has(form)) event.preventDefault();
    sent.add(form);
    form.setAttribute('aria-busy', 'true');
  });
  // The browser's back button may show this very page again, in its last state.
  window.addEventListener('pageshow', () => {
    for (const form of sent) form.removeAttribute('aria-busy');
    sent.clear();
  });
}
