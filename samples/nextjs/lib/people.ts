/** A person of this application. */
export interface Person {
  /** The `sub` of the session token. */
  readonly subject: string;
  readonly name: string;
}

// Stands in for the application's own table of users. On `globalThis`, because Next.js loads this module once for each bundle.
const people = ((globalThis as { samplePeople?: Map<string, Person> }).samplePeople ??= new Map<string, Person>());

/** Called at each sign-in. */
export function remember(person: Person): void {
  people.set(person.subject, person);
}

/** All people that have signed in since this server started. */
export function everyone(): readonly Person[] {
  return [...people.values()];
}
