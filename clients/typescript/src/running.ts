/** A started client, as other copies and versions of this package in the page see it: its members are permanent. */
export interface Replaceable {
  /** Ends, and leaves out the goodbye. Returns the connection that the next client replaces, if any. */
  replace(): string | undefined;
}

const key = Symbol.for('@pulse-presence/client running');

/**
 * The started clients of a page. A hot-reloaded module is evaluated again, and makes and starts a client while the previous one still runs.
 * This registry is the only remaining way to stop that one.
 */
function running(window: EventTarget): Map<string, Replaceable> {
  const clients = window as { [key]?: Map<string, Replaceable> };
  return (clients[key] ??= new Map());
}

/** Puts this client in the place of a running one of the same name. Returns the connection to replace. */
export function takePlace(window: EventTarget, name: string, client: Replaceable): string | undefined {
  const before = running(window).get(name);
  running(window).set(name, client);
  return before?.replace();
}

export function leavePlace(window: EventTarget, name: string, client: Replaceable): void {
  if (running(window).get(name) === client) running(window).delete(name);
}
