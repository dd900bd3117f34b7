import { expect, test } from 'vitest';
import { scene } from '../support/scene.js';
import { until } from '../support/until.js';

// Channels deliver in real time, so these tests use real timers.
async function tab(userId: string) {
  const s = scene({ url: 'https://pulse.example.com' });
  s.pulse.start();
  await until(() => s.hubs.length === 1);
  s.hub.accept(userId);
  await until(() => s.pulse.state.name === 'online');
  return s;
}

const told = (s: ReturnType<typeof scene>) => s.hub.callsOf('SetStatus').map(([status]) => status);

test('a status chosen in one tab applies to all tabs of the user, and to later tabs', async () => {
  const [first, second, other] = [await tab('ada'), await tab('ada'), await tab('grace')];
  await first.pulse.setStatus('busy');
  await until(() => told(second).includes('busy'));
  const later = await tab('ada');
  await until(() => told(later).includes('busy'));

  // The second tab takes back the choice of the first one.
  await second.pulse.setStatus('online');
  await until(() => told(first).at(-1) === 'online' && told(later).at(-1) === 'online');
  expect(told(other)).toEqual([]);
});
