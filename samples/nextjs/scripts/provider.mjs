// A local OpenID Connect provider, so that the sample can be tried before any account exists. It asks for a name and believes it.
import { createHash, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider from 'oidc-provider';

/** The name of each account that has signed in. */
const names = new Map();

/** The id of a name's account, which is also the local part of its address. Some names would be invalid as an address or a `sub`. */
function accountOf(name) {
  const id = name.toLowerCase().replaceAll(' ', '.');
  return /^[a-z0-9]+(\.[a-z0-9]+)*$/.test(id) ? id : createHash('sha256').update(name).digest('hex').slice(0, 32);
}

/** Starts the provider at http://localhost:<port>, for one client. */
export async function startProvider({ port, clientId, clientSecret, redirectUri }) {
  const issuer = `http://localhost:${port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: false,
    cookies: { keys: [randomBytes(32).toString('hex')] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, name: names.get(sub), email: `${sub}@example.com`, email_verified: true }),
    }),
    // Consent is granted at once, in place of a page that asks for it.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
    ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 3600, IdToken: 300, Interaction: 600, Session: 3600 },
  });

  const handle = provider.callback();
  const server = createServer(async (request, response) => {
    try {
      if (!request.url.startsWith('/interaction/')) return await handle(request, response);
      if (request.method === 'POST') {
        let body = '';
        for await (const part of request) body += part;
        const name = new URLSearchParams(body).get('name')?.trim();
        if (name) {
          const accountId = accountOf(name);
          names.set(accountId, name);
          return await provider.interactionFinished(request, response, { login: { accountId } });
        }
      }
      response.setHeader('content-type', 'text/html; charset=utf-8');
      response.end(`<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
        <title>Local account</title>
        <form method="post"><label>Your name <input name="name" maxlength="60" required autofocus></label> <button>Sign in</button></form>`);
    } catch (error) {
      response.statusCode = 500;
      response.end(String(error));
    }
  });
  await new Promise((listening, failed) => server.once('error', failed).listen(port, 'localhost', listening));
  return { issuer, close: () => server.close() };
}
