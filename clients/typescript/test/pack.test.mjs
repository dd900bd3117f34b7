// Tests the package as an application gets it: packed, in a new project, outside of this repository.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { somebody } from '../../../tests/e2e-node/support/fixture.mjs';
import { chat } from '../dist/chat.js';
import { connect, launchBrowser, noBrowser, signUp, startPulse, until } from './e2e/support.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const sample = fileURLToPath(new URL('../../../samples/contact-list', import.meta.url));
const timeout = 300_000;

const readme = await readFile(join(root, 'README.md'), 'utf8');
/** The README's TypeScript, in its order. The first block has the five lines. */
const rootReadme = await readFile(join(root, '../../README.md'), 'utf8');
const quoted = [...readme.matchAll(/^```(tsx?)\n(.*?)^```$/gms)].map(([, extension, code]) => ({ extension, code }));
const top = 'node_modules/';
const { packages: locked } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
/** The packages at the top of this package's lock file, by name: a project with these versions gets the same code today and in a year. */
const versions = Object.fromEntries(
  Object.entries(locked).filter(([path]) => path.lastIndexOf(top) === 0).map(([path, { version }]) => [path.slice(top.length), version]));

let project;
let packed;
let browser;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'pulse-pack-'));
  const { stdout } = await npm(root, 'pack', '--json', '--pack-destination', project);
  // npm 12 answers with an object of packages where npm 11 answers with a list.
  [packed] = Object.values(JSON.parse(stdout));
  // Overrides fix the versions of indirect dependencies too: `install` names direct ones only. npm allows overrides of direct dependencies if
  // the versions are the same.
  await write('package.json', JSON.stringify({ name: 'fresh', private: true, type: 'module', overrides: versions }));
  // As `npm create vite` makes it, but it also checks the package's own types.
  await write('tsconfig.json', JSON.stringify({
    compilerOptions: {
      target: 'ES2023', lib: ['ES2023', 'DOM', 'DOM.Iterable'], module: 'ESNext', moduleResolution: 'bundler', types: ['vite/client'],
      strict: true, noUnusedLocals: true, noUnusedParameters: true, verbatimModuleSyntax: true, moduleDetection: 'force', jsx: 'react-jsx', noEmit: true,
    },
    include: ['src'],
  }));
  await write('index.html', '<ul><li data-user="a">Ada</li></ul><script type="module" src="/src/main.ts"></script>');
  await write('src/main.ts', quoted[0].code);
  await install(packed.filename, 'vite', 'typescript');
}, timeout);
afterAll(async () => {
  await browser?.close();
  await rm(project, { recursive: true, force: true });
});

test('the package holds the needed files only', () => {
  const files = packed.files.map(({ path }) => path);
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'dist/react.js', 'dist/react.d.ts', 'dist/chat.js', 'dist/chat.d.ts']));
  expect(files.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/(chat\/)?[a-z-]+\.(js|js\.map|d\.ts))$/.test(path))).toEqual([]);
});

test('the five lines type-check and build in a fresh Vite project, without React', { timeout }, async () => {
  expect(quoted[0].code.trim().split('\n').filter((line) => !/^(import .*|}?)$/.test(line)), 'five lines, with the import').toHaveLength(4);
  expect(rootReadme, "the repository's README shows the same").toContain(quoted[0].code);
  expect(existsSync(join(project, 'node_modules/react'))).toBe(false);
  await tsc();
  await vite('build');
  expect(await bundle()).toContain('WatchPresence');
});

