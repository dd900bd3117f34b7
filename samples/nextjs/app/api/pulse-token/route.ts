import { sessionExpiry, sessionToken } from '@/lib/pulse';

/** The session token for the script of this application's pages, which connects to Pulse. */
export async function POST(): Promise<Response> {
  const expires = await sessionExpiry();
  if (!expires) return new Response(null, { status: 401 });
  return Response.json({ accessToken: await sessionToken(), expiresAt: expires.toISOString() }, { headers: { 'cache-control': 'no-store' } });
}
