import { redirect } from 'next/navigation';
import { PulseProblem, sync } from '@/lib/pulse';

/** Sign-in ends here: Pulse gets the user's profile. */
export async function GET(): Promise<never> {
  try {
    await sync();
  } catch (error) {
    if (error instanceof PulseProblem) redirect(`/signin?error=${encodeURIComponent(error.code)}`);
    throw error;
  }
  redirect('/dashboard');
}
