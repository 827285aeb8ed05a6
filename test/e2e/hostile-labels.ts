import { Counter, Histogram, type Metrics } from '@offloop/express';

/** Values that have broken somebody's exposition, or merged series that differ. */
export const HOSTILE_VALUES: readonly string[] = [
  '',
  ' ',
  '"',
  '\\',
  '\\"',
  '\\n',
  '\n',
  '\r\n',
  '\t\0\u2028',
  'a,b="c"',
  'a|b',
  'a,b:c',
  '} 1\n# TYPE evil counter\nevil 1',
  '{}',
  '# HELP',
  'ünïcödé, 日本語, 🦊',
  '\ufeff\u202e',
  '__overflow__x',
  'x'.repeat(4_000),
];

/** Half of a pair, which UTF-8 has no bytes for; offloop writes U+FFFD instead. */
export const LONE_SURROGATES: readonly string[] = ['\ud800', 'a\udc00b'];

const HOSTILE_HELP = 'Help of "two"\nlines, a \\ and a # TYPE.';

/** Counts 1, 2, 3 … under each of the values, twice over: in two labels that a joined key would confuse, and in a histogram. */
export function recordHostileLabels(metrics: Metrics, values: readonly string[]): void {
  const registers = [metrics.register];
  const counter = new Counter({
    name: 'hostile_total',
    help: HOSTILE_HELP,
    labelNames: ['one', 'other'],
    registers,
  });
  const histogram = new Histogram({
    name: 'hostile_seconds',
    help: HOSTILE_HELP,
    labelNames: ['one'],
    buckets: [0.1, 1],
    registers,
  });
  for (const [index, value] of values.entries()) {
    counter.inc({ one: value, other: '' }, index + 1);
    counter.inc({ one: 'x', other: value }, index + 1);
    histogram.observe({ one: value }, index / 10);
  }
}
