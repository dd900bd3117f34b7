// Every block of code in README.md and docs is run, compiled, parsed, or listed below with the reason.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { SignJWT } from 'jose';
import { parseAllDocuments } from 'yaml';
import { Client } from './support/client.mjs';
import { startPulse } from './support/fixture.mjs';
import { freePort } from './support/ports.mjs';
import { until } from './support/until.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

const elsewhere = {
  'docs/chat.md': 'chat.test.mjs runs it',
  'docs/authjs.md': 'needs next-auth and an application with it; tests/authjs-tokens makes such tokens',
};

// Each block is named by its beginning. This test skips blocks that need Docker, Kubernetes, root, an account elsewhere or many minutes.
const unrun = [
  ['README.md', 'git clone', 'clones and builds: this test uses the build of the clone'],
  ['README.md', 'export ConnectionStrings__Postgres', 'the servers are the reader\'s. newcomer.test.mjs runs Pulse on both'],
  ['README.md', 'cp .env.example', 'needs Docker. deployment.test.mjs checks the files'],
  ['README.md', './test.sh', 'is this run'],
  ['README.md', 'import { HttpTransportType', 'clients/typescript/test/pack.test.mjs runs it'],
  ['docs/front-end/quick-start.md', 'dotnet run', 'this test starts the built Pulse instead'],
  ['docs/front-end/quick-start.md', '(cd clients/typescript', 'needs the registry. clients/typescript/test/pack.test.mjs packs, installs and builds alike'],
  ['docs/front-end/quick-start.md', 'node server.mjs &', 'this test opens the page with Vite as a library'],
  ['docs/audit.md', 'key=$(openssl', 'needs the signing key that was in force. MailboxHash has tests of its own'],
  ['docs/dotnet/host.md', 'dotnet run', 'dotnet-host.test.mjs starts the built host'],
  ['docs/dotnet/testing.md', './test.sh', 'is this run'],
  ['docs/operator/install.md', 'cp .env.example', 'needs Docker. deployment.test.mjs checks the files'],
  ['docs/operator/install.md', 'dotnet publish', 'takes minutes: the images of continuous integration publish both programs'],
  ['docs/operator/install.md', 'docker compose exec', 'needs Docker'],
  ['docs/operator/install.md', 'registry=', 'needs Docker and Kubernetes. deployment.test.mjs checks the files'],
  ['docs/operator/install.md', 'mkdir -p overlays', 'makes files in the clone. deployment.test.mjs makes the same elsewhere'],
  ['docs/operator/install.md', 'kubectl create namespace', 'needs Kubernetes. deployment.test.mjs checks the files'],
  ['docs/operating.md', 'git pull', 'needs Docker. deployment.test.mjs checks the order'],
  ['docs/operating.md', 'docker compose exec', 'needs Docker'],
  ['docs/operating.md', 'docker compose stop', 'needs Docker. deployment.test.mjs checks the order'],
  ['docs/operator/observe.md', 'COMPOSE_FILE', 'lines of .env for Docker. deployment.test.mjs knows their names'],
  ['docs/operator/observe.md', 'deploy/observability/prometheus.sh', 'needs a Prometheus that Debian 12 lacks'],
  ['docs/operator/observe.md', 'promtool', 'observability.test.mjs runs it where it is installed'],
  ['docs/operator/tls.md', 'PULSE_HOST=', 'needs Caddy and a host name. deployment.test.mjs checks the file'],
];

