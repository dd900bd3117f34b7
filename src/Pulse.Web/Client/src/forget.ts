import type { ChatStorage } from '@pulse-presence/client/chat';
import { Shelf, StorageQueue, defaultStorage } from '@pulse-presence/client/src/chat/storage';
import { currentKeeps, Kept } from '@pulse-presence/client/src/kept';
import { forgetDrafts } from './chat/drafts';
import { base } from './dom';

// The server names in this cookie the user whose session in this browser has ended. The name has the prefix if the site uses https.
const order = /(?:^|; )((?:__Host-)?pulse-forget)=([\da-f-]{36})/;

/**
 * Deletes the data that Pulse's scripts have stored about the user whose session has ended, in whatever way. The cookie reports it, because
 * most pages lack a client that would learn of it.
 */
export async function forgetFormerUser(): Promise<void> {
  const [, name, userId] = order.exec(document.cookie) ?? [];
  if (!name || !userId) return;
  new Kept(base, currentKeeps()).forget(userId);
  forgetDrafts(userId);
  // The shelf itself hides failures.
  let hasFailed = false;
  const fail = (): void => {
    hasFailed = true;
  };
  const storage = defaultStorage();
  const watched: ChatStorage = { ...storage, clear: (prefix: string) => storage.clear(prefix).catch(fail) };
  await new Shelf(new StorageQueue(watched, fail), base, userId).forget();
  // Otherwise the next page tries again. Meanwhile another tab may have signed another user in and out.
  if (hasFailed || order.exec(document.cookie)?.[2] !== userId) return;
  document.cookie = `${name}=; Path=/; Max-Age=0${name.startsWith('__Host-') ? '; Secure' : ''}`;
}
