import { defineConfig } from 'vite';

const pulse = process.env['PULSE_URL'] ?? 'http://localhost:5080';

// One origin for the page and Pulse, as a reverse proxy makes it in production.
export default defineConfig({
  server: { proxy: { '/auth': pulse, '/hubs': { target: pulse, ws: true } } },
});
