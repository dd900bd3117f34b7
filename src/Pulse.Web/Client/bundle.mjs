// Bundles the scripts (site.ts for every page, dashboard.ts with the client package) and site.css into ../wwwroot/assets. `npm run build`
// also checks the types, before this script.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/site.ts', 'src/dashboard.ts', 'src/site.css'],
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
