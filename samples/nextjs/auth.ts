import NextAuth, { type NextAuthConfig } from 'next-auth';
import Google from 'next-auth/providers/google';
import { remember } from '@/lib/people';

const { AUTH_GOOGLE_ID, AUTH_LOCAL_ISSUER, AUTH_LOCAL_ID, AUTH_LOCAL_SECRET } = process.env;

const providers: NextAuthConfig['providers'] = [];
if (AUTH_GOOGLE_ID) providers.push(Google);
if (AUTH_LOCAL_ISSUER) {
  providers.push({
    id: 'local',
    name: 'a local account',
    type: 'oidc',
    issuer: AUTH_LOCAL_ISSUER,
    clientId: AUTH_LOCAL_ID,
    clientSecret: AUTH_LOCAL_SECRET,
    checks: ['pkce', 'state', 'nonce'],
    // Asks for the name at each sign-in, so that a reader can be several people.
    authorization: { params: { scope: 'openid profile email', prompt: 'login' } },
  });
}

/** The choices of the sign-in page. */
export const choices = providers.map((provider) => {
  const { id, name } = typeof provider === 'function' ? provider({}) : provider;
  return { id, name };
});

export const { handlers, auth, signIn, signOut } = NextAuth({
  providers,
  pages: { signIn: '/signin', error: '/signin' },
  // Pulse accepts the session token until it expires, also after a sign-out. Page loads renew the cookie (proxy.ts), and so does
  // lib/token.ts while the user is active.
  session: { strategy: 'jwt', maxAge: 60 * 60 },
  callbacks: {
    // Pulse identifies a person by `sub`. This callback sets it, because Auth.js would make a new random one at each sign-in, and Pulse a new user.
    jwt({ token, account, profile }) {
      if (!account) return token;
      token.sub = `${account.provider}:${account.providerAccountId}`;
      token.email_verified = profile?.email_verified === true;
      remember({ subject: token.sub, name: token.name ?? 'Somebody' });
      return token;
    },
    // For proxy.ts: other users are sent to the sign-in page.
    authorized: ({ auth: session }) => !!session?.user,
  },
});