test('20 hot reloads of the five lines leave one socket', { skip: noBrowser, timeout }, async () => {
  const pulse = await startPulse();
  const grace = await signUp(pulse);
  await write('hot.html', `<ul><li data-user="${grace.id}">Grace</li></ul><script type="module" src="/src/hot.ts"></script>`);
  // The code that a plugin for React or Vue adds to the modules that it can replace.
  const module = (edit) => `${quoted[0].code}\nObject.assign(window, { edit: ${edit} });\nimport.meta.hot?.accept();\n`;
  await write('src/hot.ts', module(0));
  const { createServer } = await import('vite');
  const site = await createServer({
    root: project,
    configFile: false,
    logLevel: 'silent',
    server: { host: '127.0.0.1', port: 0, proxy: proxyTo(pulse) },
  });
  onTestFinished(() => site.close());
  await site.listen();
  const { page, noise, sockets } = await visit(site.resolvedUrls.local[0], 'hot.html');
  await page.waitForSelector('li[data-status=offline]', { timeout: 60_000 });
  const watcher = connect(pulse, await signUp(pulse));
  const seen = [];
  watcher.watch(await page.evaluate(() => fetch('/auth/me').then((answer) => answer.json()).then((me) => me.id)), ({ status }) => seen.push(status));
  await until('online', () => seen, ([status]) => status === 'online', { withinMs: 60_000 });

  for (let edit = 1; edit <= 20; edit++) {
    // Saved again if the page stays the same, because a file watcher may miss one of two changes within milliseconds.
    let isShown = false;
    for (let save = 1; save <= 12 && !isShown; save++) {
      await write('src/hot.ts', module(edit));
      isShown = await page.waitForFunction((number) => window.edit === number, edit, { timeout: 5_000 }).then(() => true, () => false);
    }
    expect(isShown, `edit ${edit} was loaded`).toBe(true);
  }
  await until('one socket', () => sockets.filter((socket) => !socket.isClosed()).length, (count) => count === 1, { withinMs: 60_000 });
  // The status of the last client, which works.
  const graces = connect(pulse, grace);
  await page.waitForSelector('li[data-status=online]', { timeout: 60_000 });
  await graces.stop();
  expect(sockets.length, 'the page was not loaded anew').toBeGreaterThan(2);
  expect(seen, 'others see nothing of it').toEqual(['online']);
  expect(noise).toEqual([]);
});

test('the five lines, so built, run in Chromium against Pulse', { skip: noBrowser, timeout }, async () => {
  const pulse = await startPulse();
  const grace = await signUp(pulse);
  await write('index.html', `<ul><li data-user="${grace.id}">Grace</li></ul><script type="module" src="/src/main.ts"></script>`);
  await vite('build');

  // Page and Pulse at one origin, as in the README.
  const { page, noise } = await visit(await serve(pulse), '');
  const row = (status) => page.waitForSelector(`li[data-status=${status}]`, { timeout: 60_000 });
  await row('offline');
  const graces = connect(pulse, grace);
  await row('online');
  await graces.setStatus('busy');
  await row('busy');
  await graces.stop();
  await row('offline');
  expect(noise).toEqual([]);
});

test('unused parts are left out of the bundle', { timeout }, async () => {
  await write('shaken.html', '<script type="module" src="/src/shaken.ts"></script>');
  await write('src/shaken.ts', "import { PulseError } from '@pulse-presence/client';\nconsole.log(PulseError.name);\n");
  await write('shaken.config.js', "export default { build: { rollupOptions: { input: 'shaken.html' } } };\n");
  await vite('build', '--config', 'shaken.config.js');
  const code = await bundle();
  expect(code).toContain('PulseError');
  expect(code).not.toContain('WatchPresence');
  expect(code).not.toContain('HubConnection');
  await rm(join(project, 'src/shaken.ts'));
});

test('Node.js takes both entry points, and no inner file', { timeout }, async () => {
  const { stdout } = await node("import { createPulseClient } from '@pulse-presence/client'; console.log(createPulseClient().state.name)");
  expect(stdout.trim()).toBe('stopped');
  await expect(node("import '@pulse-presence/client/dist/client.js'")).rejects.toThrow('ERR_PACKAGE_PATH_NOT_EXPORTED');
});

