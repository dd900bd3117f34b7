/** The path of its origin that this site is below: empty, or such as `/pulse`. */
export const base = document.documentElement.dataset['base'] ?? '';

/** Writes only differences, so that a live region announces changes instead of every refresh. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Calls `look` every so often while the page is visible, and at once when it becomes visible again. */
export function whileVisible(everyMs: number, look: () => void): void {
  const lookIfVisible = () => {
    if (document.visibilityState === 'visible') look();
  };
  document.addEventListener('visibilitychange', lookIfVisible);
  window.setInterval(lookIfVisible, everyMs);
}
