import { t } from './words';

const everyMs = 15_000;
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const day = new Intl.DateTimeFormat(document.documentElement.lang === 'en' ? 'en-GB' : document.documentElement.lang, { dateStyle: 'long', timeZone: 'UTC' });

/** A moment of the past in words, the same as RelativeTime.cs writes on the server. */
export function words(at: Date, now = Date.now()): string {
  const age = now - at.getTime();
  if (age < minuteMs) return t('just now');
  if (age < hourMs) return count(age / minuteMs, '1 minute ago', '{0} minutes ago');
  if (age < dayMs) return count(age / hourMs, '1 hour ago', '{0} hours ago');
  return age < 30 * dayMs ? count(age / dayMs, '1 day ago', '{0} days ago') : day.format(at);
}

/** An element for a moment. `keepTimesCurrent` updates it. */
export function timeElement(iso: string): HTMLTimeElement {
  const element = document.createElement('time');
  element.dateTime = iso;
  element.textContent = words(new Date(iso));
  element.title = new Date(iso).toLocaleString(document.documentElement.lang);
  return element;
}

// The chat shows times of day, and renders them itself.
const selector = 'time:not(#chat *)';

/** Updates every `<time>` of the page as it grows older. */
export function keepTimesCurrent(): void {
  const update = () => {
    for (const element of document.querySelectorAll<HTMLTimeElement>(selector)) {
      const text = words(new Date(element.dateTime));
      if (element.textContent !== text) element.textContent = text;
    }
  };
  for (const element of document.querySelectorAll<HTMLTimeElement>(selector)) element.title = new Date(element.dateTime).toLocaleString(document.documentElement.lang);
  update();
  window.setInterval(update, everyMs);
}

function count(units: number, one: string, many: string): string {
  const whole = Math.floor(units);
  return whole === 1 ? t(one) : t(many, whole);
}
