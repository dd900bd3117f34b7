import { redirect } from 'next/navigation';
import type { NextRequest } from 'next/server';
import { signOut } from '@/auth';
import { profile } from '@/lib/pulse';

/**
 * Ends the session of a user that Pulse refuses. Auth.js would otherwise renew the token of an erased user, and with the new token a sync
 * creates that user again.
 */
export async function GET({ nextUrl }: NextRequest): Promise<never> {
  // Otherwise a link on another site could sign users out.
  const isAccepted = await profile().then(() => true, () => false);
  if (isAccepted) redirect('/dashboard');
  const error = encodeURIComponent(nextUrl.searchParams.get('error') ?? '');
  return await signOut({ redirectTo: `/signin?error=${error}` });
}
