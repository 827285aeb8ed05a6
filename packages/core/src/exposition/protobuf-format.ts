import { unescapeHelp } from '../instruments/label-text.js';
import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import { FamilyKind } from '../layout/catalog.js';
import type { ByteWriter } from './byte-writer.js';
import { type Capture, type CapturedFamily, singleValue } from './capture.js';
import { summaryQuantile } from './captured-sketches.js';
import { CHUNK_BYTES } from './page-memory.js';
import { type PipelineFamily, samplesOf } from './pipeline-families.js';
import { writeExemplar } from './protobuf-exemplar.js';
import { writeForeignProtobuf } from './protobuf-foreign.js';
import { histogramWriter } from './protobuf-histogram.js';
import { writeLabelPairs, writeTextLabels } from './protobuf-labels.js';
import * as schema from './protobuf-schema.js';
import { writeTime } from './protobuf-time.js';
import { ProtobufWriter, varintBytes } from './protobuf-writer.js';
import type { PausedWriting } from './sample-lines.js';

/** Content type of the protobuf exposition that this module writes. */
export const PROTOBUF_CONTENT_TYPE =
  'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** Two doubles with their tags. */
const QUANTILE_BYTES = 18;
/** About what a metric takes without its labels' texts: tags, lengths, a value, a time. */
const METRIC_BYTES = 48;
/** About what a classic bucket takes: two tags, a length, a bound, a count. */
const BUCKET_BYTES = 15;

/** Series between two pauses: a tenth of a millisecond. */
const SERIES_A_PAUSE = 128;

/**
 * Writes a capture as a stream of MetricFamily messages, each after its length. Names, labels and values are those of the text format.
 *
 * A family without a series is left out: readers skip it, as the format has nothing to say of it but its help.
 */
export function* writeProtobuf(
  page: ByteWriter,
  captured: Capture,
  pipelineFamilies: readonly PipelineFamily[],
): PausedWriting {
  const writer = new ProtobufWriter();
  for (const family of captured.families) {
    if (family.seriesIds.length === 0) continue;
    yield* writeFamily(writer, family);
    yield* passOn(writer.take(), page);
  }
  for (const family of captured.foreign ?? []) {
    writeForeignProtobuf(writer, family);
    yield* passOn(writer.take(), page);
  }
  for (const family of pipelineFamilies) {
    const start = writer.openUntagged(2);
    writeHeader(writer, { ...family, type: schema.MetricType[family.type] });
    const [tag, valueTag] =
      family.type === 'counter'
        ? [schema.METRIC_COUNTER, schema.COUNTER_VALUE]
        : [schema.METRIC_GAUGE, schema.GAUGE_VALUE];
    for (const { labels, value } of samplesOf(family, captured)) {
      const metric = writer.open(schema.FAMILY_METRIC, 1);
      writeTextLabels(writer, labels);
      const content = writer.open(tag, 1);
      writer.double(valueTag, value);
      writer.close(content, 1);
      writer.close(metric, 1);
    }
    writer.close(start, 2);
  }
  yield* passOn(writer.take(), page);
}

/** The length of a family stands before it, so it goes out when it is written whole. */
function* passOn(bytes: Uint8Array, page: ByteWriter): PausedWriting {
  for (let at = 0; at < bytes.length; ) {
    if (page.isFull) yield;
    const end = Math.min(bytes.length, at + CHUNK_BYTES - page.size);
    page.bulk(bytes.subarray(at, end));
    at = end;
  }
}

function* writeFamily(writer: ProtobufWriter, captured: CapturedFamily): PausedWriting {
  const { family, seriesIds, labels, defaultLabels } = captured;
  const { tag, type, write } = contentOf(writer, captured);
  const expectedBytes = expectedBytesOf(captured);
  writer.expect(expectedBytes);
  const familyLengthBytes = varintBytes(expectedBytes);
  const start = writer.openUntagged(familyLengthBytes);
  writeHeader(writer, { name: family.name, help: unescapeHelp(family.help), type });
  // Neighbours are about as long.
  let metricLengthBytes = 1;
  let contentLengthBytes = 1;
  for (let index = 0; index < seriesIds.length; index++) {
    if (index % SERIES_A_PAUSE === SERIES_A_PAUSE - 1) yield;
    const metric = writer.open(schema.FAMILY_METRIC, metricLengthBytes);
    if (defaultLabels !== undefined) {
      const added = defaultLabels(index);
      writeLabelPairs(writer, added, 0, added.length);
    }
    const { bytes, starts, ends } = labels;
    writeLabelPairs(writer, bytes, starts[index] as number, ends[index] as number);
    const content = writer.open(tag, contentLengthBytes);
    write(index);
    contentLengthBytes = writer.close(content, contentLengthBytes);
    metricLengthBytes = writer.close(metric, metricLengthBytes);
  }
  writer.close(start, familyLengthBytes);
}

