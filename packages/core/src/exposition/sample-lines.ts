import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import type { ByteWriter } from './byte-writer.js';
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

/** Samples of a family with one value a series. */
export function writeSamples(writer: ByteWriter, captured: CapturedFamily, name: string): void {
  const { seriesIds, defaultLabels = none } = captured;
  const prefix = Buffer.from(name);
  for (let index = 0; index < seriesIds.length; index++) {
    writer.copy(prefix);
    writeLabels(writer, labelsOf(captured, index), defaultLabels(index));
    writer.number(singleValue(captured, index));
    writer.byte(NEWLINE);
  }
}

/** Samples of a histogram, default labels before its own as prom-client has them: buckets, which put `le` first, the sum, and the count. */
export function writeHistograms(
  writer: ByteWriter,
  captured: CapturedFamily,
  { formatBound, hasSum }: HistogramLines,
): void {
  const { family, seriesIds, values, width, defaultLabels = none } = captured;
  const bucketPrefixes = [...family.bounds, Number.POSITIVE_INFINITY].map((bound) =>
    Buffer.from(`${family.name}_bucket{le="${formatBound(bound)}"`),
  );
  const sumPrefix = Buffer.from(`${family.name}_sum`);
  const countPrefix = Buffer.from(`${family.name}_count`);
  for (let index = 0; index < seriesIds.length; index++) {
    const own = labelsOf(captured, index);
    const added = defaultLabels(index);
    const block = index * width;
    let cumulative = 0;
    for (let bucket = 0; bucket < bucketPrefixes.length; bucket++) {
      cumulative += values[block + BLOCK_COUNTS + bucket] as number;
      writer.copy(bucketPrefixes[bucket] as Uint8Array);
      if (added.length > 0) {
        writer.byte(COMMA);
        writer.copy(added);
      }
      if (own.length > 0) {
        writer.byte(COMMA);
        writer.copy(own);
      }
      writer.byte(CLOSE);
      writer.byte(SPACE);
      writer.number(cumulative);
      writer.byte(NEWLINE);
    }
    const sum = values[block + BLOCK_SUM] as number;
    if (!hasSum(sum)) continue;
    writer.copy(sumPrefix);
    writeLabels(writer, added, own);
    writer.number(sum);
    writer.byte(NEWLINE);
    writer.copy(countPrefix);
    writeLabels(writer, added, own);
    writer.number(cumulative);
    writer.byte(NEWLINE);
  }
}

const NO_LABELS = new Uint8Array(0);

function none(): Uint8Array {
  return NO_LABELS;
}

/** Labels in braces, where there are any, and the space before the value. */
function writeLabels(writer: ByteWriter, first: Uint8Array, second: Uint8Array): void {
  if (first.length + second.length > 0) {
    writer.byte(OPEN);
    writer.copy(first);
    if (first.length > 0 && second.length > 0) writer.byte(COMMA);
    writer.copy(second);
    writer.byte(CLOSE);
  }
  writer.byte(SPACE);
}