test('all of the README compiles, and the sample builds', { timeout }, async () => {
  await install('react', 'react-dom', '@types/react', '@types/react-dom');
  for (const [index, { extension, code }] of quoted.entries()) await write(`src/quoted-${index}.${extension}`, code);
  expect(quoted.length).toBeGreaterThanOrEqual(4);
  await tsc();

  // Its dependencies are this project's: the packed client instead of the one in this repository.
  await cp(sample, join(project, 'sample'), { recursive: true, filter: (path) => !/[\\/](node_modules|dist)$/.test(path) });
  await npm(join(project, 'sample'), 'run', 'build');
});

test('the contact list keeps an invisible person invisible, and forgets a person that leaves', { skip: noBrowser, timeout }, async () => {
  const pulse = await startPulse();
  const { page, noise } = await visit(await serve(pulse, {}, join(project, 'sample')), '');
  const [status, message, problem] = ['select', 'input', '#problem'].map((selector) => page.locator(selector));
  const become = async (name) => {
    await page.getByRole('button', { name }).click();
    await page.getByText('Live').waitFor();
  };
  const sent = [];
  page.on('websocket', (socket) => socket.on('framesent', ({ payload }) => {
    const [, choice] = /"target":"SetStatus".*?"arguments":(\[.*?\])|$/.exec(payload);
    if (choice) sent.push(JSON.parse(choice));
  }));
  const form = () => status.evaluate(({ form }) => [form.status.value, form.message.value]);
  const set = () => page.getByRole('button', { name: 'Set' }).click();

  await become('Ada Lovelace');
  await status.selectOption('invisible');
  await set();
  await until('her choice', () => sent, (all) => all.length === 1);
  await page.reload();
  await page.getByText('Live').waitFor();
  await until('her status in the form', form, ([shown]) => shown === 'invisible');
  await message.fill('Reading');
  await set();
  await until('her message', () => sent, (all) => all.length === 2);
  expect(sent).toEqual([['invisible', null], ['invisible', 'Reading']]);

  await page.getByRole('button', { name: 'Leave' }).click();
  const kept = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('pulse ')));
  expect(await kept()).toEqual([]);
  await become('Grace Hopper');
  expect(await form()).toEqual(['online', '']);
  await pulse.kill();
  await page.getByText('Connection lost').waitFor();
  await set();
  await until('words', () => problem.textContent());
  await page.getByRole('button', { name: 'Leave' }).click();
  expect(await kept()).toEqual([]);
  expect(await problem.textContent()).toBe('');
  expect(noise).toEqual([]);
});