/** Where a metric keeps what it measures, and what writes that. */
interface Content {
  readonly tag: number;
  readonly type: number;
  readonly write: (index: number) => void;
}

function contentOf(writer: ProtobufWriter, captured: CapturedFamily): Content {
  const { createdMs, exemplars } = captured;
  switch (captured.family.kind) {
    case FamilyKind.counter:
    case FamilyKind.observationCounter:
      return {
        tag: schema.METRIC_COUNTER,
        type: schema.MetricType.counter,
        write: (index) => {
          writer.double(schema.COUNTER_VALUE, singleValue(captured, index));
          const exemplar = exemplars?.(index, 0);
          if (exemplar !== undefined) writeExemplar(writer, schema.COUNTER_EXEMPLAR, exemplar);
          writeTime(writer, schema.COUNTER_CREATED, createdMs[index] as number);
        },
      };
    case FamilyKind.liveGauge:
      return {
        tag: schema.METRIC_GAUGE,
        type: schema.MetricType.gauge,
        write: (index) => writer.double(schema.GAUGE_VALUE, singleValue(captured, index)),
      };
    case FamilyKind.summary:
      return {
        tag: schema.METRIC_SUMMARY,
        type: schema.MetricType.summary,
        write: (index) => {
          writeSummary(writer, captured, index);
          writeTime(writer, schema.SUMMARY_CREATED, createdMs[index] as number);
        },
      };
    case FamilyKind.histogram: {
      const writeHistogram = histogramWriter(writer, captured);
      return {
        tag: schema.METRIC_HISTOGRAM,
        type: schema.MetricType.histogram,
        write: (index) => {
          writeHistogram(index);
          writeTime(writer, schema.HISTOGRAM_CREATED, createdMs[index] as number);
        },
      };
    }
  }
}

function writeSummary(writer: ProtobufWriter, captured: CapturedFamily, index: number): void {
  const { family, values, width } = captured;
  const block = index * width;
  writer.byte(schema.SUMMARY_COUNT);
  writer.varint(values[block + BLOCK_COUNTS] as number);
  writer.double(schema.SUMMARY_SUM, values[block + BLOCK_SUM] as number);
  for (const share of family.quantiles) {
    writer.byte(schema.SUMMARY_QUANTILE);
    writer.byte(QUANTILE_BYTES);
    writer.double(schema.QUANTILE_SHARE, share);
    writer.double(schema.QUANTILE_VALUE, summaryQuantile(captured, index, share));
  }
}

function writeHeader(
  writer: ProtobufWriter,
  family: { readonly name: string; readonly help: string; readonly type: number },
): void {
  writer.text(schema.FAMILY_NAME, family.name);
  writer.text(schema.FAMILY_HELP, family.help);
  writer.byte(schema.FAMILY_TYPE);
  writer.varint(family.type);
}

/** About what a family takes; a little more than less, as room that is not used costs nothing. */
function expectedBytesOf({ family, seriesIds, labels, defaultLabels }: CapturedFamily): number {
  const count = seriesIds.length;
  let bytes = count * (METRIC_BYTES + family.bounds.length * BUCKET_BYTES);
  // A label takes three bytes in exposition form that it does not here, and six here that it does not there.
  bytes += count * (family.labelNames.length + 1) * 3;
  if (defaultLabels !== undefined) bytes += count * (defaultLabels(0).length + 3);
  for (let index = 0; index < count; index++) {
    bytes += (labels.ends[index] as number) - (labels.starts[index] as number);
  }
  return bytes;
}
