// Checks that the servers for the .NET tests' sign-ins start and answer.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('the provider publishes its discovery document', async (t) => {
  const { url } = await start(t, 'provider.mjs', 'pulse', 'secret', '/auth/callback/google');
  const discovery = await (await fetch(`${url}/.well-known/openid-configuration`)).json();
  assert.equal(discovery.issuer, url);
  assert.deepEqual(discovery.code_challenge_methods_supported, ['S256']);
});

test('the mailbox greets', async (t) => {
  const { port } = await start(t, 'mailbox.mjs');
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  for await (const line of createInterface(socket)) {
    assert.match(line, /^220 /);
    break;
  }
});

/** Starts a server of this folder and waits for its first line. */
async function start(t, script, ...args) {
  const server = spawn(process.execPath, [fileURLToPath(new URL(script, import.meta.url)), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => server.kill());
  for await (const line of createInterface(server.stdout)) return JSON.parse(line);
  throw new Error(`${script} ended before its first line.`);
}
