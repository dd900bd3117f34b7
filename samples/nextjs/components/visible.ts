import { useSyncExternalStore } from 'react';

/** Whether the page may be in the user's view. Background tabs and minimized windows are hidden. */
export function useIsVisible(): boolean {
  return useSyncExternalStore(subscribe, () => document.visibilityState === 'visible', () => false);
}

function subscribe(onChange: () => void): () => void {
  document.addEventListener('visibilitychange', onChange);
  return () => document.removeEventListener('visibilitychange', onChange);
}
