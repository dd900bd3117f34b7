// Bundles the scripts (site.ts for every page, dashboard.ts with the client package) and site.css into ../wwwroot/assets. `npm run build` checks
// the types first; this does not.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/site.ts', 'src/dashboard.ts', 'src/site.css'],
  outdir: '../wwwroot/assets',
  bundle: true,
  // For the client package's sources too: its paths say where things are.
  tsconfig: 'tsconfig.json',
  minify: true,
  // What SignalR's client keeps to itself, by its own convention: an eighth of the whole.
  mangleProps: /^_[a-z]/,
  sourcemap: true,
  format: 'esm',
  // The first versions that know light-dark(), which site.css uses.
  target: ['chrome123', 'firefox120', 'safari17.5'],
  logLevel: 'warning',
});
