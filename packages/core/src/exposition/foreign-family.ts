import { escapeLabelValue } from '../instruments/label-text.js';
import type { Exemplar } from '../record/exemplar-slot.js';
import { type ByteWriter, formatNumber } from './byte-writer.js';
import type { DefaultLabels } from './default-labels.js';
import { type PausedWriting, writeExemplar } from './sample-lines.js';

/**
 * A family whose values live outside of shared memory: of a metric of prom-client's, or of any object of that shape. Plain data, as it
 * travels to the thread with the request for a page.
 */
export interface ForeignFamily {
  readonly name: string;
  /** Escaped as the Prometheus text format wants it. */
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown';
  readonly samples: readonly ForeignSample[];
}

/** One sample: a line of a text page. */
export interface ForeignSample {
  readonly name: string;
  /** In the order of the line. Not escaped. */
  readonly labels: readonly (readonly [name: string, value: string])[];
  readonly value: number;
  /** Of a counter or a histogram's bucket. */
  readonly exemplar?: Exemplar;
}

/** Labels whose values are numbers that readers compare as text. */
export const BOUND_LABELS: readonly string[] = ['le', 'quantile'];

/** Samples between two pauses: a tenth of a millisecond. */
const SAMPLES_A_PAUSE = 64;
const NEWLINE = 0x0a;

/** Where both text formats write the same samples differently. */
export interface ForeignLines {
  readonly formatBound: (bound: number) => string;
  readonly hasExemplars: boolean;
}

/**
 * Samples of a foreign family, in the order in which they came.
 *
 * @param format How the format writes the number of an `le` or a `quantile`, and whether it shows exemplars.
 */
export function* writeForeignSamples(
  writer: ByteWriter,
  { samples }: ForeignFamily,
  { formatBound, hasExemplars }: ForeignLines,
): PausedWriting {
  for (const [index, { name, labels, value, exemplar }] of samples.entries()) {
    if (writer.isFull || index % SAMPLES_A_PAUSE === SAMPLES_A_PAUSE - 1) yield;
    const pairs = labels.map(([label, text]) => {
      const shown = BOUND_LABELS.includes(label) ? boundText(text, formatBound) : text;
      return `${label}="${escapeLabelValue(shown)}"`;
    });
    writer.text(
      `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${formatNumber(value)}`,
    );
    if (hasExemplars) writeExemplar(writer, exemplar);
    writer.byte(NEWLINE);
  }
}

function boundText(text: string, formatBound: (bound: number) => string): string {
  const bound = text.trim() === '' ? Number.NaN : Number(text);
  // What is no number is left as it came, `+Inf` as well.
  return Number.isFinite(bound) ? formatBound(bound) : text;
}

/** The same family, whose samples also have the default labels. A label that a sample has itself stays its own. */
export function foreignWithDefaultLabels(
  family: ForeignFamily,
  defaults: DefaultLabels,
): ForeignFamily {
  const isHistogram = family.type === 'histogram';
  const isComposed = isHistogram || family.type === 'summary';
  return {
    ...family,
    samples: family.samples.map((sample) => {
      const added = defaults.filter(
        ([name]) =>
          !sample.labels.some(([own]) => own === name) &&
          !(isComposed && BOUND_LABELS.includes(name)),
      );
      // As prom-client has it: before the own ones in a histogram, and after them elsewhere.
      const first = isHistogram ? sample.labels.filter(([name]) => name === 'le') : sample.labels;
      const last = isHistogram ? sample.labels.filter(([name]) => name !== 'le') : [];
      return { ...sample, labels: [...first, ...added, ...last] };
    }),
  };
}
