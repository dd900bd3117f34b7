import { expect, test } from 'vitest';
import { PresenceStore } from '../../src/presence-store.js';
import { presence } from '../support/fake-hub.js';

test('the highest version wins, in whatever order versions arrive', () => {
  const store = new PresenceStore();
  expect(store.apply([presence('a', 'busy', 5)])).toEqual(['a']);
  expect(store.apply([presence('a', 'online', 4)])).toEqual([]);
  expect(store.get('a')?.status).toBe('busy');
  expect(store.apply([presence('a', 'away', 6)])).toEqual(['a']);
  expect(store.get('a')?.status).toBe('away');
});

test('unchanged values keep the same object, also under a new version', () => {
  const store = new PresenceStore();
  store.apply([presence('a', 'online', 1)]);
  const before = store.get('a');
  expect(store.apply([presence('a', 'online', 9)])).toEqual([]);
  expect(store.get('a')).toBe(before);
  expect(Object.isFrozen(before)).toBe(true);
  // The version counts all the same.
  expect(store.apply([presence('a', 'offline', 8)])).toEqual([]);
});

test('after a loss every status is unknown and the other values stay, and an unchanged answer restores the old object', () => {
  const store = new PresenceStore();
  store.apply([presence('a', 'online', 2, { message: 'hi', lastSeen: '2026-01-01T00:00:00Z' }), presence('b', 'busy', 2)]);
  const before = store.get('a');
  expect(store.loseSight((id) => id === 'b')).toEqual(['a']);
  expect(store.get('a')).toEqual({ userId: 'a', status: 'unknown', message: 'hi', lastSeen: '2026-01-01T00:00:00Z' });
  expect(store.get('b')?.status).toBe('busy');
  expect(store.loseSight((id) => id === 'b')).toEqual([]);
  expect(store.apply([presence('a', 'online', 2)])).toEqual(['a']);
  expect(store.get('a')).toBe(before);
});

test('an unknown status of a newer server is online; ids are compared in lower case', () => {
  const store = new PresenceStore();
  store.apply([presence('AB', 'focusing', 1)]);
  expect(store.get('aB')).toMatchObject({ userId: 'ab', status: 'online' });
  expect(store.forget(['ab', 'x'])).toEqual(['ab']);
  expect(store.get('ab')).toBeUndefined();
});

test('a user that is now hidden from the viewer loses the known values', () => {
  const store = new PresenceStore();
  store.apply([presence('a', 'online', 7)]);
  expect(store.apply([presence('a', 'offline', 0)])).toEqual(['a']);
  expect(store.get('a')?.status).toBe('offline');
});

test('the first message of a new connection counts, whatever its version, and from then on the higher version', () => {
  const store = new PresenceStore();
  store.apply([presence('a', 'online', 1_000), presence('b', 'online', 1_000)]);
  store.beginConnection();
  expect(store.apply([presence('a', 'offline', 5)])).toEqual(['a']);
  expect(store.apply([presence('a', 'busy', 4)])).toEqual([]);
  expect(store.apply([presence('a', 'busy', 6)])).toEqual(['a']);
  expect(store.get('b')?.status).toBe('online');
});
