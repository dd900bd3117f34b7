// Makes a session token with Auth.js itself, as an Auth.js application does: `node mint.mjs`, with {"token", "secret", "salt", "maxAge"} as
// JSON on its standard input. `salt` is the name of the session cookie, `maxAge` is in seconds. Prints the token.
import { text } from 'node:stream/consumers';
import { encode } from '@auth/core/jwt';

process.stdout.write(await encode(JSON.parse(await text(process.stdin))));
