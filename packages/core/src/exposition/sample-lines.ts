import { formatLabels, metricName } from '../instruments/label-text.js';
import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import type { Exemplar } from '../record/exemplar-slot.js';
import { ByteWriter } from './byte-writer.js';
import { type CapturedFamily, singleValue } from './capture.js';
import { isLegacyMetricName } from './name-escaping.js';

export const MS_PER_SECOND = 1000;

const OPEN = 0x7b;
const CLOSE = 0x7d;
const SPACE = 0x20;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

/** Where both text formats write the same samples differently. */
export interface HistogramLines {
  /** A bound as the `le` label has it. */
  readonly formatBound: (bound: number) => string;
  /** Whether a series whose sum is this one has `_sum` and `_count`. */
  readonly hasSum: (sum: number) => boolean;
  /** Name of the sample that says when a series began, where the format has one. */
  readonly createdName?: string | undefined;
  /** Exemplars of the buckets, where the format shows them. */
  readonly exemplars?: CapturedFamily['exemplars'];
}

/**
 * Writing that pauses: whenever the writer is full, and where it takes long to fill it. It goes on when it is asked for the next value; by then a
 * full writer has other memory.
 */
export type PausedWriting = Generator<void, void, void>;

/**
 * Samples of a family with one value a series.
 *
 * @param form Name of the samples and of those that say when a series began, and exemplars, where the format has them; and the series' order,
 *   where that is not their own.
 */
export function* writeSamples(
  writer: ByteWriter,
  captured: CapturedFamily,
  form: Pick<HistogramLines, 'createdName' | 'exemplars'> & {
    readonly name: string;
    readonly order?: Int32Array | undefined;
  },
): PausedWriting {
  const { seriesIds, createdMs, defaultLabels = noLabels } = captured;
  const { name, createdName, exemplars, order } = form;
  const isQuoted = !isLegacyMetricName(name);
  const prefix = lineStart(name);
  const createdPrefix = createdName === undefined ? undefined : lineStart(createdName);
  for (let place = 0; place < seriesIds.length; place++) {
    if (writer.isFull) yield;
    const index = order === undefined ? place : (order[place] as number);
    const added = defaultLabels(index);
    writer.append(prefix);
    writeLabels(writer, captured, { index, added, isQuoted });
    writer.number(singleValue(captured, index));
    if (exemplars !== undefined) writeExemplar(writer, exemplars(index, 0));
    writer.byte(NEWLINE);
    if (createdPrefix === undefined) continue;
    writer.append(createdPrefix);
    writeLabels(writer, captured, { index, added, isQuoted });
    writer.number((createdMs[index] as number) / MS_PER_SECOND);
    writer.byte(NEWLINE);
  }
}

/** Samples of a histogram, default labels before its own as prom-client has them: buckets, which put `le` first, the sum, and the count. */
export function* writeHistograms(
  writer: ByteWriter,
  captured: CapturedFamily,
  { formatBound, hasSum, createdName, exemplars }: HistogramLines,
): PausedWriting {
  const { family, seriesIds, labels, createdMs, values, width } = captured;
  const { starts, ends } = labels;
  const { defaultLabels = noLabels } = captured;
  const isQuoted = !isLegacyMetricName(family.name);
  const bucketPrefixes = [...family.bounds, Number.POSITIVE_INFINITY].map((bound) =>
    labelledLineStart(`${family.name}_bucket`, `le="${formatBound(bound)}"`),
  );
  const sumPrefix = lineStart(`${family.name}_sum`);
  const countPrefix = lineStart(`${family.name}_count`);
  const createdPrefix = createdName === undefined ? undefined : lineStart(createdName);
  // What the lines of one series have in common: a comma and the labels, where there are any, and the closing brace.
  const common = new ByteWriter(1024);
  let hasLabels = false;
  const line = (prefix: ByteWriter, value: number): void => {
    writer.append(prefix);
    if (isQuoted) writer.append(common);
    else {
      writer.byte(hasLabels ? OPEN : SPACE);
      // Without the comma; without labels, nothing.
      writer.append(common, hasLabels ? 1 : common.size);
    }
    writer.number(value);
    writer.byte(NEWLINE);
  };
  for (let index = 0; index < seriesIds.length; index++) {
    if (writer.isFull) yield;
    const added = defaultLabels(index);
    const block = index * width;
    common.clear();
    // From where they lie: a view of each series' labels would take as long as to copy them.
    appendAfterComma(common, added, 0, added.length);
    appendAfterComma(common, labels.bytes, starts[index] as number, ends[index] as number);
    hasLabels = common.size > 0;
    common.byte(CLOSE);
    common.byte(SPACE);
    let cumulative = 0;
    for (let bucket = 0; bucket < bucketPrefixes.length; bucket++) {
      cumulative += values[block + BLOCK_COUNTS + bucket] as number;
      writer.append(bucketPrefixes[bucket] as ByteWriter);
      writer.append(common);
      writer.number(cumulative);
      if (exemplars !== undefined) writeExemplar(writer, exemplars(index, bucket));
      writer.byte(NEWLINE);
    }
    const sum = values[block + BLOCK_SUM] as number;
    if (hasSum(sum)) {
      line(sumPrefix, sum);
      line(countPrefix, cumulative);
    }
    if (createdPrefix !== undefined) {
      line(createdPrefix, (createdMs[index] as number) / MS_PER_SECOND);
    }
  }
}

/** What follows a sample's value that has an exemplar: ` # {trace_id="…"} 0.25 1700000000.125`. */
export function writeExemplar(writer: ByteWriter, exemplar: Exemplar | undefined): void {
  if (exemplar === undefined) return;
  const { labels, value, timestampMs } = exemplar;
  const names = labels.map(([name]) => name);
  const values = labels.map(([, text]) => text);
  writer.text(` # {${formatLabels(names, values)}} `);
  writer.number(value);
  writer.byte(SPACE);
  writer.number(timestampMs / MS_PER_SECOND);
}

const NO_LABELS = new Uint8Array(0);

/** The default labels of a page that has none. */
export function noLabels(): Uint8Array {
  return NO_LABELS;
}

/** What a sample's line begins with: its name, or the brace within which a name in quotes stands. */
export function lineStart(name: string): ByteWriter {
  return ByteWriter.of(isLegacyMetricName(name) ? name : `{${metricName(name)}`);
}

/** The same with a first label, the brace left open. */
export function labelledLineStart(name: string, label: string): ByteWriter {
  const start = isLegacyMetricName(name) ? `${name}{` : `{${metricName(name)},`;
  return ByteWriter.of(`${start}${label}`);
}

/** A series' labels and those that the page adds, in braces, where there are any or a name in quotes stands there, and the space before the value. */
export function writeLabels(
  writer: ByteWriter,
  { labels }: CapturedFamily,
  of: { readonly index: number; readonly added: Uint8Array; readonly isQuoted: boolean },
): void {
  const { index, added, isQuoted } = of;
  const start = labels.starts[index] as number;
  const end = labels.ends[index] as number;
  const hasLabels = end > start || added.length > 0;
  if (hasLabels) {
    writer.byte(isQuoted ? COMMA : OPEN);
    writer.copy(labels.bytes, start, end);
    if (end > start && added.length > 0) writer.byte(COMMA);
    writer.copy(added);
  }
  if (hasLabels || isQuoted) writer.byte(CLOSE);
  writer.byte(SPACE);
}

/** Labels after a comma, where there are any. */
export function appendAfterComma(
  writer: ByteWriter,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  if (end === start) return;
  writer.byte(COMMA);
  writer.copy(bytes, start, end);
}
