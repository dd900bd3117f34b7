// Bundles the scripts (site.ts for every page, dashboard.ts and chat/main.tsx with the client package), site.css and chat.css into
// ../wwwroot/assets. `npm run build` also checks the types, before this script.
import { build } from 'esbuild';

await build({
  entryPoints: [
    { in: 'src/site.ts', out: 'site' },
    { in: 'src/dashboard.ts', out: 'dashboard' },
    { in: 'src/chat/main.tsx', out: 'chat' },
    { in: 'src/site.css', out: 'site' },
    { in: 'src/chat/chat.css', out: 'chat' },
  ],
  outdir: '../wwwroot/assets',
  bundle: true,
  // The client package's sources use it too, because its paths locate the packages.
  tsconfig: 'tsconfig.json',
  minify: true,
  // The members that SignalR's client keeps private, by its own convention: an eighth of the whole.
  mangleProps: /^_[a-z]/,
  sourcemap: true,
  format: 'esm',
  // The first versions that know light-dark(), which site.css uses.
  target: ['chrome123', 'firefox120', 'safari17.5'],
  logLevel: 'warning',
});
