import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { sessionTokens, Tokens, type AccessToken } from '../../src/tokens.js';
import { inMinutes } from '../support/scene.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const source = (minutes = 15) => {
  let count = 0;
  return vi.fn(async (): Promise<AccessToken | string | null> => ({ accessToken: `t${++count}`, expiresAt: inMinutes(minutes) }));
};

test('a token is kept until shortly before it expires', async () => {
  const tokens = new Tokens(source());
  expect(await tokens.get()).toBe('t1');
  vi.advanceTimersByTime(14 * 60_000);
  expect(await tokens.get()).toBe('t1');
  vi.advanceTimersByTime(31_000);
  expect(await tokens.get()).toBe('t2');
});

test('concurrent callers share one request', async () => {
  const fetch = source();
  const tokens = new Tokens(fetch);
  expect(await Promise.all([tokens.get(), tokens.renew(), tokens.get()])).toEqual(['t1', 't1', 't1']);
  expect(fetch).toHaveBeenCalledTimes(1);
});

test('a renewal asks although a token is kept, and so does a drop', async () => {
  const tokens = new Tokens(source());
  await tokens.get();
  expect(await tokens.renew()).toBe('t2');
  expect(await tokens.get()).toBe('t2');
  tokens.drop();
  expect(await tokens.get()).toBe('t3');
});

test('a drop leaves a request in progress, which is newer than the dropped token', async () => {
  const fetch = source();
  const tokens = new Tokens(fetch);
  const pending = tokens.get();
  tokens.drop();
  expect(await Promise.all([pending, tokens.get()])).toEqual(['t1', 't1']);
  expect(await tokens.get()).toBe('t1');
  expect(fetch).toHaveBeenCalledTimes(1);
});

test.each(['before', 'after'])('a reset forgets a request in progress, which is answered %s the next', async (order) => {
  const answers: ((token: AccessToken) => void)[] = [];
  const tokens = new Tokens(() => new Promise((resolve) => answers.push(resolve)));
  const answer = async (index: number, accessToken: string) => {
    answers[index]!({ accessToken, expiresAt: inMinutes(15) });
    await vi.advanceTimersByTimeAsync(0);
  };
  const adas = tokens.get();
  tokens.reset();
  const graces = tokens.get();
  expect(answers).toHaveLength(2);
  if (order === 'before') {
    await answer(0, 'ada');
    // The second request survives the end of the first one.
    expect(tokens.get()).toBe(graces);
    await answer(1, 'grace');
  } else {
    await answer(1, 'grace');
    await answer(0, 'ada');
  }
  // A caller that asked as Ada gets Ada's token.
  expect(await Promise.all([adas, graces])).toEqual(['ada', 'grace']);
  expect(await tokens.get()).toBe('grace');
  expect(answers).toHaveLength(2);
});

test('a reset forgets the kept token', async () => {
  const tokens = new Tokens(source());
  await tokens.get();
  tokens.reset();
  expect(await tokens.get()).toBe('t2');
});

test('a failure rejects all waiting callers and is not kept', async () => {
  const fetch = source();
  fetch.mockRejectedValueOnce(new Error('no network'));
  const tokens = new Tokens(fetch);
  const results = await Promise.allSettled([tokens.get(), tokens.get()]);
  expect(results.map((result) => result.status === 'rejected' && result.reason.code)).toEqual(['token-unavailable', 'token-unavailable']);
  expect(await tokens.get()).toBe('t1');
});

test('a source that throws at once or never answers has failed', async () => {
  const throwing = new Tokens(() => { throw new Error('no'); });
  await expect(throwing.get()).rejects.toMatchObject({ code: 'token-unavailable' });
  const silent = new Tokens(() => new Promise(() => undefined));
  const refused = expect(silent.get()).rejects.toMatchObject({ code: 'token-unavailable' });
  await vi.advanceTimersByTimeAsync(20_000);
  await refused;
});

test('a bare string is used once', async () => {
  const fetch = vi.fn(async () => 'opaque');
  const tokens = new Tokens(fetch);
  expect(await tokens.get()).toBe('opaque');
  expect(await tokens.get()).toBe('opaque');
  expect(fetch).toHaveBeenCalledTimes(2);
});

test('the default source posts with the cookie: 401 means signed out, any other error is a fault', async () => {
  const token = { accessToken: 'a', expiresAt: inMinutes(15) };
  const fetch = vi.fn()
    .mockResolvedValueOnce(Response.json(token))
    .mockResolvedValueOnce(new Response(null, { status: 401 }))
    .mockResolvedValueOnce(new Response(null, { status: 503 }));
  vi.stubGlobal('fetch', fetch);
  const source = sessionTokens('https://pulse.example.com');
  const get = () => source({ signal: new AbortController().signal });
  expect(await get()).toEqual(token);
  expect(await get()).toBeNull();
  await expect(get()).rejects.toThrow('503');
  expect(fetch).toHaveBeenCalledWith('https://pulse.example.com/auth/token', expect.objectContaining({ method: 'POST', credentials: 'same-origin' }));
});

test('a request that is given up fails, its signal aborts, and the next call sends a new one', async () => {
  const signals: AbortSignal[] = [];
  const tokens = new Tokens(({ signal }) => {
    signals.push(signal);
    return signals.length === 1 ? new Promise(() => undefined) : Promise.resolve('second');
  });
  const first = expect(tokens.get()).rejects.toMatchObject({ code: 'token-unavailable' });
  tokens.abandon();
  await first;
  expect(signals[0]!.aborted).toBe(true);
  expect(await tokens.get()).toBe('second');
  expect(signals[1]!.aborted).toBe(false);
});
