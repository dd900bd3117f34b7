// Bundles the scripts (site.ts for every page, dashboard.ts with the hub's client) and site.css into ../wwwroot/assets. `npm run build` checks
// the types first; this does not.
import { build } from 'esbuild';

await build({
  entryPoints: ['src/site.ts', 'src/dashboard.ts', 'src/site.css'],
  outdir: '../wwwroot/assets',
  bundle: true,
  minify: true,
  sourcemap: true,
  format: 'esm',
  // The first versions that know light-dark(), which site.css uses.
  target: ['chrome123', 'firefox120', 'safari17.5'],
  logLevel: 'warning',
});
