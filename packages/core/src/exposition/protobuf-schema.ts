/**
 * Tags of the public schema of Prometheus, io.prometheus.client in metrics.proto (github.com/prometheus/client_model): a field's
 * number and how it is written, in one byte. Newer than the rest are created_timestamp and unit, which an older reader skips.
 *
 *   message       fields that are written: number and type
 *   ────────────  ──────────────────────────────────────────────────────────────────────────────────────────────
 *   MetricFamily  1 name, 2 help, 3 type (enum), 4 metric
 *   Metric        1 label, 2 gauge, 3 counter, 4 summary, 5 untyped, 7 histogram
 *   LabelPair     1 name, 2 value
 *   Gauge         1 value (double); Untyped is the same
 *   Counter       1 value (double), 2 exemplar, 3 created_timestamp
 *   Summary       1 sample_count (uint64), 2 sample_sum (double), 3 quantile, 4 created_timestamp
 *   Quantile      1 quantile (double), 2 value (double)
 *   Histogram     1 sample_count (uint64), 2 sample_sum (double), 3 bucket, 15 created_timestamp; native:
 *                 5 schema (sint32), 6 zero_threshold (double), 7 zero_count (uint64),
 *                 9 negative_span, 10 negative_delta (sint64, packed), 12 positive_span, 13 positive_delta (the same)
 *   Bucket        1 cumulative_count (uint64), 2 upper_bound (double), 3 exemplar
 *   BucketSpan    1 offset (sint32), 2 length (uint32)
 *   Exemplar      1 label, 2 value (double), 3 timestamp
 *   Timestamp     1 seconds (int64), 2 nanos (int32): google.protobuf.Timestamp
 */
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;

/** One byte holds a tag up to field 15. */
function tagOf(field: number, wireType: number): number {
  return (field << 3) | wireType;
}

export const FAMILY_NAME = tagOf(1, DELIMITED);
export const FAMILY_HELP = tagOf(2, DELIMITED);
export const FAMILY_TYPE = tagOf(3, VARINT);
export const FAMILY_METRIC = tagOf(4, DELIMITED);

/** What FAMILY_TYPE says. */
export const MetricType = { counter: 0, gauge: 1, summary: 2, untyped: 3, histogram: 4 } as const;

export const METRIC_LABEL = tagOf(1, DELIMITED);
export const METRIC_GAUGE = tagOf(2, DELIMITED);
export const METRIC_COUNTER = tagOf(3, DELIMITED);
export const METRIC_SUMMARY = tagOf(4, DELIMITED);
export const METRIC_UNTYPED = tagOf(5, DELIMITED);
export const METRIC_HISTOGRAM = tagOf(7, DELIMITED);

export const LABEL_NAME = tagOf(1, DELIMITED);
export const LABEL_VALUE = tagOf(2, DELIMITED);

export const GAUGE_VALUE = tagOf(1, FIXED64);

export const UNTYPED_VALUE = tagOf(1, FIXED64);

export const COUNTER_VALUE = tagOf(1, FIXED64);
export const COUNTER_EXEMPLAR = tagOf(2, DELIMITED);
export const COUNTER_CREATED = tagOf(3, DELIMITED);

export const SUMMARY_COUNT = tagOf(1, VARINT);
export const SUMMARY_SUM = tagOf(2, FIXED64);
export const SUMMARY_QUANTILE = tagOf(3, DELIMITED);
export const SUMMARY_CREATED = tagOf(4, DELIMITED);

export const QUANTILE_SHARE = tagOf(1, FIXED64);
export const QUANTILE_VALUE = tagOf(2, FIXED64);

export const HISTOGRAM_COUNT = tagOf(1, VARINT);
export const HISTOGRAM_SUM = tagOf(2, FIXED64);
export const HISTOGRAM_BUCKET = tagOf(3, DELIMITED);
export const HISTOGRAM_SCHEMA = tagOf(5, VARINT);
export const HISTOGRAM_ZERO_THRESHOLD = tagOf(6, FIXED64);
export const HISTOGRAM_ZERO_COUNT = tagOf(7, VARINT);
export const HISTOGRAM_NEGATIVE_SPAN = tagOf(9, DELIMITED);
export const HISTOGRAM_NEGATIVE_DELTA = tagOf(10, DELIMITED);
export const HISTOGRAM_POSITIVE_SPAN = tagOf(12, DELIMITED);
export const HISTOGRAM_POSITIVE_DELTA = tagOf(13, DELIMITED);
export const HISTOGRAM_CREATED = tagOf(15, DELIMITED);

export const BUCKET_COUNT = tagOf(1, VARINT);
export const BUCKET_BOUND = tagOf(2, FIXED64);
export const BUCKET_EXEMPLAR = tagOf(3, DELIMITED);

export const SPAN_OFFSET = tagOf(1, VARINT);
export const SPAN_LENGTH = tagOf(2, VARINT);

export const EXEMPLAR_LABEL = tagOf(1, DELIMITED);
export const EXEMPLAR_VALUE = tagOf(2, FIXED64);
export const EXEMPLAR_TIMESTAMP = tagOf(3, DELIMITED);

export const TIMESTAMP_SECONDS = tagOf(1, VARINT);
export const TIMESTAMP_NANOS = tagOf(2, VARINT);
