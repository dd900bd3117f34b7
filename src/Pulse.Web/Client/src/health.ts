import { byId, setText } from './dom';

/** A status is `healthy`, `degraded` (the rest goes on) or `unhealthy`; site.css knows these words. */
interface Part {
  readonly status: string;
  readonly reason?: string;
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
    const { status, parts } = (await answer.json()) as Readiness;
    setText(summary, answer.ok ? (status === 'healthy' ? 'Ready' : 'Ready, in part') : 'Not ready');
    summary.dataset['state'] = status;
    byId('health-parts').replaceChildren(...Object.entries(parts).map(([name, part]) => row(name, part)));
  } catch {
    setText(summary, 'No answer');
    summary.dataset['state'] = 'unhealthy';
    byId('health-parts').replaceChildren();
  }
}

function row(name: string, { status, reason }: Part): HTMLElement {
  const line = document.createElement('div');
  const term = document.createElement('dt');
  const state = document.createElement('dd');
  term.textContent = name;
  state.textContent = reason ? `${status}: ${reason}` : status;
  state.dataset['state'] = status;
  line.append(term, state);
  return line;
}
