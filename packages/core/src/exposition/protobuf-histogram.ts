import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import type { CapturedFamily } from './capture.js';
import { NativeBuckets, type SparseBuckets } from './native-buckets.js';
import { writeExemplar } from './protobuf-exemplar.js';
import * as schema from './protobuf-schema.js';
import { type ProtobufWriter, varintBytes } from './protobuf-writer.js';

/** A bound with its tag. */
const BOUND_BYTES = 9;

/** Writes the fields of a series' histogram, by the series' index. */
export type WriteHistogram = (index: number) => void;

/**
 * Makes what writes the histograms of a family: classic buckets, and beside them, where the family is native, the buckets of its sketch. A
 * server takes those that it is set to, and exemplars from the classic ones in either case. The bucket of +Inf stands there only
 * where it has one, as every reader takes it from the count.
 */
export function histogramWriter(writer: ProtobufWriter, captured: CapturedFamily): WriteHistogram {
  const { family, values, width, sketches, exemplars } = captured;
  const { bounds } = family;
  const native =
    family.isNative && sketches !== undefined ? new NativeBuckets(sketches) : undefined;
  return (index) => {
    const counts = index * width + BLOCK_COUNTS;
    let total = 0;
    for (let bucket = 0; bucket <= bounds.length; bucket++) {
      total += values[counts + bucket] as number;
    }
    writer.byte(schema.HISTOGRAM_COUNT);
    writer.varint(total);
    writer.double(schema.HISTOGRAM_SUM, values[index * width + BLOCK_SUM] as number);
    let cumulative = 0;
    for (let bucket = 0; bucket <= bounds.length; bucket++) {
      cumulative += values[counts + bucket] as number;
      const exemplar = exemplars?.(index, bucket);
      if (exemplar !== undefined) {
        const bound = bounds[bucket] ?? Number.POSITIVE_INFINITY;
        const start = writer.open(schema.HISTOGRAM_BUCKET, 1);
        writeBucket(writer, cumulative, bound);
        writeExemplar(writer, schema.BUCKET_EXEMPLAR, exemplar);
        writer.close(start, 1);
      } else if (bucket < bounds.length) {
        writer.byte(schema.HISTOGRAM_BUCKET);
        writer.byte(1 + varintBytes(cumulative) + BOUND_BYTES);
        writeBucket(writer, cumulative, bounds[bucket] as number);
      }
    }
    if (native === undefined) return;
    native.read(index);
    writeNative(writer, native);
  };
}

function writeBucket(writer: ProtobufWriter, cumulative: number, bound: number): void {
  writer.byte(schema.BUCKET_COUNT);
  writer.varint(cumulative);
  writer.double(schema.BUCKET_BOUND, bound);
}

function writeNative(writer: ProtobufWriter, native: NativeBuckets): void {
  const { positive, negative } = native;
  writer.byte(schema.HISTOGRAM_SCHEMA);
  writer.zigzag(native.schema);
  writer.double(schema.HISTOGRAM_ZERO_THRESHOLD, native.zeroThreshold);
  writer.byte(schema.HISTOGRAM_ZERO_COUNT);
  writer.varint(native.zeroCount);
  writeBuckets(writer, negative, NEGATIVE);
  writeBuckets(writer, positive, POSITIVE);
  // By this span, which covers nothing, an empty native histogram is told from a classic one.
  if (positive.count + negative.count === 0) {
    writeSpan(writer, POSITIVE.span, { offset: 0, length: 0 });
  }
}

const NEGATIVE = { span: schema.HISTOGRAM_NEGATIVE_SPAN, delta: schema.HISTOGRAM_NEGATIVE_DELTA };
const POSITIVE = { span: schema.HISTOGRAM_POSITIVE_SPAN, delta: schema.HISTOGRAM_POSITIVE_DELTA };

/** Writes runs of neighbouring buckets as spans, and what each bucket has more than the one before it. */
function writeBuckets(
  writer: ProtobufWriter,
  { indexes, counts, count }: SparseBuckets,
  tags: { readonly span: number; readonly delta: number },
): void {
  if (count === 0) return;
  // Past the last bucket of the span before; the first span counts from zero.
  let end = 0;
  for (let at = 0; at < count; ) {
    const first = indexes[at] as number;
    let length = 1;
    while (at + length < count && indexes[at + length] === first + length) length++;
    writeSpan(writer, tags.span, { offset: first - end, length });
    end = first + length;
    at += length;
  }
  // Most deltas take one byte or two.
  const lengthBytes = varintBytes(2 * count);
  const deltas = writer.open(tags.delta, lengthBytes);
  let before = 0;
  for (let at = 0; at < count; at++) {
    writer.zigzag((counts[at] as number) - before);
    before = counts[at] as number;
  }
  writer.close(deltas, lengthBytes);
}

function writeSpan(
  writer: ProtobufWriter,
  tag: number,
  { offset, length }: { readonly offset: number; readonly length: number },
): void {
  const span = writer.open(tag, 1);
  writer.byte(schema.SPAN_OFFSET);
  writer.zigzag(offset);
  writer.byte(schema.SPAN_LENGTH);
  writer.varint(length);
  writer.close(span, 1);
}
