// deploy/observability: each metric, label and event that the dashboard and the alert rules name is one that Pulse sends.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parser } from '@prometheus-io/lezer-promql';
import { parse as parseYaml } from 'yaml';
import { Client } from './support/client.mjs';
import { somebody, startPulse } from './support/fixture.mjs';
import { instrument, seriesOf, translate } from './support/prometheus.mjs';
import { noServers } from './support/stores.mjs';
import { until } from './support/until.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path) => readFileSync(join(root, path), 'utf8');
const folder = 'deploy/observability';
const dashboard = JSON.parse(read(`${folder}/grafana/pulse.json`));
const rules = parseYaml(read(`${folder}/alerts.yml`)).groups.flatMap((group) => group.rules);
const panels = dashboard.panels.filter((panel) => panel.type !== 'row');
const expressions = [
  ...panels.flatMap(({ title, targets }) => targets.map(({ expr, legendFormat }) => ({ where: `panel "${title}"`, expr, legend: legendFormat }))),
  ...rules.map(({ alert, expr }) => ({ where: `alert ${alert}`, expr })),
];

/** The instruments of Pulse's sources: `[name, kind, unit]`. */
const own = sources(join(root, 'src')).flatMap((source) =>
  [...source.matchAll(/\.Create(Observable)?(Counter|Gauge|Histogram|UpDownCounter)(?:<\w+>)?\(\s*"([^"]+)"([^;]*)/g)].map(([, , kind, name, rest]) =>
    instrument(name, kind, /, (?:unit: )?"(\{\w+\}|s|By)"/.exec(rest)?.[1])));

// The metrics of .NET, ASP.NET Core and Npgsql, as they send them. The last test finds each name among those that Pulse sends.
const others = [
  instrument('http.server.request.duration', 'Histogram', 's', 'http.response.status_code', 'http.route'),
  instrument('http.server.active_requests', 'UpDownCounter', '{request}'),
  instrument('aspnetcore.rate_limiting.requests', 'Counter', '{request}', 'aspnetcore.rate_limiting.policy', 'aspnetcore.rate_limiting.result'),
  instrument('db.client.operation.duration', 'Histogram', 's'),
  instrument('db.client.connection.count', 'UpDownCounter', '{connection}', 'db.client.connection.state'),
  instrument('dotnet.process.cpu.time', 'Counter', 's'),
  instrument('dotnet.process.memory.working_set', 'UpDownCounter', 'By'),
  instrument('dotnet.gc.pause.time', 'Counter', 's'),
  instrument('dotnet.thread_pool.queue.length', 'UpDownCounter', '{work_item}'),
];
// Prometheus makes the first two of the resource: service.name and service.instance.id.
const labels = new Set(['job', 'instance', 'le', 'pulse_audit_event', 'pulse_audit_outcome', 'pulse_health_part', ...others.flatMap((one) => one.attributes.map(translate))]);

test('the instruments in the sources are those of the recorded contracts', () => {
  const recorded = [...read('tests/Pulse.Web.Tests/Contracts/public-contracts.txt').matchAll(/^metric \S+ (\S+) (\S+)$/gm)].map(([, name, unit]) => `${name} ${unit}`);
  assert.deepEqual(own.map(({ name, unit }) => `${name} ${unit}`).sort(), recorded.sort());
});

test('names are translated as Prometheus does it', () => {
  assert.deepEqual(seriesOf(instrument('pulse.connections', 'Gauge', '{connection}')), ['pulse_connections']);
  assert.deepEqual(seriesOf(instrument('pulse.presence.flaps', 'Counter', '{user}')), ['pulse_presence_flaps_total']);
  assert.deepEqual(seriesOf(instrument('dotnet.process.memory.working_set', 'UpDownCounter', 'By')), ['dotnet_process_memory_working_set_bytes']);
  assert.deepEqual(seriesOf(instrument('pulse.chat.commit.duration', 'Histogram', 's')),
    ['bucket', 'sum', 'count'].map((part) => `pulse_chat_commit_duration_seconds_${part}`));
});

test('dashboard and rules name existing series and labels, and leave out none of Pulse', () => {
  const known = new Map([...own, ...others].flatMap((one) => seriesOf(one).map((name) => [name, one])));
  const used = new Set();
  for (const { where, expr, legend = '' } of expressions) {
    const { series, names, faults } = readExpression(expr);
    assert.deepEqual(faults, [], `${where}: ${expr} is no PromQL`);
    assert.ok(series.length > 0, `${where} names a series`);
    for (const name of series) {
      assert.ok(known.has(name), `${where} names ${name}, which Pulse does not send`);
      used.add(known.get(name).name);
    }
    for (const label of [...names, ...[...legend.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name)])
      assert.ok(labels.has(label), `${where} names the label ${label}, which no metric has`);
  }
  assert.deepEqual(own.map(({ name }) => name).filter((name) => !used.has(name)), [], 'each metric of Pulse is on the dashboard or in a rule');
});

// The interval of OpenTelemetry, unless OTEL_METRIC_EXPORT_INTERVAL changes it.
const exportSeconds = 60;

test('rates of the dashboard have several samples at the interval at which Pulse sends', () => {
  const rates = panels.flatMap(({ title, targets }) => targets.map((target) => ({ title, ...target }))).filter(({ expr }) => expr.includes('$__rate_interval'));
  assert.ok(rates.length > 0);
  // Grafana makes it four times this interval at least, or else four times that of the data source, which is 15 s by default.
  for (const { title, interval } of rates) assert.ok(secondsOf(interval) >= exportSeconds, `panel "${title}" has the interval ${interval}`);
  const [source] = parseYaml(read(`${folder}/grafana/provisioning/datasources/prometheus.yml`)).datasources;
  assert.ok(secondsOf(source.jsonData.timeInterval) >= exportSeconds);
});

