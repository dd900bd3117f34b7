/** Sends users without a session to the sign-in page. */
export { auth as proxy } from '@/auth';

export const config = { matcher: ['/dashboard', '/people/:path*', '/conversations/:path*'] };
