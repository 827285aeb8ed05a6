import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import { ByteWriter } from './byte-writer.js';
import { type CapturedFamily, labelsOf, singleValue } from './capture.js';

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
}

/**
 * Writing that pauses: whenever the writer is full, and where it takes long to fill it. It goes on when it is asked for the next value; by then a
 * full writer has other memory.
 */
export type PausedWriting = Generator<void, void, void>;

/** Samples of a family with one value a series. */
export function* writeSamples(
  writer: ByteWriter,
  captured: CapturedFamily,
  name: string,
): PausedWriting {
  const { seriesIds, defaultLabels = noLabels } = captured;
  const prefix = ByteWriter.of(name);
  for (let index = 0; index < seriesIds.length; index++) {
    if (writer.isFull) yield;
    writer.append(prefix);
    writeLabels(writer, labelsOf(captured, index), defaultLabels(index));
    writer.number(singleValue(captured, index));
    writer.byte(NEWLINE);
  }
}

/** Samples of a histogram, default labels before its own as prom-client has them: buckets, which put `le` first, the sum, and the count. */
export function* writeHistograms(
  writer: ByteWriter,
  captured: CapturedFamily,
  { formatBound, hasSum }: HistogramLines,
): PausedWriting {
  const { family, seriesIds, values, width, defaultLabels = noLabels } = captured;
  const bucketPrefixes = [...family.bounds, Number.POSITIVE_INFINITY].map((bound) =>
    ByteWriter.of(`${family.name}_bucket{le="${formatBound(bound)}"`),
  );
  const sumPrefix = ByteWriter.of(`${family.name}_sum`);
  const countPrefix = ByteWriter.of(`${family.name}_count`);
  // What the lines of one series have in common: a comma and the labels, where there are any, and the closing brace.
  const common = new ByteWriter(1024);
  for (let index = 0; index < seriesIds.length; index++) {
    if (writer.isFull) yield;
    const own = labelsOf(captured, index);
    const added = defaultLabels(index);
    const block = index * width;
    common.clear();
    for (const labels of [added, own]) {
      if (labels.length === 0) continue;
      common.byte(COMMA);
      common.copy(labels);
    }
    const hasLabels = common.size > 0;
    common.byte(CLOSE);
    common.byte(SPACE);
    let cumulative = 0;
    for (let bucket = 0; bucket < bucketPrefixes.length; bucket++) {
      cumulative += values[block + BLOCK_COUNTS + bucket] as number;
      writer.append(bucketPrefixes[bucket] as ByteWriter);
      writer.append(common);
      writer.number(cumulative);
      writer.byte(NEWLINE);
    }
    const sum = values[block + BLOCK_SUM] as number;
    if (!hasSum(sum)) continue;
    for (const [prefix, value] of [
      [sumPrefix, sum],
      [countPrefix, cumulative],
    ] as const) {
      writer.append(prefix);
      writer.byte(hasLabels ? OPEN : SPACE);
      // Without the comma; without labels, nothing.
      writer.append(common, hasLabels ? 1 : common.size);
      writer.number(value);
      writer.byte(NEWLINE);
    }
  }
}

const NO_LABELS = new Uint8Array(0);

/** The default labels of a page that has none. */
export function noLabels(): Uint8Array {
  return NO_LABELS;
}

/** Labels in braces, where there are any, and the space before the value. */
export function writeLabels(writer: ByteWriter, first: Uint8Array, second: Uint8Array): void {
  if (first.length + second.length > 0) {
    writer.byte(OPEN);
    writer.copy(first);
    if (first.length > 0 && second.length > 0) writer.byte(COMMA);
    writer.copy(second);
    writer.byte(CLOSE);
  }
  writer.byte(SPACE);
}
