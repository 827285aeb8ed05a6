import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { ParsedSample } from './exposition-parser.js';

/**
 * The protobuf exposition as the public schema and protobufjs have it, nothing of the writer's. What a field does not say is left
 * undefined here, as proto2 has it.
 */

const MetricFamily = new protobuf.Root()
  .loadSync(fileURLToPath(new URL('../../support/metrics.proto', import.meta.url)), {
    keepCase: true,
  })
  .lookupType('io.prometheus.client.MetricFamily');

export interface DecodedTimestamp {
  readonly seconds?: number;
  readonly nanos?: number;
}

export interface DecodedLabel {
  readonly name?: string;
  readonly value?: string;
}

export interface DecodedExemplar {
  readonly label?: readonly DecodedLabel[];
  readonly value?: number;
  readonly timestamp?: DecodedTimestamp;
}

export interface DecodedSpan {
  readonly offset?: number;
  readonly length?: number;
}

export interface DecodedHistogram {
  readonly sample_count?: number;
  readonly sample_sum?: number;
  readonly bucket?: readonly {
    readonly cumulative_count?: number;
    readonly upper_bound?: number;
    readonly exemplar?: DecodedExemplar;
  }[];
  readonly created_timestamp?: DecodedTimestamp;
  readonly schema?: number;
  readonly zero_threshold?: number;
  readonly zero_count?: number;
  readonly negative_span?: readonly DecodedSpan[];
  readonly negative_delta?: readonly number[];
  readonly positive_span?: readonly DecodedSpan[];
  readonly positive_delta?: readonly number[];
}

export interface DecodedMetric {
  readonly label?: readonly DecodedLabel[];
  readonly gauge?: { readonly value?: number };
  readonly counter?: {
    readonly value?: number;
    readonly exemplar?: DecodedExemplar;
    readonly created_timestamp?: DecodedTimestamp;
  };
  readonly summary?: {
    readonly sample_count?: number;
    readonly sample_sum?: number;
    readonly quantile?: readonly { readonly quantile?: number; readonly value?: number }[];
    readonly created_timestamp?: DecodedTimestamp;
  };
  readonly histogram?: DecodedHistogram;
}

export interface DecodedFamily {
  readonly name?: string;
  readonly help?: string;
  readonly type?: 'COUNTER' | 'GAUGE' | 'SUMMARY' | 'UNTYPED' | 'HISTOGRAM';
  readonly metric?: readonly DecodedMetric[];
}

/** Decodes a page; throws where it is no sequence of whole messages. */
export function decodeFamilies(page: Uint8Array): DecodedFamily[] {
  const reader = protobuf.Reader.create(page);
  const families: DecodedFamily[] = [];
  while (reader.pos < reader.len) {
    const message = MetricFamily.decodeDelimited(reader);
    families.push(MetricFamily.toObject(message, { enums: String, longs: Number }));
  }
  return families;
}

/** Encodes a page by the same library. */
export function encodeFamilies(families: readonly DecodedFamily[]): Buffer {
  return Buffer.concat(
    families.map((family) =>
      MetricFamily.encodeDelimited(MetricFamily.fromObject(family)).finish(),
    ),
  );
}

/** The lines that the text format has for a family, in its order. */
export function samplesOf(family: DecodedFamily): ParsedSample[] {
  return (family.metric ?? []).flatMap((metric) => samplesOfMetric(family, metric));
}

function samplesOfMetric({ name = '', type }: DecodedFamily, metric: DecodedMetric) {
  const { counter, gauge, summary, histogram } = metric;
  const labels = (metric.label ?? []).map(({ name = '', value = '' }): [string, string] => [
    name,
    value,
  ]);
  const sample = (suffix: string, value: number | undefined, own: [string, string][] = []) => {
    if (value === undefined) throw new Error(`${name}${suffix} has no value`);
    return { name: name + suffix, labels: new Map([...own, ...labels]), value };
  };
  switch (type) {
    case 'COUNTER':
      return [sample('', counter?.value)];
    case 'GAUGE':
      return [sample('', gauge?.value)];
    case 'SUMMARY':
      return [
        ...(summary?.quantile ?? []).map(({ quantile, value }) =>
          sample('', value, [['quantile', textOf(quantile)]]),
        ),
        sample('_sum', summary?.sample_sum),
        sample('_count', summary?.sample_count),
      ];
    case 'HISTOGRAM':
      return [
        ...(histogram?.bucket ?? []).map(({ cumulative_count, upper_bound }) =>
          sample('_bucket', cumulative_count, [['le', textOf(upper_bound)]]),
        ),
        // Optional where nothing is to be said of it but its count.
        ...(histogram?.bucket?.at(-1)?.upper_bound === Number.POSITIVE_INFINITY
          ? []
          : [sample('_bucket', histogram?.sample_count, [['le', '+Inf']])]),
        sample('_sum', histogram?.sample_sum),
        sample('_count', histogram?.sample_count),
      ];
    default:
      throw new Error(`${name} is of type ${type}`);
  }
}

function textOf(value: number | undefined): string {
  if (value === undefined) throw new Error('a bound is missing');
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

/** Counts by index, of the buckets that spans and deltas describe; throws where they do not belong together. */
export function bucketsOf(
  spans: readonly DecodedSpan[] = [],
  deltas: readonly number[] = [],
): Map<number, number> {
  const buckets = new Map<number, number>();
  let index = 0;
  let at = 0;
  let count = 0;
  for (const [position, { offset, length }] of spans.entries()) {
    if (offset === undefined || length === undefined) throw new Error('a span is incomplete');
    if (position > 0 && offset < 0) throw new Error('spans overlap');
    index += offset;
    for (let bucket = 0; bucket < length; bucket++, index++, at++) {
      const delta = deltas[at];
      if (delta === undefined) throw new Error('more buckets than deltas');
      count += delta;
      if (count < 0) throw new Error('a count below zero');
      buckets.set(index, count);
    }
  }
  if (at !== deltas.length) throw new Error('more deltas than buckets');
  return buckets;
}
