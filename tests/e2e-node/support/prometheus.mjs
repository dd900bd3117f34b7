// How Prometheus names the metrics that it receives over OTLP (its translation strategy UnderscoreEscapingWithSuffixes, the default):
// https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/

/** @param kind `Counter`, `UpDownCounter`, `Gauge` or `Histogram` */
export const instrument = (name, kind, unit, ...attributes) => ({ name, kind, unit, attributes });

export const translate = (name) => name.replace(/[^a-zA-Z0-9_]/g, '_');

const units = { s: 'seconds', ms: 'milliseconds', By: 'bytes' };

/** The series of an instrument. A unit in braces is an annotation, which adds no suffix. */
export function seriesOf({ name, kind, unit }) {
  const suffix = unit?.startsWith('{') ? undefined : units[unit];
  if (!unit?.startsWith('{') && !suffix) throw new Error(`${name} has the unit ${unit}, whose suffix is unknown here`);
  const translated = translate(name) + (suffix && !translate(name).endsWith(`_${suffix}`) ? `_${suffix}` : '');
  if (kind === 'Counter') return [`${translated}_total`];
  if (kind === 'Histogram') return ['bucket', 'sum', 'count'].map((part) => `${translated}_${part}`);
  return [translated];
}