test('gauges are read over a window of one to two samples, so that a process which has stopped is not counted', () => {
  const gauges = new Set([...own, ...others].filter(({ kind }) => kind !== 'Counter' && kind !== 'Histogram').flatMap(seriesOf));
  const selectors = expressions.flatMap(({ where, expr }) => readExpression(expr).selectors.map((selector) => ({ where, ...selector }))).filter(({ name }) => gauges.has(name));
  assert.ok(selectors.length > 0);
  for (const { where, name, window } of selectors)
    assert.ok(secondsOf(window) > exportSeconds && secondsOf(window) <= 2 * exportSeconds, `${where} reads ${name} over ${window ?? 'the default of five minutes'}`);
});

test('audit events of the rules are in docs/audit.md', () => {
  const events = [...read('docs/audit.md').matchAll(/^\| `([a-z-]+)` \| (?:success|refused) \|/gm)].map(([, name]) => name);
  const named = expressions.flatMap(({ expr }) => [...expr.matchAll(/pulse_audit_event="([^"]+)"/g)].map(([, name]) => name));
  assert.ok(named.length > 0);
  assert.deepEqual(named.filter((name) => !events.includes(name)), []);
});

test('each alert and each panel explains itself', () => {
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, labels: { severity }, annotations } of rules) {
    assert.ok(['page', 'ticket'].includes(severity), alert);
    assert.ok(annotations.summary && annotations.description, alert);
  }
  assert.equal(new Set(dashboard.panels.map(({ id }) => id)).size, dashboard.panels.length);
  const cells = new Set();
  for (const { title, description, gridPos: { x, y, w, h } } of panels) {
    assert.ok(title && description, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert.ok(column < 24 && !cells.has(`${column} ${line}`), `panel "${title}" overlaps another one`);
        cells.add(`${column} ${line}`);
      }
    }
  }
});

test('promtool accepts the rules, and they fire as their tests say', async (t) => {
  const run = promisify(execFile);
  await run('promtool', ['test', 'rules', join(root, folder, 'alerts.test.yml')]).catch((error) => {
    // An optional program: the rules' names and syntax are checked above, and continuous integration has it.
    if (error.code === 'ENOENT') t.diagnostic('promtool is missing (apt-get install prometheus): the tests of the rules did not run');
    else throw new Error(`${error.stdout}${error.stderr}`);
  });
});

test('Pulse sends the metrics of the framework under these names', { timeout: 300_000 }, async (t) => {
  const bodies = [];
  const collector = createServer(async (request, answer) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (request.url === '/v1/metrics') bodies.push(Buffer.concat(parts).toString('latin1'));
    answer.end();
  }).listen(0, '127.0.0.1');
  await once(collector, 'listening');
  t.after(() => collector.close());
  const { pulse } = await startPulse(t, {
    servers: !noServers,
    settings: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.address().port}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_TRACES_SAMPLER: 'always_off',
      OTEL_METRIC_EXPORT_INTERVAL: '500',
    },
  });
  const missing = (names) => names.filter((name) => !bodies.some((body) => body.includes(name)));
  const sent = (names) => until(`each of ${names.join(', ')} in what Pulse sends`, () => missing(names), ({ length }) => length === 0);
  // This runs before the first sign-in: gauges must exist from the start, because the rules report a process that lacks them.
  await sent(own.filter(({ kind }) => kind === 'Gauge').map(({ name }) => name));

  await Client.signIn(pulse, somebody());
  // A request of a route with a limiter of the framework.
  await fetch(`${pulse.url}/auth/signin/email`, { method: 'POST', body: new URLSearchParams({ email: 'ada@example.com' }) });
  await new Client(pulse, somebody()).send('GET', '/auth/me');

  // Npgsql's appear with PostgreSQL only.
  await sent(others.filter(({ name }) => !noServers || !name.startsWith('db.')).flatMap(({ name, attributes }) => [name, ...attributes]));
});

/** `90s` and `1m` in seconds. NaN if absent. */
function secondsOf(duration) {
  const [, number, unit] = /^(\d+)([sm])$/.exec(duration) ?? [];
  return number * { s: 1, m: 60 }[unit];
}

/** The series of a PromQL expression with their windows, its label names, and the places of its syntax errors. */
function readExpression(expr) {
  // Grafana replaces its variable before Prometheus sees it.
  const text = expr.replaceAll('$__rate_interval', '5m');
  const found = { series: [], selectors: [], names: [], faults: [] };
  parser.parse(text).iterate({
    enter: ({ name, type, from, to, node }) => {
      if (type.isError) found.faults.push(text.slice(from));
      if (name === 'Identifier') {
        found.series.push(text.slice(from, to));
        const range = node.parent.parent;
        found.selectors.push({ name: text.slice(from, to), window: range?.name === 'MatrixSelector' ? /\[(\w+)\]$/.exec(text.slice(range.from, range.to))?.[1] : undefined });
      }
      if (name === 'LabelName') found.names.push(text.slice(from, to));
    },
  });
  return found;
}

function sources(directory) {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return ['bin', 'obj', 'node_modules', 'wwwroot'].includes(entry.name) ? [] : sources(path);
    return entry.name.endsWith('.cs') ? [readFileSync(path, 'utf8')] : [];
  });
}
