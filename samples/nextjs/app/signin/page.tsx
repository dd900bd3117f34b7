import { choices, signIn } from '@/auth';

/** Texts for the errors of Auth.js and of POST /auth/sync. */
const errors: Record<string, string> = {
  'account-exists': 'Another user has this e-mail address. Sign in as you did before.',
  'sign-up-refused': 'New users cannot sign up here.',
  'token-invalid': 'Pulse does not accept the session of this application: both need the same AUTH_SECRET.',
  AccessDenied: 'The sign-in was cancelled.',
};

export default async function SignIn({ searchParams }: { searchParams: Promise<{ error?: string }> }) {
  const { error } = await searchParams;
  return (
    <main className="narrow">
      <h1>Sign in</h1>
      {error && <p role="alert">{errors[error] ?? 'The sign-in failed. Please try again.'}</p>}
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
