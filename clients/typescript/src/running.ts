/** A started client, as other copies and versions of this package in the page know it: what is here must stay. */
export interface Replaceable {
  /** Ends without a goodbye. Returns the connection that the next client replaces, if there was one. */
  replace(): string | undefined;
}

const key = Symbol.for('@pulse-presence/client running');

/**
 * The started clients of a page. A module that is hot-reloaded is evaluated again, and makes and starts a client while the one of before
 * still runs: nothing else is left that could stop that.
 */
function running(window: EventTarget): Map<string, Replaceable> {
  const clients = window as { [key]?: Map<string, Replaceable> };
  return (clients[key] ??= new Map());
}

/** Puts this client in the place of one of the same name, if one runs. Returns the connection to replace. */
export function takePlace(window: EventTarget, name: string, client: Replaceable): string | undefined {
  const before = running(window).get(name);
  running(window).set(name, client);
  return before?.replace();
}

export function leavePlace(window: EventTarget, name: string, client: Replaceable): void {
  if (running(window).get(name) === client) running(window).delete(name);
}
