/** A part of a message's text: plain, a link, or a mention. */
export type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly href: string }
  | { readonly kind: 'mention'; readonly text: string; readonly userId: string };

// The two schemes only, so that `javascript:` and the like stay text. Control characters of text direction end a link, because they can make
// an address look like another one.
const address = /\bhttps?:\/\/[^\s<>"'`\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gi;
const trailing = /[.,;:!?…)\]}'"*_~»”’]/;
const closers: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' };

/** Splits a text at its addresses and at the names of the mentioned users. */
export function partsOf(text: string, mentions: readonly { readonly userId: string; readonly name: string }[]): readonly Part[] {
  const parts: Part[] = [];
  const names = namesOf(mentions);
  let from = 0;
  for (const found of text.matchAll(address)) {
    const shown = withoutTrailing(found[0]);
    const href = readHref(shown);
    if (!href) continue;
    addText(parts, text.slice(from, found.index), names);
    parts.push({ kind: 'link', text: shown, href });
    from = found.index + shown.length;
  }
  addText(parts, text.slice(from), names);
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
  // Counted once: a message can end with thousands of brackets.
  const counts = new Map<string, number>();
  for (const [sign] of found.matchAll(/[()[\]{}]/g)) counts.set(sign, (counts.get(sign) ?? 0) + 1);
  let end = found.length;
  for (; end > 0 && trailing.test(found[end - 1]!); end--) {
    const last = found[end - 1]!;
    const opener = closers[last];
    if (!opener) continue;
    const count = counts.get(last)!;
    if ((counts.get(opener) ?? 0) >= count) break;
    counts.set(last, count - 1);
  }
  return found.slice(0, end);
}

interface Names {
  readonly pattern: RegExp;
  readonly userIds: ReadonlyMap<string, string>;
}

function namesOf(mentions: readonly { readonly userId: string; readonly name: string }[]): Names | undefined {
  // The longest name comes first, otherwise "@Ann Lee" would be taken for "@Ann".
  const named = mentions.filter(({ name }) => name).sort((a, b) => b.name.length - a.name.length);
  if (named.length === 0) return undefined;
  const escaped = named.map(({ name }) => name.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return { pattern: new RegExp(`@(${escaped.join('|')})`, 'g'), userIds: new Map(named.reverse().map(({ userId, name }) => [name, userId])) };
}

function addText(parts: Part[], text: string, names: Names | undefined): void {
  let from = 0;
  for (const found of names ? text.matchAll(names.pattern) : []) {
    if (found.index > from) parts.push({ kind: 'text', text: text.slice(from, found.index) });
    parts.push({ kind: 'mention', text: found[0], userId: names!.userIds.get(found[1]!)! });
    from = found.index + found[0].length;
  }
  if (from < text.length) parts.push({ kind: 'text', text: text.slice(from) });
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
const emoji = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*0-9]\ufe0f?\u20e3)/u;

/** Whether the text is one to three emoji, which are shown large. */
export function isJumbo(text: string): boolean {
  if (text.length > 40) return false;
  const signs = [...graphemes.segment(text.trim())].map(({ segment }) => segment).filter((sign) => sign.trim());
  return signs.length > 0 && signs.length <= 3 && signs.every((sign) => emoji.test(sign));
}
