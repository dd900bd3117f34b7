import { expect, test, vi } from 'vitest';
import { scene } from '../support/scene.js';

// Channels deliver in real time, so these tests use real timers.
async function tab(userId: string) {
  const s = scene({ url: 'https://pulse.example.com' });
  s.pulse.start();
  await vi.waitUntil(() => s.hubs.length === 1);
  s.hub.accept(userId);
  await vi.waitUntil(() => s.pulse.state.name === 'online');
  return s;
}

const told = (s: ReturnType<typeof scene>) => s.hub.callsOf('SetStatus').map(([status]) => status);

test('a status chosen in one tab applies to all tabs of the user, and to later tabs', async () => {
  const [first, second, other] = [await tab('ada'), await tab('ada'), await tab('grace')];
  await first.pulse.setStatus('busy');
  await vi.waitUntil(() => told(second).includes('busy'));
  const later = await tab('ada');
  await vi.waitUntil(() => told(later).includes('busy'));

  // Taken back in a tab that did not choose it.
  await second.pulse.setStatus('online');
  await vi.waitUntil(() => told(first).at(-1) === 'online' && told(later).at(-1) === 'online');
  expect(told(other)).toEqual([]);
});
