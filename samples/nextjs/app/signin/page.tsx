import { choices, signIn } from '@/auth';

/** Texts for the errors of Auth.js and of Pulse. */
const errors = new Map([
  ['account-exists', 'Another user has this e-mail address. Sign in as you did before.'],
  ['email-missing', 'Your provider gave no e-mail address, and Pulse needs one.'],
  ['not-synced', 'Pulse does not know you yet. Please sign in again.'],
  ['sign-up-refused', 'New users cannot sign up here.'],
  ['token-invalid', 'Pulse does not accept the session of this application: both need the same AUTH_SECRET.'],
  ['token-missing', 'You are signed out.'],
  ['unavailable', 'The chat is unavailable at the moment. Please try again later.'],
  ['user-disabled', 'This user is disabled. Ask the operator of this site.'],
  ['user-erased', 'This user was deleted. A new sign-in creates a new user.'],
  ['user-removed', 'This user was disabled or deleted.'],
  ['Configuration', 'The sign-in does not work at the moment. The log of this server has the reason.'],
  ['OAuthCallbackError', 'The sign-in was cancelled or refused.'],
]);

export default async function SignIn({ searchParams }: { searchParams: Promise<{ error?: string }> }) {
  const { error } = await searchParams;
  return (
    <main className="narrow">
      <h1>Sign in</h1>
      {error && <p role="alert">{errors.get(error) ?? 'The sign-in failed. Please try again.'}</p>}
      {choices.length === 0 && <p>No provider is configured: see the README.</p>}
      <form action={begin}>
        {choices.map(({ id, name }) => <button key={id} name="provider" value={id}>Continue with {name}</button>)}
      </form>
    </main>
  );
}

async function begin(form: FormData): Promise<void> {
  'use server';
  await signIn(String(form.get('provider')), { redirectTo: '/welcome' });
}
