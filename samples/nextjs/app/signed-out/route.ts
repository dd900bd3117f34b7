import { redirect } from 'next/navigation';
import type { NextRequest } from 'next/server';
import { signOut } from '@/auth';
import { profile, PulseProblem } from '@/lib/pulse';

/**
 * Ends the session of a user that Pulse refuses. Auth.js would otherwise renew the token of an erased user, and with the new token a sync
 * creates that user again.
 */
export async function GET({ nextUrl }: NextRequest): Promise<never> {
  // Otherwise a link on another site could sign users out.
  const refusal: unknown = await profile().then(() => null, (reason: unknown) => reason);
  if (refusal === null) redirect('/dashboard');
  if (!(refusal instanceof PulseProblem) || (refusal.status !== 401 && refusal.code !== 'not-synced')) redirect('/signin?error=unavailable');
  const error = encodeURIComponent(nextUrl.searchParams.get('error') ?? '');
  return await signOut({ redirectTo: `/signin?error=${error}` });
}