// A busy machine may let a token run out and so spoil one run; a fault of the package spoils each.
test('the code of both READMEs runs for longer than a token lives', { skip: noBrowser, timeout, retry: 2 }, async () => {
  const pulse = await startPulse({ Pulse__Auth__AccessTokenLifetime: '00:00:10' });
  const grace = await signUp(pulse);
  const [lines, react, , , elsewhere, all] = quoted;
  const [signalR] = [...rootReadme.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code]) => ({ extension: 'js', code }));
  const people = JSON.stringify([{ id: grace.id, name: 'Grace' }]);
  const list = `<ul><li data-user="${grace.id}">Grace</li></ul>`;
  const site = await serve(pulse, {
    lines: { ...lines, html: list },
    signalr: { ...signalR, html: list },
    react: {
      ...react,
      html: '<div id="root"></div>',
      after: `import { createRoot } from 'react-dom/client';\ncreateRoot(document.getElementById('root')!).render(<Contacts people={${people}} />);\n`,
    },
    // The address and the rendering are the reader's own.
    elsewhere: {
      extension: elsewhere.extension,
      code: elsewhere.code.replace("'https://pulse.example.com'", 'location.origin'),
      html: list,
      after: `pulse.watch('${grace.id}', ({ status }) => document.querySelector('li')!.setAttribute('data-status', status));\n`,
    },
    all: { ...all, html: '' },
  });

  const watcher = connect(pulse, grace);
  // A client of its own ends, and the others stay.
  const seen = [];
  const ada = await visit(site, 'all.html', { before: async (id) => watcher.watch(id, ({ status, message }) => seen.push([status, message])) });
  const pages = await Promise.all(['lines', 'signalr', 'react', 'elsewhere'].map(async (name) => ({ name, ...(await visit(site, `${name}.html`)) })));
  const show = (status) => Promise.all(pages.map(({ page }) => page.waitForSelector(`li[data-status=${status}]`, { timeout: 60_000 })));
  await show('online');
  // The user of the block "The whole interface", whose client ends.
  await until('busy with the message', () => seen.map(String), (all) => all.includes('busy,In a meeting until four'), { withinMs: 60_000 });
  await until('offline', () => seen.at(-1), ([status]) => status === 'offline', { withinMs: 60_000 });
  const connectedAt = Date.now();
  await until('the tokens of the start to have run out', () => Date.now() - connectedAt, (ms) => ms > 13_000, { withinMs: 20_000 });
  await watcher.setStatus('busy');
  await show('busy');
  await watcher.stop();
  await show('offline');
  for (const { name, sockets, noise } of pages) {
    expect(sockets.map((socket) => socket.isClosed()), name).toEqual([false]);
    expect(noise, name).toEqual([]);
  }
  expect(ada.noise).toEqual([]);
});

test("the README's conversation without React runs in Chromium", { skip: noBrowser, timeout }, async () => {
  const pulse = await startPulse();
  const grace = await signUp(pulse);
  const graces = connect(pulse, grace, { chat: chat() });
  const example = quoted.find(({ extension, code }) => extension === 'ts' && code.includes('conversations.create'));
  const site = await serve(pulse, {
    talk: {
      extension: example.extension,
      code: example.code.replace('018f6a52-0000-7000-8000-000000000001', grace.id),
      html: '',
      after: 'Object.assign(window, { like, leave, conversation });\n',
    },
  });
  const { page, noise, lines } = await visit(site, 'talk.html');
  const item = await until('a message for Grace', () => graces.conversations.getSnapshot().items[0] ?? null, (first) => first?.last?.text === 'Hello', { withinMs: 60_000 });
  await until('the own message, known as such', () => lines, (all) => all.includes('You Hello'), { withinMs: 60_000 });
  const conversation = graces.conversation(item.id);
  onTestFinished(conversation.open());
  conversation.send('Hello yourself');
  await until('the answer', () => lines, (all) => all.includes(`${grace.id} Hello yourself`), { withinMs: 60_000 });
  await page.evaluate((seq) => window.like(seq), item.last.seq + 1);
  const { messages } = await until('the reaction', () => conversation.getSnapshot(), ({ messages: all }) => all[1]?.reactions.length === 1, { withinMs: 60_000 });
  expect(messages.map(({ text, reactions }) => [text, reactions[0]?.emoji])).toEqual([['Hello', undefined], ['Hello yourself', '👍']]);
  await page.evaluate(() => window.leave());
  await page.waitForFunction(() => window.conversation.getSnapshot().state === 'closed', undefined, { timeout: 60_000 });
  expect(noise).toEqual([]);
});

test("rendered on a server, the README's React part sends no request, and the process ends", { timeout }, async () => {
  await install('react', 'react-dom', '@types/react', '@types/react-dom');
  const react = quoted.find(({ extension }) => extension === 'tsx');
  await write('src/render.tsx', `import { renderToString } from 'react-dom/server';
${react.code}
globalThis.fetch = () => { throw new Error('a request'); };
// The client is started by mistake here.
pulse.start();
console.log(renderToString(<Contacts people={[{ id: 'a', name: 'Ada' }]} />), pulse.state.name);
`);
  await vite('build', '--ssr', 'src/render.tsx', '--outDir', 'dist-server');
  const { stdout } = await explained(run(process.execPath, ['dist-server/render.js'], { cwd: project, timeout: 30_000 }));
  expect(stdout.trim()).toBe('<ul><li data-status="unknown">Ada<!-- --> </li></ul> stopped');
  await rm(join(project, 'src/render.tsx'));
});