const pages = ['README.md', ...markdown('docs')];
const blocks = pages.filter((page) => !elsewhere[page]).flatMap((page) =>
  [...readFileSync(join(root, page), 'utf8').matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map(([, indent, language, text]) => ({
    page, language, text: text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    reason: unrun.find(([file, begin]) => file === page && text.trimStart().startsWith(begin))?.[2],
  })));
const of = (...languages) => blocks.filter(({ language, reason }) => languages.includes(language) && !reason);

test('each block has a known language, and each reason a block', () => {
  const known = ['sh', 'ts', 'tsx', 'js', 'html', 'json', 'yaml', 'cs', 'sql', 'http', 'mermaid', 'text'];
  assert.deepEqual(blocks.filter(({ language }) => !known.includes(language)).map(({ page, language, text }) => [page, language, text.split('\n')[0]]), []);
  for (const [page, begin] of unrun) assert.ok(blocks.some((block) => block.page === page && block.text.trimStart().startsWith(begin)), `${page} has no block "${begin}"`);
  for (const page of Object.keys(elsewhere)) assert.ok(pages.includes(page), page);
});

test('JSON and YAML parse', () => {
  for (const { page, text } of of('json')) if (!text.includes('…')) assert.doesNotThrow(() => JSON.parse(text), `${page}: ${text}`);
  for (const { page, text } of of('yaml')) for (const document of parseAllDocuments(text)) assert.deepEqual(document.errors, [], `${page}: ${text}`);
});

test('C# is quoted from sources that are compiled', () => {
  const squeeze = (text) => text.replaceAll(/\s+/g, ' ').trim();
  const sources = ['src', 'tests', 'samples'].flatMap((folder) => files(folder, '.cs')).map((path) => squeeze(readFileSync(join(root, path), 'utf8')));
  for (const { page, text } of of('cs')) assert.ok(sources.some((source) => source.includes(squeeze(text))), `${page} has code that no source has:\n${text}`);
});

test('links lead to files and headings', () => {
  const anchors = new Map();
  const headings = (path) => anchors.get(path) ?? anchors.set(path, readFileSync(path, 'utf8').replaceAll(/^```.*?^```/gms, '').split('\n')
    .filter((line) => /^#+ /.test(line)).map((line) => line.replace(/^#+ /, '').toLowerCase().replaceAll(/[^\w\- ]/g, '').replaceAll(' ', '-'))).get(path);
  const dead = [];
  for (const page of [...pages, 'CONTRIBUTING.md', 'clients/typescript/README.md']) {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```.*?^```/gms, '');
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      const [path, anchor] = target.split('#');
      const file = path ? resolve(root, dirname(page), path) : join(root, page);
      if (!existsSync(file) || (anchor && !headings(file).includes(anchor))) dead.push(`${page}: ${target}`);
    }
  }
  assert.deepEqual(dead, []);
});

test('each page of docs is reached from the README', () => {
  const reached = new Set();
  const follow = (page) => {
    if (reached.has(page)) return;
    reached.add(page);
    for (const [, target] of readFileSync(join(root, page), 'utf8').matchAll(/\]\(([^)\s#]+\.md)(?:#[^)]*)?\)/g))
      if (!/^[a-z]+:/.test(target)) follow(resolve('/', dirname(page), target).slice(1));
  };
  follow('README.md');
  assert.deepEqual(pages.filter((page) => !reached.has(page)), []);
});

test('the names of settings in documents and examples are those of Pulse', () => {
  const known = read('tests/Pulse.Web.Tests/Contracts/public-contracts.txt').split('\n').filter((line) => line.startsWith('setting '))
    .map((line) => line.split(' ')[1].replaceAll(':', '__')).concat('Pulse__Silo', 'Pulse__PublicUrl');
  const patterns = known.map((name) => new RegExp(`^${name.replaceAll('*', '[^_]+')}$`));
  const examples = ['.env.example', 'docker-compose.yml', ...files('deploy', '.env'), ...files('deploy', '.yaml')];
  for (const path of [...pages, ...examples]) {
    const used = [...read(path).matchAll(/Pulse(?:__\w+)+/g)].map(([name]) => name.replace(/_+$/, ''));
    // A page may speak of a section, such as Pulse__Chat.
    const wrong = used.filter((name) => !patterns.some((pattern) => pattern.test(name)) && !known.some((setting) => setting.startsWith(`${name}__`)));
    assert.deepEqual(wrong, [], path);
  }
});

test('a restore has one way, to which each page that speaks of it leads', () => {
  const [, section] = /^### Restore\n(.*?)^##/ms.exec(read('docs/operating.md'));
  const steps = [...section.matchAll(/^(\d)\. (.*?)(?=^\d\. |^$)/gms)].map(([, , text]) => text);
  assert.equal(steps.length, 5, section);
  for (const [step, words] of [['front ends', 'silos'], ['PostgreSQL'], ['chat_log'], ['silos', 'front ends'], ['user-erased', 'admin-erased', 'DELETE /admin/users']].entries())
    for (const word of words) assert.ok(steps[step].includes(word), `step ${step + 1} names ${word}`);
  const speaking = pages.filter((page) => /\brestor(?:e|ed|ing)\b[^.]*\b(?:backup|database)\b|\bbackup\b[^.]*\brestor/i.test(prose(read(page))));
  for (const page of ['docs/chat.md', 'docs/security.md', 'docs/operator/README.md', 'docs/operating.md']) assert.ok(speaking.includes(page), page);
  assert.deepEqual(speaking.filter((page) => !/\]\((?:(?:\.\.\/)*(?:docs\/)?operating\.md)?#restore\)/.test(read(page))), []);
});

test('the changelog has one section for each day, newest first', () => {
  const changelog = read('CHANGELOG.md');
  const sections = [...changelog.matchAll(/^## (.*?)\n(.*?)(?=^## |(?![\s\S]))/gms)];
  const [[, first, unreleased]] = sections;
  assert.equal(first, 'Unreleased');
  const days = [...unreleased.matchAll(/^### (.*)$/gm)].map(([, day]) => day);
  assert.ok(days.length > 0 && days.every((day) => /^\d{4}-\d{2}-\d{2}$/.test(day)), days.join());
  assert.deepEqual(days, [...new Set(days)].sort().reverse());
  assert.match(unreleased, /^\s*### /, 'each line is in the section of a day');
  for (const [, heading] of sections.slice(1)) assert.match(heading, /^\d+\.\d+\.\d+ \(\d{4}-\d{2}-\d{2}\)$/);
});

test('the pages name the Node.js that their packages need, and pin what they fetch', () => {
  const { engines } = JSON.parse(read('clients/typescript/package-lock.json')).packages['node_modules/vite'];
  const versions = engines.node.match(/\d+\.\d+/g);
  assert.ok(versions.length > 0);
  for (const page of ['docs/front-end/quick-start.md', 'CONTRIBUTING.md'])
    for (const version of versions) assert.ok(read(page).includes(version), `${page} names Node.js ${version}`);
  assert.deepEqual(blocks.filter(({ text }) => text.includes('@latest')).map(({ page }) => page), []);
});

test('TypeScript compiles, with the package of this repository', { timeout: 120_000 }, async (t) => {
  const project = await mkdtemp(join(tmpdir(), 'pulse-docs-'));
  t.after(() => rm(project, { recursive: true, force: true }));
  const client = join(root, 'clients/typescript');
  await symlink(join(client, 'node_modules'), join(project, 'node_modules'));
  await writeFile(join(project, 'tsconfig.json'), JSON.stringify({
    compilerOptions: {
      target: 'ES2023', lib: ['ES2023', 'DOM', 'DOM.Iterable'], module: 'ESNext', moduleResolution: 'bundler', types: ['node'], strict: true, jsx: 'react-jsx',
      noEmit: true, skipLibCheck: true, moduleDetection: 'force', allowJs: true,
      paths: {
        '@pulse-presence/client': [join(client, 'src/index.ts')],
        '@pulse-presence/client/chat': [join(client, 'src/chat.ts')],
        '@pulse-presence/client/react': [join(client, 'src/react.ts')],
        jose: [join(root, 'tests/e2e-node/node_modules/jose')],
      },
    },
    include: ['code'],
  }));
  // Of a package that only these pages need, this declares the parts that they use.
  await mkdir(join(project, 'code'));
  await writeFile(join(project, 'code/vue.d.ts'), 'declare module "vue" { export function shallowRef<T>(value: T): { value: T }; export function onScopeDispose(end: () => void): void; }\n');
  const quoted = of('ts', 'tsx', 'js');
  assert.ok(quoted.length > 8);
  for (const [index, { language, text, page }] of quoted.entries()) {
    // A block that names its file is imported by others of its page under that name.
    const folder = join(project, 'code', page.replaceAll(/\W/g, '-'));
    const path = join(folder, nameOf(text) ?? `block-${index}.${language}`);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  }
  await run(process.execPath, [join(client, 'node_modules/typescript/bin/tsc'), '-p', '.'], { cwd: project }).catch((error) => assert.fail(`${error.stdout}${error.stderr}`));
});

test('shell lines run as printed, and the pages of the quick start and of its chat work in two windows', { timeout: 300_000 }, async (t) => {
  const scratch = await mkdtemp(join(tmpdir(), 'pulse-docs-'));
  t.after(() => rm(scratch, { recursive: true, force: true }));
  await symlink(fileURLToPath(new URL('node_modules', import.meta.url)), join(scratch, 'node_modules'));
  for (const { text } of of('js')) if (nameOf(text)) await writeFile(join(scratch, nameOf(text)), text);

  // Settings that the pages export are Pulse's.
  const settings = of('sh').filter(({ text }) => text.startsWith('export Pulse__'));
  const { stdout } = await run('bash', ['-euc', `${settings.map(({ text }) => text).join('')}env -0`], { env: { PATH: process.env.PATH } });
  const environment = Object.fromEntries(stdout.split('\0').filter((entry) => entry.startsWith('Pulse__')).map((entry) => entry.split(/=(.*)/s)));
  const [page, backend] = [await freePort(), await freePort()];
  // The page's port here, and a shorter wait for the closed page.
  Object.assign(environment, { Pulse__Cors__Origins__0: `http://localhost:${page}`, Pulse__Presence__OfflineGrace: '00:00:01' });
  const { pulse } = await startPulse(t, { settings: environment });
  const claimant = await stateAddress(pulse, environment, 'heidi@example.com');

  const located = (text) => text.replaceAll(/(?:http:\/\/)?localhost:5080/g, pulse.url).replaceAll('localhost:3000', `localhost:${backend}`);
  const variables = { ...process.env, ...environment, PORT: `${backend}`, PULSE: pulse.url };
  for (const name of new Set(of('sh').map((block) => block.page))) {
    const lines = of('sh').filter((block) => block.page === name && !settings.includes(block)).map(({ text }) => text);
    if (lines.length === 0) continue;
    const script = `trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n${lines.join('')}`;
    const result = await run('bash', ['-euo', 'pipefail', '-c', located(script)], { cwd: scratch, env: variables, timeout: 60_000 })
      .catch((error) => assert.fail(`${name}: ${error.stdout}${error.stderr}`));
    assert.match(result.stdout, /"(id|userId|users|items)":/, `${name} shows an answer`);
    assert.doesNotMatch(result.stdout, /urn:pulse:problem/, `${name}: ${result.stdout}`);
  }
  // The lines of docs/operator/users.md erase only the owner of the address.
  const admin = { headers: { authorization: `Bearer ${environment.Pulse__Admin__Key}` } };
  const { items } = await (await fetch(`${pulse.url}/admin/users?email=heidi@example.com`, admin)).json();
  assert.deepEqual(items.map(({ id, emailVerified }) => [id, emailVerified]), [[claimant.id, false]]);
  // Chromium is there in ./test.sh.
  if (process.env.PULSE_TEST_CHROMIUM) await openPages(t, { scratch, located, variables, page, backend });
});

/** A user that has stated the address first, unproven, in a token of the trusted issuer of the pages. */
async function stateAddress(pulse, environment, email) {
  const user = new Client(pulse);
  user.token = await new SignJWT({ email }).setProtectedHeader({ alg: 'HS256' }).setSubject('mallory').setIssuedAt().setExpirationTime('1h')
    .setIssuer(environment.Pulse__Auth__TrustedIssuers__0__Issuer).setAudience(environment.Pulse__Auth__TrustedIssuers__0__Audience)
    .sign(new TextEncoder().encode(environment.Pulse__Auth__TrustedIssuers__0__SigningKey));
  const { status, body } = await user.sendUntilAvailable('POST', '/auth/sync', {});
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

/** Serves the pages as Vite's development server does, for two people in two browser windows. */
async function openPages(t, { scratch, located, variables, page, backend }) {
  const server = spawn(process.execPath, ['server.mjs'], { cwd: scratch, env: variables, stdio: 'ignore' });
  t.after(() => server.kill('SIGKILL'));
  // Vite and Playwright are those of the package's own tests.
  const modules = join(root, 'clients/typescript/node_modules');
  const { createServer: createSite } = await import(join(modules, 'vite/dist/node/index.js'));
  const { chromium } = await import(join(modules, 'playwright-core/index.mjs'));
  await until('the back end', async () => (await fetch(`http://localhost:${backend}/api/people`)).status, (status) => status === 200);
  const browser = await chromium.launch({ executablePath: process.env.PULSE_TEST_CHROMIUM, args: ['--no-sandbox'] });
  t.after(() => browser.close());

  /** Serves the files that a page of the documents names, until the returned function is called. */
  const serve = async (document) => {
    const site = await mkdtemp(join(scratch, 'site-'));
    await mkdir(join(site, 'src'));
    // The one that `npm create vite` makes, as far as the quick start needs it.
    await writeFile(join(site, 'index.html'), '<body><script type="module" src="/src/main.ts"></script></body>');
    for (const { text } of of('ts', 'html').filter(({ page: name, text }) => name === document && nameOf(text))) {
      await writeFile(join(site, nameOf(text)), located(text));
    }
    const client = join(root, 'clients/typescript/src');
    const vite = await createSite({
      root: site, configFile: false, logLevel: 'silent', cacheDir: join(scratch, 'cache'),
      resolve: {
        alias: [{ find: /^@pulse-presence\/client$/, replacement: join(client, 'index.ts') }, { find: '@pulse-presence/client', replacement: client }],
      },
      server: { port: page, strictPort: true, host: 'localhost', fs: { strict: false }, proxy: { '/api': `http://localhost:${backend}` } },
    });
    t.after(() => vite.close());
    await vite.listen();
    return () => vite.close();
  };
  const errors = [];
  const open = async (query) => {
    const tab = await (await browser.newContext()).newPage();
    tab.on('pageerror', (error) => errors.push(error.message));
    await tab.goto(`http://localhost:${page}/${query}`);
    return tab;
  };

  const close = await serve('docs/front-end/quick-start.md');
  await showContacts(await open(''), await open('?as=bob'));
  await close();
  await serve('docs/front-end/chat.md');
  await talk(await open(''), await open('?as=bob'));
  assert.deepEqual(errors, []);
}

async function showContacts(ada, bob) {
  for (const tab of [ada, bob]) {
    await until('both people online', () => tab.locator('li').allInnerTexts(),
      (rows) => rows.length === 2 && rows.every((row) => /^(Ada|Bob): online/.test(row)));
  }
  await bob.close();
  await until('Bob offline', () => ada.locator('li').allInnerTexts(), (rows) => rows.some((row) => row.startsWith('Bob: offline')));
  await ada.close();
}

async function talk(ada, bob) {
  const rows = (tab, list) => tab.locator(`#${list} li`).allInnerTexts().then((texts) => texts.map((text) => text.trim()));
  const shows = (tab, list, expected) => until(`${list}: ${expected}`, () => rows(tab, list), (texts) => texts.join('\n') === expected.join('\n'));
  const isTitled = (tab, title) => until(title, () => tab.title(), (text) => text === title);
  const say = async (tab, text) => {
    await tab.locator('#text').fill(text);
    await tab.locator('#text').press('Enter');
  };
  for (const [tab, own] of [[ada, 'Ada'], [bob, 'Bob']]) {
    await shows(tab, 'people', ['Ada online', 'Bob online']);
    assert.equal(await tab.locator('#people button', { hasText: own }).isDisabled(), true, 'nobody talks to themselves');
  }

  await ada.locator('#people button', { hasText: 'Bob' }).click();
  await say(ada, ' ');
  await say(ada, 'Hello, Bob');
  await shows(ada, 'messages', ['You: Hello, Bob']);
  await shows(bob, 'inbox', ['Ada Hello, Bob 1 unread']);
  await isTitled(bob, '(1) Contacts');

  await bob.locator('#inbox button').click();
  await shows(bob, 'messages', ['Ada: Hello, Bob']);
  await shows(bob, 'inbox', ['Ada Hello, Bob']);
  await isTitled(bob, 'Contacts');
  await bob.locator('#text').pressSequentially('Hel');
  await until('Bob is typing', () => ada.locator('#typing').innerText(), (text) => text === 'Bob typing…');
  await say(bob, 'Hello, Ada');
  await shows(ada, 'messages', ['You: Hello, Bob', 'Bob: Hello, Ada']);
  await isTitled(ada, 'Contacts');

  // As the script sees it, because pages of a headless browser are always visible.
  const show = (state) => ada.evaluate((visibility) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => visibility });
    document.dispatchEvent(new Event('visibilitychange'));
  }, state);
  await show('hidden');
  // Two, because a message that is read at once is unread for a moment as well.
  await say(bob, 'Are you there?');
  await say(bob, 'I am here');
  await shows(ada, 'messages', ['You: Hello, Bob', 'Bob: Hello, Ada', 'Bob: Are you there?', 'Bob: I am here']);
  await isTitled(ada, '(2) Contacts');
  await show('visible');
  await isTitled(ada, 'Contacts');

  const said = ['Ada: Hello, Bob', 'You: Hello, Ada', 'You: Are you there?', 'You: I am here'];
  await say(bob, 'a'.repeat(9_000));
  await bob.locator('#messages li button', { hasText: 'Remove' }).click();
  await shows(bob, 'messages', said);
  // Either user opens the same conversation, from any page.
  await bob.locator('#people button', { hasText: 'Ada' }).click();
  await shows(bob, 'messages', said);
  assert.equal((await rows(bob, 'inbox')).length, 1);
}

/** The file that the first line of a block names: `// src/main.ts`, or `<!-- index.html -->`. */
function nameOf(text) {
  return /^(?:\/\/|<!--) ([\w./-]+\.(?:ts|tsx|mjs|js|html))(?: -->)?\n/.exec(text)?.[1];
}

/** The text between its blocks of code. */
function prose(text) {
  return text.replaceAll(/^ *```.*?^ *```$/gms, '');
}

function read(path) {
  return readFileSync(join(root, path), 'utf8');
}

function markdown(folder) {
  return files(folder, '.md');
}

function files(folder, extension) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return ['bin', 'obj', 'node_modules'].includes(entry.name) ? [] : files(path, extension);
    return entry.name.endsWith(extension) ? [path] : [];
  });
}
