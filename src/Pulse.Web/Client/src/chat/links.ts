/** A part of a message's text: plain, a link, or a mention. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }
  | { readonly kind: 'mention'; readonly text: string; readonly userId: string };

// The two schemes only, so that `javascript:` and the like stay text. Control characters of text direction end a link, because they can make
// an address look like another one.
const address = /\bhttps?:\/\/[^\s<>"'`\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gi;
const trailing = /[.,;:!?…)\]}'"*_~»”’]$/;
const closers: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Splits a text at its addresses and at the names of the mentioned users. */
export function partsOf(text: string, mentions: readonly { readonly userId: string; readonly name: string }[]): readonly Part[] {
  const parts: Part[] = [];
  let from = 0;
  for (const found of text.matchAll(address)) {
    const shown = withoutTrailing(found[0]);
    const href = readHref(shown);
    if (!href) continue;
    addText(parts, text.slice(from, found.index), mentions);
    parts.push({ kind: 'link', text: shown, href });
    from = found.index + shown.length;
  }
  addText(parts, text.slice(from), mentions);
  return parts;
}

function readHref(shown: string): string | undefined {
  try {
    const url = new URL(shown);
    // A user name in front of the host makes `https://bank.example@evil.example` look like the bank's.
    if ((url.protocol !== 'http:' && url.protocol !== 'https:') || url.username || url.password || !url.hostname) return undefined;
    return url.href;
  } catch {
    return undefined;
  }
}

/** "See https://example.com/a_(b)." ends before the full stop, and keeps a bracket that the address has opened. */
function withoutTrailing(found: string): string {
  let shown = found;
  while (trailing.test(shown)) {
    const last = shown.at(-1)!;
    const opener = closers[last];
    if (opener && count(shown, opener) >= count(shown, last)) break;
    shown = shown.slice(0, -1);
  }
  return shown;
}

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}

function addText(parts: Part[], text: string, mentions: readonly { readonly userId: string; readonly name: string }[]): void {
  // Longest first, so that "@Ann Lee" is not taken for "@Ann".
  const names = mentions.filter(({ name }) => name).sort((a, b) => b.name.length - a.name.length);
  let rest = text;
  while (rest) {
    let at = -1;
    let hit: (typeof names)[number] | undefined;
    for (const mention of names) {
      const found = rest.indexOf(`@${mention.name}`);
      if (found >= 0 && (at < 0 || found < at)) [at, hit] = [found, mention];
    }
    if (!hit) break;
    if (at > 0) parts.push({ kind: 'text', text: rest.slice(0, at) });
    parts.push({ kind: 'mention', text: `@${hit.name}`, userId: hit.userId });
    rest = rest.slice(at + hit.name.length + 1);
  }
  if (rest) parts.push({ kind: 'text', text: rest });
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const emoji = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*0-9]\ufe0f?\u20e3)/u;

/** Whether the text is one to three emoji, which are shown large. */
export function isJumbo(text: string): boolean {
  if (text.length > 40) return false;
  const signs = [...graphemes.segment(text.trim())].map(({ segment }) => segment).filter((sign) => sign.trim());
  return signs.length > 0 && signs.length <= 3 && signs.every((sign) => emoji.test(sign));
}
