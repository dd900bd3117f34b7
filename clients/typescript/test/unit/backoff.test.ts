import { expect, test } from 'vitest';
import { backoffMs } from '../../src/backoff.js';

test('the longest wait doubles from 1 s to 30 s', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 60, 5_000].map((failures) => backoffMs(failures, () => 1))).toEqual(
    [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
});

test('full jitter: any wait from zero to the longest', () => {
  expect(backoffMs(3, () => 0)).toBe(0);
  expect(backoffMs(3, () => 0.25)).toBe(2_000);
});
