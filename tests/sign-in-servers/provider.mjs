// A certified OpenID provider that stands in for Google: `node provider.mjs CLIENT_ID CLIENT_SECRET CALLBACK_PATH`.
//
// Prints its address as one line of JSON, then one line for each code that it exchanges, with the tokens, and runs until its standard input
// ends. Sign-in shows a form that asks for the identity: a test fills it in, with a browser or without. All state is lost between runs.
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:http';
import Provider, { interactionPolicy } from 'oidc-provider';

const [clientId, clientSecret, callbackPath] = process.argv.slice(2);
const people = new Map();

// Like Google, it lets people choose an account on request.
const policy = interactionPolicy.base();
policy.add(new interactionPolicy.Prompt({ name: 'select_account', requestable: true }), 0);

const server = createServer();
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients: [{
    client_id: clientId,
    client_secret: clientSecret,
    token_endpoint_auth_method: 'client_secret_post',
    // A native client's loopback redirect may have any port (RFC 8252 section 7.3): Pulse takes a free one.
    application_type: 'native',
    redirect_uris: [`http://127.0.0.1${callbackPath}`, `http://localhost${callbackPath}`],
    grant_types: ['authorization_code'],
    response_types: ['code'],
  }],
  scopes: ['openid', 'email', 'profile'],
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'picture'] },
  // Like Google: the claims are in the ID token.
  conformIdTokenClaims: false,
  pkce: { required: () => true },
  features: { devInteractions: { enabled: false }, pushedAuthorizationRequests: { enabled: false } },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  ttl: { AccessToken: 300, AuthorizationCode: 60, Grant: 3600, IdToken: 300, Interaction: 600, Session: 3600 },
  interactions: { policy, url: (_, interaction) => `/interaction/${interaction.uid}` },
  findAccount: (_, sub) => people.has(sub) ? { accountId: sub, claims: () => people.get(sub) } : undefined,
  // Consent is always given.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({ clientId: ctx.oidc.client.clientId, accountId: ctx.oidc.session.accountId });
    grant.addOIDCScope('openid email profile');
    await grant.save();
    return grant;
  },
});

// The tokens are printed, because tests search for them in places that must be free of them.
provider.on('grant.success', (ctx) => console.log(JSON.stringify({ issued: ctx.body })));

const oidc = provider.callback();
server.on('request', async (request, response) => {
  try {
    if (!request.url.startsWith('/interaction/')) await oidc(request, response);
    else if (request.method === 'POST') await decide(request, response);
    else ask(response);
  } catch (error) {
    response.statusCode = 500;
    response.end(String(error));
  }
});

console.log(JSON.stringify({ url: issuer }));
process.stdin.resume().on('end', () => process.exit(0));

function ask(response) {
  response.setHeader('content-type', 'text/html; charset=utf-8');
  // The icon, because Chromium would otherwise request one and log that it is missing.
  response.end(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Who are you?</title><h1>Who are you?</h1><form method="post">
    ${['sub', 'email', 'email_verified', 'name', 'picture'].map((field) => `<label>${field} <input name="${field}"></label>`).join('\n')}
    <button name="answer" value="yes">Sign in</button> <button name="answer" value="no">Cancel</button></form>`);
}

async function decide(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString());
  if (form.get('answer') === 'no') {
    await provider.interactionFinished(request, response, { error: 'access_denied', error_description: 'Cancelled.' });
    return;
  }

  const sub = form.get('sub');
  people.set(sub, {
    sub,
    ...(form.get('email') && { email: form.get('email'), email_verified: form.get('email_verified') === 'true' }),
    ...(form.get('name') && { name: form.get('name') }),
    ...(form.get('picture') && { picture: form.get('picture') }),
  });
  await provider.interactionFinished(request, response, { select_account: {}, login: { accountId: sub }, consent: {} });
}
