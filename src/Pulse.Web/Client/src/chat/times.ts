// Times in the language of the page and the time zone of the viewer, and as the viewer's country writes them where its language is the page's.
const language = document.documentElement.lang;
const locale = navigator.languages.find((known) => known.split('-')[0] === language) ?? language;

const clock = new Intl.DateTimeFormat(locale, { hour: 'numeric', minute: '2-digit' });
const exact = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
const weekday = new Intl.DateTimeFormat(locale, { weekday: 'short' });
const weekdayLong = new Intl.DateTimeFormat(locale, { weekday: 'long' });
const dayOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
const dayLong = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
const dayWithYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'long', year: 'numeric' });
const dayNumeric = new Intl.DateTimeFormat(locale, { dateStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });

const minuteMs = 60_000;
const dayMs = 86_400_000;

/** The local day of a moment as a number that grows by one a day, whatever the clock changes. */
export function dayOf(ms: number): number {
  const at = new Date(ms);
  return Math.round(Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) / dayMs);
}

/** "14:05" */
export function timeOfDay(ms: number): string {
  return clock.format(ms);
}

/** The whole date and time, for tooltips. */
export function exactTime(ms: number): string {
  return exact.format(ms);
}

/** "Today", "Yesterday", "Monday", "3 March", "3 March 2024". */
export function dayLabel(ms: number, now = Date.now()): string {
  const age = dayOf(now) - dayOf(ms);
  if (age <= 1 && age >= 0) return capitalize(relative.format(-age, 'day'));
  if (age > 1 && age < 7) return capitalize(weekdayLong.format(ms));
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? capitalize(dayLong.format(ms)) : dayWithYear.format(ms);
}

/** For a list: the time today, the weekday this week, otherwise the day. */
export function shortTime(ms: number, now = Date.now()): string {
  const age = dayOf(now) - dayOf(ms);
  if (age === 0) return clock.format(ms);
  if (age > 0 && age < 7) return weekday.format(ms);
  return new Date(ms).getFullYear() === new Date(now).getFullYear() ? dayOfYear.format(ms) : dayNumeric.format(ms);
}

/** "5 minutes ago" */
export function ago(ms: number, now = Date.now()): string {
  const minutes = Math.max(0, Math.floor((now - ms) / minuteMs));
  if (minutes < 60) return relative.format(-minutes, 'minute');
  if (minutes < 24 * 60) return relative.format(-Math.floor(minutes / 60), 'hour');
  return relative.format(-Math.floor(minutes / (24 * 60)), 'day');
}

function capitalize(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
