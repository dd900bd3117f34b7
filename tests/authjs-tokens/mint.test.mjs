// Checks that the tokens of the .NET tests are made by Auth.js.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { decode } from '@auth/core/jwt';

test('a minted token is one that Auth.js reads', async () => {
  const [secret, salt] = ['a secret that is for tests alone, 0123456789', 'authjs.session-token'];
  const input = JSON.stringify({ token: { sub: 'ada' }, secret, salt, maxAge: 60 });
  const token = execFileSync(process.execPath, [fileURLToPath(new URL('mint.mjs', import.meta.url))], { input, encoding: 'utf8' });

  assert.equal(token.split('.').length, 5);
  assert.equal((await decode({ token, secret, salt })).sub, 'ada');
});
