import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import type { CapturedFamily } from './capture.js';
import * as schema from './protobuf-schema.js';
import { type ProtobufWriter, varintBytes } from './protobuf-writer.js';

/** A bound with its tag. */
const BOUND_BYTES = 9;

/** Writes the fields of a series' histogram, by the series' index. */
export type WriteHistogram = (index: number) => void;

/**
 * Makes what writes the histograms of a family: the buckets without the one of +Inf, which every reader takes from the count.
 */
export function histogramWriter(writer: ProtobufWriter, captured: CapturedFamily): WriteHistogram {
  const { family, values, width } = captured;
  const { bounds } = family;
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
    for (let bucket = 0; bucket < bounds.length; bucket++) {
      cumulative += values[counts + bucket] as number;
      writer.byte(schema.HISTOGRAM_BUCKET);
      writer.byte(1 + varintBytes(cumulative) + BOUND_BYTES);
      writer.byte(schema.BUCKET_COUNT);
      writer.varint(cumulative);
      writer.double(schema.BUCKET_BOUND, bounds[bucket] as number);
    }
  };
}
