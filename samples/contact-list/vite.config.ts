import { defineConfig } from 'vite';

const pulse = process.env['PULSE_URL'] ?? 'http://localhost:5080';

// The page and Pulse share one origin, as a reverse proxy makes it in production.
export default defineConfig({
  server: { proxy: { '/auth': pulse, '/hubs': { target: pulse, ws: true } } },
});
