import { Shelf, StorageQueue, defaultStorage } from '@pulse-presence/client/src/chat/storage';
import { currentKeeps, Kept } from '@pulse-presence/client/src/kept';
import { forgetDrafts } from './chat/drafts';
import { base } from './dom';

// The cookie with which the server says whose session in this browser has ended. Over https its name has the prefix.
const order = /(?:^|; )((?:__Host-)?pulse-forget)=([\da-f-]{36})/;

/**
 * Deletes what Pulse's scripts have stored about the user whose session has ended, in whatever way: most pages have no client that would
 * learn of it.
 */
export async function forgetFormerUser(): Promise<void> {
  const [, name, userId] = order.exec(document.cookie) ?? [];
  if (!name || !userId) return;
  new Kept(base, currentKeeps()).forget(userId);
  forgetDrafts(userId);
  await new Shelf(new StorageQueue(defaultStorage(), () => undefined), base, userId).forget();
  // At the end, so that the next page continues what this one has not completed.
  document.cookie = `${name}=; Path=/; Max-Age=0${name.startsWith('__Host-') ? '; Secure' : ''}`;
}
