// `npm run dev`: Pulse, a local OpenID provider and this application, until Ctrl+C. `npm run preview` does the same with the built
// application. Settings of the environment and of .env.local precede the ones below.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startProvider } from './provider.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const root = path('..');
if (existsSync(`${root}.env.local`)) process.loadEnvFile(`${root}.env.local`);
// Telemetry is off unless the user asks for it.
process.env.NEXT_TELEMETRY_DISABLED ??= '1';
// The two programs share the secret. A new one ends all sessions.
process.env.AUTH_SECRET ||= randomBytes(33).toString('base64');
process.env.PULSE_URL ||= 'http://localhost:5080';
// Auth.js trusts the Host header of a request in development only.
const site = (process.env.AUTH_URL ||= `http://localhost:${process.env.PORT ?? 3000}`);

if (!process.env.AUTH_LOCAL_ISSUER) {
  Object.assign(process.env, { AUTH_LOCAL_ID: 'nextjs', AUTH_LOCAL_SECRET: randomBytes(33).toString('base64') });
  const { issuer } = await startProvider({
    port: Number(process.env.PROVIDER_PORT ?? 3001),
    clientId: process.env.AUTH_LOCAL_ID,
    clientSecret: process.env.AUTH_LOCAL_SECRET,
    redirectUri: `${site}/api/auth/callback/local`,
  });
  process.env.AUTH_LOCAL_ISSUER = issuer;
}

const pulse = {
  ASPNETCORE_URLS: process.env.PULSE_URL,
  Pulse__Cors__Origins__0: new URL(site).origin,
  Pulse__Auth__TrustedIssuers__0__Kind: 'AuthJs',
  Pulse__Auth__TrustedIssuers__0__Issuer: 'https://nextjs.sample',
  Pulse__Auth__TrustedIssuers__0__SigningKey: process.env.AUTH_SECRET,
};
// PULSE_PROGRAM is a Pulse.Web.dll that is built already.
run('dotnet', process.env.PULSE_PROGRAM ? [process.env.PULSE_PROGRAM] : ['run', '--project', path('../../../src/Pulse.Web')], pulse);
run(process.execPath, [path('../node_modules/next/dist/bin/next'), process.argv[2] ?? 'dev', '--hostname', 'localhost'], {});

/** All programs end together. */
function run(command, args, settings) {
  const child = spawn(command, args, { cwd: root, env: { ...process.env, ...settings }, stdio: 'inherit' });
  child.on('exit', (code) => process.exit(code ?? 1));
  for (const signal of ['SIGINT', 'SIGTERM', 'exit']) process.on(signal, () => child.kill());
}
