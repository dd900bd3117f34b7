import { expect, test } from 'vitest';
import { readError } from '../../src/errors.js';

const said = 'too-many-watched: at most 1000 users, and there are 1001.';

test.each([
  ['as the server sends it', said],
  ['as it closes', `Server returned an error on close: ${said}`],
  ['as an older server sends it', `An unexpected error occurred invoking 'WatchPresence' on the server. HubException: ${said}`],
  ['as an older server closes', `Server returned an error on close: Connection closed with an error. HubException: ${said}`],
])('%s: one code, and its text once', (_, text) => {
  expect(readError(new Error(text), 'call-failed')).toMatchObject({ code: 'too-many-watched', message: said });
});

test.each([
  "An unexpected error occurred invoking 'WatchPresence' on the server.",
  'WebSocket closed with status code: 1006 (no reason given).',
  'Failed to fetch: something',
])('%s: no code of the server', (text) => {
  expect(readError(new Error(text), 'call-failed')).toMatchObject({ code: 'call-failed', message: text });
});
