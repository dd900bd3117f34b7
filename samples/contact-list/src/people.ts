import type { AccessToken } from '@pulse-presence/client';

/** A person in this sample. A real application already has people, their ids and their sign-in. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email: string;
}

const names = ['Ada Lovelace', 'Alan Turing', 'Barbara Liskov', 'Edsger Dijkstra', 'Grace Hopper', 'Katherine Johnson'];

/** The sample's people, created at the first call: in Development, Pulse signs in as any user. */
export function findPeople(): Promise<Person[]> {
  return Promise.all(names.map(async (name) => {
    const email = `${name.toLowerCase().replace(' ', '.')}@example.com`;
    const { accessToken } = await signInAs({ name, email });
    const answer = await fetch('/auth/me', { headers: { authorization: `Bearer ${accessToken}` } });
    if (!answer.ok) throw new Error(`GET /auth/me answered ${answer.status}.`);
    const { id } = (await answer.json()) as { id: string };
    return { id, name, email };
  }));
}

/** Stands in for the session cookie, from which `createPulseClient()` gets its tokens by itself. */
export async function signInAs({ name, email }: Pick<Person, 'name' | 'email'>): Promise<AccessToken> {
  const answer = await fetch('/auth/dev', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, email }),
  });
  if (answer.status === 404) throw new Error('This sample needs a Pulse that runs in Development.');
  if (!answer.ok) throw new Error(`POST /auth/dev answered ${answer.status}.`);
  return (await answer.json()) as AccessToken;
}
