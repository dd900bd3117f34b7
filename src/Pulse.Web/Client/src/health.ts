import { byId, setText } from './dom';

interface Part {
  readonly status: string;
  readonly reason?: string | null;
}

interface Readiness {
  readonly status: string;
  readonly parts: Readonly<Record<string, Part>>;
}

/** Reads `/health/ready` and shows each part it names. An unready server answers 503 with the same body. */
export async function showHealth(): Promise<void> {
  const summary = byId('health-summary');
  try {
    const answer = await fetch('/health/ready', { cache: 'no-store' });
    const { parts } = (await answer.json()) as Readiness;
    setText(summary, answer.ok ? 'Ready' : 'Not ready');
    summary.dataset['state'] = answer.ok ? 'good' : 'bad';
    byId('health-parts').replaceChildren(...Object.entries(parts).map(([name, part]) => row(name, part)));
  } catch {
    setText(summary, 'No answer');
    summary.dataset['state'] = 'bad';
    byId('health-parts').replaceChildren();
  }
}

function row(name: string, { status, reason }: Part): HTMLElement {
  const line = document.createElement('div');
  const term = document.createElement('dt');
  const state = document.createElement('dd');
  term.textContent = name;
  state.textContent = reason ? `${status}: ${reason}` : status;
  state.dataset['state'] = /^(healthy|ready|ok|up)$/i.test(status) ? 'good' : 'bad';
  line.append(term, state);
  return line;
}
