// `node bench/report.mjs ROUNDS.jsonl` prints the medians of all rounds as tables, Pulse beside its limit and the original.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';

const rounds = readFileSync(process.argv[2], 'utf8').trim().split('\n').map((line) => JSON.parse(line));
const labels = new Map();
for (const round of rounds) labels.set(round.label, [...(labels.get(round.label) ?? []), round]);

const middle = (values) => {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
};
const median = (label, read) => middle((labels.get(label) ?? []).map(read).filter((value) => value !== undefined));
const text = (value, digits = 0) => (value === undefined ? '–' : value.toFixed(digits));
const ratio = (a, b) => (a === undefined || !b ? '–' : `${(a / b).toFixed(2)} ×`);
const row = (cells) => console.log(`| ${cells.join(' | ')} |`);
const table = (header) => {
  console.log();
  row(header);
  row(header.map(() => '---'));
};

const cpu = (label) => median(label, (round) => round.cpu_us_per_op);
const part = (label, name) => median(label, (round) => round.cpu_us_per_op_by?.[name]);

console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB; medians`);
table(['phase', 'limit µs/op', 'Pulse µs/op', 'ratio', 'target', 'original µs/op', 'original / Pulse', 'of Pulse: itself', 'Redis', 'PostgreSQL', 'p99 ms', 'errors of all', 'other CPU %', 'rounds']);
const targets = { me: 1.5, 'connect again': 1.8, connect: 3, heartbeat: 1.15, churn: 2.5, storm: undefined, hold: 1.5, sync: 2 };
for (const [phase, target] of Object.entries(targets)) {
  const names = [`limits/${phase}`, `pulse/${phase}`, `original/${phase}`];
  const all = names.flatMap((name) => labels.get(name) ?? []);
  if (all.length === 0) continue;
  const [limit, pulse, original] = names;
  row([
    phase, text(cpu(limit), 1), text(cpu(pulse), 1), ratio(cpu(pulse), cpu(limit)), target ? `${target} ×` : '',
    text(cpu(original), 1), ratio(cpu(original), cpu(pulse)),
    text(part(pulse, 'server'), 1), text(part(pulse, 'redis'), 1), text(part(pulse, 'postgres'), 1),
    text(median(pulse, (round) => round.p99_ms), 1), all.reduce((sum, round) => sum + round.errors, 0),
    text(median(pulse, (round) => round.other_cpu_pct_of_machine)), Math.max(...names.map((name) => labels.get(name)?.length ?? 0)),
  ]);
}

table(['', 'limit', 'Pulse', 'ratio', 'target', 'original', 'original / Pulse']);
const compare = (name, phase, read, digits, target) => {
  const values = ['limits', 'pulse', 'original'].map((server) => median(`${server}/${phase}`, read));
  if (values.every((value) => value === undefined)) return;
  const [limit, pulse, original] = values;
  row([name, text(limit, digits), text(pulse, digits), ratio(pulse, limit), target, text(original, digits), ratio(original, pulse)]);
};
compare('storm: all connected again, s', 'storm', (round) => round.all_connected_s, 1, '2 ×');
compare('hold: KiB per connection over idle', 'hold', (round) => round.rss_kib_per_connection, 1, '27 KiB');
compare('fan-out: p99 ms', 'fanout', (round) => round.p99_ms, 1, '100 ms');
compare('cold start embedded, ms', 'cold embedded', (round) => round.ready_ms, 0, '2000 ms');
compare('cold start on PostgreSQL and Redis, ms', 'cold on PostgreSQL and Redis', (round) => round.ready_ms, 0, '3000 ms');

if (labels.has('1 silos/me')) {
  table(['External topology', '1 silo µs/op', '3 silos µs/op', 'ratio of each turn, median', 'target']);
  for (const phase of ['me', 'connect again', 'churn']) {
    const [one, three] = [`1 silos/${phase}`, `3 silos/${phase}`];
    const turns = labels.get(three).map((round, turn) => round.cpu_us_per_op / labels.get(one)[turn].cpu_us_per_op);
    row([phase, text(cpu(one), 1), text(cpu(three), 1), `${text(middle(turns), 2)} ×`, '1.1 ×']);
  }
}
