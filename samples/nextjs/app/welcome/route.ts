import { redirect } from 'next/navigation';
import { PulseProblem, sync } from '@/lib/pulse';

/** Sign-in ends here: Pulse gets the user's profile. No other page calls this, because the call creates missing users. */
export async function GET(): Promise<never> {
  try {
    await sync();
  } catch (error) {
    if (error instanceof PulseProblem) redirect(`/signed-out?error=${error.code}`);
    throw error;
  }
  redirect('/dashboard');
}