/** Page and Pulse at one origin, with a page for each of these modules; without modules, the page of the built project. */
async function serve(pulse, modules = {}, root = project) {
  const input = [];
  for (const [name, { extension, code, html, after = '' }] of Object.entries(modules)) {
    await write(`${name}.html`, `${html}<script type="module" src="/src/run-${name}.${extension}"></script>`);
    await write(`src/run-${name}.${extension}`, `${code}\n${after}`);
    input.push(`${name}.html`);
  }
  if (input.length > 0) {
    await install('react', 'react-dom', '@types/react', '@types/react-dom');
    await write('modules.config.js', `export default { build: { target: 'es2022', rollupOptions: { input: ${JSON.stringify(input)} } } };\n`);
    await vite('build', '--config', 'modules.config.js');
    for (const [name, { extension }] of Object.entries(modules)) await rm(join(project, `src/run-${name}.${extension}`));
  }
  const { preview } = await import('vite');
  const site = await preview({ root, configFile: false, logLevel: 'silent', preview: { host: '127.0.0.1', port: 0, proxy: proxyTo(pulse) } });
  onTestFinished(() => site.close());
  return site.resolvedUrls.local[0];
}

const proxyTo = (pulse) => ({
  '/auth': pulse.url,
  '/conversations': pulse.url,
  '/health': pulse.url,
  '/hubs': { target: pulse.url, ws: true },
  '/users': pulse.url,
  // The application's own back end.
  '/api/pulse-token': { target: pulse.url, rewrite: () => '/auth/token' },
});

/** The page of that site, in a new browser, for a new signed-in user. `before` gets the user's id before it opens. */
async function visit(site, path, { before } = {}) {
  browser ??= await launchBrowser();
  const context = await browser.newContext();
  onTestFinished(() => context.close());
  const page = await context.newPage();
  const noise = [];
  page.on('pageerror', (error) => noise.push(error.message));
  const lines = [];
  page.on('console', (message) => lines.push(message.text()));
  const sockets = [];
  page.on('websocket', (socket) => new URL(socket.url()).pathname === '/hubs/pulse' && sockets.push(socket));
  await page.goto(new URL('/auth/me', site).href);
  await page.evaluate((fields) => fetch('/auth/signin/dev', { method: 'POST', body: new URLSearchParams(fields) }), somebody());
  await before?.(await page.evaluate(() => fetch('/auth/me').then((answer) => answer.json()).then((me) => me.id)));
  await page.goto(new URL(path, site).href);
  return { page, noise, lines, sockets };
}

async function install(...packages) {
  const specs = packages.map((name) => (versions[name] ? `${name}@${versions[name]}` : name.endsWith('.tgz') ? `./${name}` : name));
  await npm(project, 'install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', ...specs);
}

const npm = (cwd, ...args) => explained(run('npm', args, { cwd, shell: process.platform === 'win32' }));
const node = (code) => explained(run(process.execPath, ['--input-type=module', '--eval', code], { cwd: project }));
const tsc = () => explained(run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: project }));
const vite = (...args) => explained(run(process.execPath, ['node_modules/vite/bin/vite.js', ...args], { cwd: project }));

/** A compiler prints its errors on standard output. */
async function explained(running) {
  try {
    return await running;
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout}`);
  }
}

async function write(path, text) {
  await mkdir(join(project, path, '..'), { recursive: true });
  await writeFile(join(project, path), text);
}

async function bundle() {
  const assets = join(project, 'dist/assets');
  return (await Promise.all((await readdir(assets)).map((file) => readFile(join(assets, file), 'utf8')))).join('\n');
}
