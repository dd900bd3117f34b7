// What somebody gets who installs the package: packed, in a project of its own, outside of this repository.
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { somebody } from '../../../tests/e2e-node/support/fixture.mjs';
import { connect, launchBrowser, noBrowser, signUp, startPulse } from './e2e/support.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const sample = fileURLToPath(new URL('../../../samples/contact-list', import.meta.url));
const timeout = 300_000;

const readme = await readFile(join(root, 'README.md'), 'utf8');
/** The README's TypeScript, in its order; the first are the five lines. */
const quoted = [...readme.matchAll(/^```(tsx?)\n(.*?)^```$/gms)].map(([, extension, code]) => ({ extension, code }));
const top = 'node_modules/';
const { packages: locked } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8'));
/** By name, what this package's lock file has at the top: a project that takes just these is the same today and in a year. */
const versions = Object.fromEntries(
  Object.entries(locked).filter(([path]) => path.lastIndexOf(top) === 0).map(([path, { version }]) => [path.slice(top.length), version]));

let project;
let packed;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), 'pulse-pack-'));
  const { stdout } = await npm(root, 'pack', '--json', '--pack-destination', project);
  // npm 12 answers with an object of packages where npm 11 answers with a list.
  [packed] = Object.values(JSON.parse(stdout));
  // Overrides, because `install` names direct dependencies alone. Those are overridden too, which npm allows as long as the versions are the same.
  await write('package.json', JSON.stringify({ name: 'fresh', private: true, type: 'module', overrides: versions }));
  // As `npm create vite` makes it, but that the package's own types are looked into as well.
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
afterAll(() => rm(project, { recursive: true, force: true }));

test('holds what it needs and nothing else', () => {
  const files = packed.files.map(({ path }) => path);
  expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts', 'dist/react.js', 'dist/react.d.ts']));
  expect(files.filter((path) => !/^(LICENSE|README\.md|package\.json|dist\/[a-z-]+\.(js|js\.map|d\.ts))$/.test(path))).toEqual([]);
});

test('the five lines type-check and build in a fresh Vite project, without React', { timeout }, async () => {
  expect(quoted[0].code.trim().split('\n').filter((line) => !/^(import .*|}?)$/.test(line)), 'five lines, with the import').toHaveLength(4);
  expect(await readFile(new URL('../../../README.md', import.meta.url), 'utf8'), "the repository's README shows the same").toContain(quoted[0].code);
  expect(existsSync(join(project, 'node_modules/react'))).toBe(false);
  await tsc();
  await vite('build');
  expect(await bundle()).toContain('WatchPresence');
});

test('the five lines, so built, run in Chromium against Pulse', { skip: noBrowser, timeout }, async () => {
  const pulse = await startPulse();
  const grace = await signUp(pulse);
  await write('index.html', `<ul><li data-user="${grace.id}">Grace</li></ul><script type="module" src="/src/main.ts"></script>`);
  await vite('build');

  // Page and Pulse at one origin, as the README has it.
  const { preview } = await import('vite');
  const site = await preview({
    root: project,
    configFile: false,
    logLevel: 'silent',
    preview: { host: '127.0.0.1', port: 0, proxy: { '/auth': pulse.url, '/hubs': { target: pulse.url, ws: true } } },
  });
  onTestFinished(() => site.close());
  const browser = await launchBrowser();
  onTestFinished(() => browser.close());
  const page = await browser.newPage();
  const noise = [];
  page.on('pageerror', (error) => noise.push(error.message));
  await page.goto(new URL('/auth/me', site.resolvedUrls.local[0]).href);
  await page.evaluate((fields) => fetch('/auth/signin/dev', { method: 'POST', body: new URLSearchParams(fields) }), somebody());
  await page.goto(site.resolvedUrls.local[0]);

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

test('what is not used is not bundled', { timeout }, async () => {
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
  await install('react', '@types/react');
  for (const [index, { extension, code }] of quoted.entries()) await write(`src/quoted-${index}.${extension}`, code);
  expect(quoted.length).toBeGreaterThanOrEqual(4);
  await tsc();

  // Its dependencies are this project's: the packed client, not the one beside it.
  await cp(sample, join(project, 'sample'), { recursive: true, filter: (path) => !/[\\/](node_modules|dist)$/.test(path) });
  await npm(join(project, 'sample'), 'run', 'build');
});

async function install(...packages) {
  const specs = packages.map((name) => (versions[name] ? `${name}@${versions[name]}` : name.endsWith('.tgz') ? `./${name}` : name));
  await npm(project, 'install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', ...specs);
}

const npm = (cwd, ...args) => explained(run('npm', args, { cwd, shell: process.platform === 'win32' }));
const node = (code) => explained(run(process.execPath, ['--input-type=module', '--eval', code], { cwd: project }));
const tsc = () => explained(run(process.execPath, ['node_modules/typescript/bin/tsc'], { cwd: project }));
const vite = (...args) => explained(run(process.execPath, ['node_modules/vite/bin/vite.js', ...args], { cwd: project }));

/** A compiler says on standard output what is wrong. */
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
