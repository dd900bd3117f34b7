import { base, setText, whileVisible } from './dom';
import { t } from './words';

interface Part {
  readonly status: string;
  readonly reason?: string;
}

interface Readiness {
  readonly parts: Readonly<Record<string, Part>>;
}

const everyMs = 10_000;
const states: Readonly<Record<string, string>> = { healthy: 'good', degraded: 'fair' };

/** Keeps the start page's health card current from `/health/ready`. An unready server answers 503 with the same body. */
export function followHealth(): void {
  const summary = document.getElementById('health-summary');
  const parts = document.getElementById('health-parts');
  if (!summary || !parts) return;

  whileVisible(everyMs, () => void look());

  async function look(): Promise<void> {
    try {
      const answer = await fetch(`${base}/health/ready`, { cache: 'no-store' });
      const readiness = (await answer.json()) as Readiness;
      show(answer.ok ? t('Ready') : t('Not ready'), answer.ok ? 'good' : 'bad');
      const sorted = Object.entries(readiness.parts).sort(([a], [b]) => (a < b ? -1 : 1));
      parts!.replaceChildren(...sorted.map(([name, part]) => row(name, part)));
    } catch {
      show(t('No answer'), 'bad');
    }
  }

  function show(text: string, state: string): void {
    setText(summary!, text);
    summary!.dataset['state'] = state;
  }
}

function row(name: string, { status, reason }: Part): HTMLElement {
  const line = document.createElement('div');
  const term = document.createElement('dt');
  const state = document.createElement('dd');
  term.textContent = name;
  state.textContent = reason ? `${status}: ${reason}` : status;
  state.dataset['state'] = states[status] ?? 'bad';
  line.append(term, state);
  return line;
}
