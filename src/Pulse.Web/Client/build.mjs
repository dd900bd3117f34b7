// Run by the .NET build (see Client.targets): installs the packages if the lock file changed, then runs `npm run build`. Uses only Node
// itself, because a fresh clone lacks the packages.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const lock = join(here, '.build.lock');
const installed = join(here, 'node_modules', '.pulse-installed');
const lockWaitMs = 300_000;

await takeLock();
process.on('exit', () => rmSync(lock, { force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

const wanted = createHash('sha256').update(readFileSync(join(here, 'package-lock.json'))).digest('hex');
if (!existsSync(installed) || readFileSync(installed, 'utf8') !== wanted) {
  npm('ci');
  writeFileSync(installed, wanted);
}
npm('run', 'build');

/** `npm ci` empties node_modules, so two builds of this folder (`dotnet run` beside `dotnet test`) must take turns. */
async function takeLock() {
  for (const deadline = Date.now() + lockWaitMs; ; await delay(100)) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (ownerIsGone()) rmSync(lock, { force: true });
    else if (Date.now() > deadline) throw new Error(`${lock} is held by another build for ${lockWaitMs / 1000} s; delete it if there is none.`);
  }
}

function ownerIsGone() {
  try {
    const owner = Number(readFileSync(lock, 'utf8'));
    // 0: the owner has created the file, but its id is still to come.
    if (owner > 0) process.kill(owner, 0);
    return false;
  } catch (error) {
    return error.code === 'ESRCH';
  }
}

function npm(...args) {
  // npm is a .cmd file on Windows, which only a shell can start.
  const { status, error } = spawnSync('npm', args, { cwd: here, stdio: 'inherit', shell: process.platform === 'win32' });
  if (error) throw error;
  if (status !== 0) process.exit(status ?? 1);
}
