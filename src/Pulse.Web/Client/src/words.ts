const texts = read();

/** The text for an English one, in the language of the page, with {0} replaced by the first value. */
export function t(text: string, ...values: readonly (string | number)[]): string {
  return values.reduce<string>((said, value, index) => said.replace(`{${index}}`, String(value)), texts[text] ?? text);
}

/** A status for people: "Online". */
export function statusWord(status: string): string {
  return t(status.charAt(0).toUpperCase() + status.slice(1));
}

function read(): Readonly<Record<string, string>> {
  const json = document.getElementById('texts')?.textContent;
  return json ? (JSON.parse(json) as Record<string, string>) : {};
}
