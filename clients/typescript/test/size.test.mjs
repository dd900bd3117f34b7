// Measures in bytes how much of the built package an application's page downloads.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';
import { expect, onTestFinished, test } from 'vitest';

const dist = (file) => fileURLToPath(new URL(`../dist/${file}.js`, import.meta.url));

/** A page with that code, bundled and minified as an application does it. */
async function bundle(code) {
  const directory = await mkdtemp(join(tmpdir(), 'pulse-size-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const entry = join(directory, 'page.js');
  await writeFile(entry, code);
  const [{ output: [chunk] }] = await build({
    configFile: false,
    logLevel: 'silent',
    // A name makes the exports a value, which keeps them.
    build: { write: false, minify: true, lib: { entry, formats: ['iife'], name: 'page' }, rollupOptions: { external: ['react'], output: { globals: { react: 'React' } } } },
  });
  return { code: chunk.code, bytes: chunk.code.length, gzip: gzipSync(chunk.code, { level: 9 }).length };
}

const presence = `import { createPulseClient } from '${dist('index')}';\ncreatePulseClient().start();`;
const withChat = `import { createPulseClient } from '${dist('index')}';\nimport { chat } from '${dist('chat')}';\ncreatePulseClient({ chat: chat() }).start();`;

test('a page with presence alone downloads no chat, and chat stays small', { timeout: 60_000 }, async () => {
  const [alone, both] = [await bundle(presence), await bundle(withChat)];
  for (const name of ['OpenConversation', 'SendMessage', 'EntriesAdded', 'InboxChanged', '/conversations', 'indexedDB']) {
    expect(alone.code, name).not.toContain(name);
    expect(both.code, name).toContain(name);
  }
  const added = both.gzip - alone.gzip;
  console.log(`presence ${alone.bytes} B, ${alone.gzip} B gzip; with chat ${both.bytes} B, ${both.gzip} B gzip: chat adds ${both.bytes - alone.bytes} B, ${added} B gzip`);
  // README names these sizes.
  expect(alone.gzip).toBeLessThan(23_500);
  expect(added).toBeLessThan(13_000);
});

test('the hooks of chat are left out of pages that use those of presence', { timeout: 60_000 }, async () => {
  const alone = await bundle(`export { PulseProvider, usePresence } from '${dist('react')}';`);
  const both = await bundle(`export { PulseProvider, usePresence, useConversation } from '${dist('react')}';`);
  expect(alone.code).not.toContain('chat');
  expect(both.bytes).toBeGreaterThan(alone.bytes);
});
