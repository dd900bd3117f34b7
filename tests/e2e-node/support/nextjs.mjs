// Builds samples/nextjs in artifacts/nextjs, with the packed client package, and with a page that is the README of that package.
//
// A build takes half a minute of processor time, so it is made once and stays until a source changes. Two runs in one checkout take turns:
// `flock artifacts/.nextjs-lock node tests/e2e-node/support/nextjs.mjs`.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const sample = join(root, 'samples/nextjs');
const client = join(root, 'clients/typescript');
const made = join(root, 'artifacts/client-package');

/** As deep in the repository as the sample, because its lock file names the package by a relative path. */
export const site = join(root, 'artifacts/nextjs');

/** The path of the page that is the chat example of the package's README. It reads the address of Pulse from its own: `?pulse=`. */
export const readmePath = '/readme';

/** A POST adds 300 people to those of the application, as if they had signed in. */
export const manyPeoplePath = '/api/many-people';

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) build();

function build() {
  const stamp = join(site, '.next/.sources');
  const packed = ['src', 'package.json', 'README.md'].map((name) => join(client, name));
  const sources = hash([sample, ...packed, fileURLToPath(import.meta.url)]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return;

  installSample();
  installPackage();
  writePages();
  run(process.execPath, ['node_modules/next/dist/bin/next', 'build'], site, { NEXT_TELEMETRY_DISABLED: '1' });
  writeFileSync(stamp, sources);
}

function installSample() {
  const lock = readFileSync(join(sample, 'package-lock.json'), 'utf8');
  const installed = join(site, 'node_modules/.installed-lock');
  mkdirSync(site, { recursive: true });
  for (const name of readdirSync(site)) if (name !== 'node_modules') rmSync(join(site, name), { recursive: true });
  cpSync(sample, site, { recursive: true, filter: isSource });
  if (existsSync(installed) && readFileSync(installed, 'utf8') === lock) return;
  run('npm', ['ci', '--loglevel=error', '--no-audit', '--no-fund'], site);
  writeFileSync(installed, lock);
}

/** In a copy, because the tests of the package build it in its own folder at the same time. */
function installPackage() {
  rmSync(made, { recursive: true, force: true });
  cpSync(client, made, { recursive: true, filter: isSource });
  symlinkSync(join(client, 'node_modules'), join(made, 'node_modules'));
  run('npm', ['run', '--silent', 'build'], made);
  const file = run('npm', ['pack', '--silent'], made).trim().split('\n').at(-1);
  const installed = join(site, 'node_modules/@pulse-presence/client');
  rmSync(installed, { recursive: true, force: true });
  mkdirSync(installed, { recursive: true });
  run('tar', ['-xzf', file, '-C', installed, '--strip-components=1'], made);
}

/** Changes only the client of the example, because the site and Pulse have different origins here. */
function writePages() {
  const readme = readFileSync(join(client, 'README.md'), 'utf8');
  const examples = [...readme.matchAll(/^```tsx\n(.*?)^```$/gms)].map(([, code]) => code);
  const folder = join(site, 'app/readme');
  mkdirSync(folder, { recursive: true });
  for (const [index, code] of examples.entries()) {
    writeFileSync(join(folder, `example-${index}.tsx`), code.startsWith("'use client'") ? code : `'use client';\n${code}`);
  }
  const index = examples.findIndex((code) => code.includes('useConversations'));
  const created = 'createPulseClient({ chat: chat() })';
  if (!examples[index]?.includes(created)) throw new Error(`No example of the README contains "${created}"`);
  writeFileSync(join(folder, 'chat.tsx'), examples[index].replace(created, `createPulseClient({
  chat: chat(),
  url: typeof location === 'undefined' ? undefined : new URLSearchParams(location.search).get('pulse') ?? undefined,
  getToken: async () => (await fetch('/api/pulse-token', { method: 'POST' })).json(),
})`));
  writeFileSync(join(folder, 'page.tsx'), "import { Chat } from './chat';\n\nexport default function Page() {\n  return <Chat />;\n}\n");
  mkdirSync(join(site, 'app', manyPeoplePath));
  writeFileSync(join(site, 'app', manyPeoplePath, 'route.ts'), `import { remember } from '@/lib/people';
export function POST() {
  for (let number = 0; number < 300; number++) remember({ subject: \`test:\${number}\`, name: \`Person \${number}\` });
  return new Response();
}
`);
}

function isSource(path) {
  return !/[\\/](node_modules|dist|\.next|next-env\.d\.ts|\.env\.local|[^\\/]*\.tsbuildinfo)$/.test(path);
}

function hash(paths) {
  const sum = createHash('sha256');
  const add = (path) => {
    if (!isSource(path)) return;
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) add(join(path, name));
    else sum.update(`${path}\0`).update(readFileSync(path));
  };
  for (const path of paths) add(path);
  return sum.digest('hex');
}

function run(command, args, cwd, variables = {}) {
  try {
    return execFileSync(command, args, { cwd, env: { ...process.env, ...variables }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')} failed\n${error.stdout}${error.stderr}`);
  }
}
