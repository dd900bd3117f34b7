// `npm run build` makes dist/ from src/ in an empty folder, because files under former names would become part of the package.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
rmSync(new URL('dist', import.meta.url), { recursive: true, force: true });
const { status, error } = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], { cwd: here, stdio: 'inherit' });
if (error) throw error;
process.exit(status ?? 1);
