import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import { FamilyKind, SERIES_ENTRY_CELLS, SERIES_LABELS } from '../layout/catalog.js';
import type { CatalogFamily } from '../layout/catalog-reader.js';
import type { Segment } from '../layout/segment.js';
import { ByteWriter, formatNumber } from './byte-writer.js';
import { type Capture, type CapturedFamily, singleValue } from './capture.js';
import { PIPELINE_FAMILIES } from './pipeline-families.js';

/** Content type of the Prometheus text format that this module writes. */
export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const OPEN = 0x7b;
const CLOSE = 0x7d;
const SPACE = 0x20;
const COMMA = 0x2c;
const NEWLINE = 0x0a;

/**
 * Renders a capture in the Prometheus text format 0.0.4. Blocks are separated by a blank line and buckets put `le` first, as prom-client
 * does, so that tests which compare pages go on passing.
 */
export function renderText(
  segment: Segment,
  captured: Capture,
  options: { readonly includePipeline: boolean },
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  let isFirst = true;
  const separate = (): void => {
    if (!isFirst) writer.byte(NEWLINE);
    isFirst = false;
  };
  for (const family of captured.families) {
    separate();
    writeFamily(writer, segment, family);
  }
  if (options.includePipeline) {
    for (const family of PIPELINE_FAMILIES) {
      separate();
      writeHeader(writer, family);
      writer.text(`${family.name} `);
      writer.number(family.value(captured.totals));
      writer.byte(NEWLINE);
    }
  }
  return writer.take();
}

function writeFamily(writer: ByteWriter, segment: Segment, captured: CapturedFamily): void {
  const { family, seriesIds } = captured;
  writeHeader(writer, { name: family.name, help: family.help, type: typeOf(family) });
  if (family.kind === FamilyKind.histogram) {
    writeHistograms(writer, segment, captured);
    return;
  }
  const prefix = Buffer.from(family.name);
  for (let index = 0; index < seriesIds.length; index++) {
    writer.copy(prefix);
    writeLabels(writer, segment, seriesIds[index] as number);
    writer.number(singleValue(captured, index));
    writer.byte(NEWLINE);
  }
}

function writeHistograms(writer: ByteWriter, segment: Segment, captured: CapturedFamily): void {
  const { family, seriesIds, values, width } = captured;
  const bucketPrefixes = [...family.bounds, Number.POSITIVE_INFINITY].map((bound) =>
    Buffer.from(`${family.name}_bucket{le="${formatNumber(bound)}"`),
  );
  const sumPrefix = Buffer.from(`${family.name}_sum`);
  const countPrefix = Buffer.from(`${family.name}_count`);
  const { series, catalogBytes } = segment;
  for (let index = 0; index < seriesIds.length; index++) {
    const seriesId = seriesIds[index] as number;
    const entry = seriesId * SERIES_ENTRY_CELLS + SERIES_LABELS;
    const labels = series[entry] as number;
    const labelsEnd = labels + (series[entry + 1] as number);
    const block = index * width;
    let cumulative = 0;
    for (let bucket = 0; bucket < bucketPrefixes.length; bucket++) {
      cumulative += values[block + BLOCK_COUNTS + bucket] as number;
      writer.copy(bucketPrefixes[bucket] as Uint8Array);
      if (labelsEnd > labels) {
        writer.byte(COMMA);
        writer.copy(catalogBytes, labels, labelsEnd);
      }
      writer.byte(CLOSE);
      writer.byte(SPACE);
      writer.number(cumulative);
      writer.byte(NEWLINE);
    }
    writer.copy(sumPrefix);
    writeLabels(writer, segment, seriesId);
    writer.number(values[block + BLOCK_SUM] as number);
    writer.byte(NEWLINE);
    writer.copy(countPrefix);
    writeLabels(writer, segment, seriesId);
    writer.number(cumulative);
    writer.byte(NEWLINE);
  }
}

function writeHeader(
  writer: ByteWriter,
  family: { readonly name: string; readonly help: string; readonly type: string },
): void {
  writer.text(`# HELP ${family.name} ${family.help}\n# TYPE ${family.name} ${family.type}\n`);
}

/** Labels in braces, where there are any, and the space before the value. */
function writeLabels(writer: ByteWriter, segment: Segment, seriesId: number): void {
  const entry = seriesId * SERIES_ENTRY_CELLS + SERIES_LABELS;
  const start = segment.series[entry] as number;
  const bytes = segment.series[entry + 1] as number;
  if (bytes > 0) {
    writer.byte(OPEN);
    writer.copy(segment.catalogBytes, start, start + bytes);
    writer.byte(CLOSE);
  }
  writer.byte(SPACE);
}

function typeOf(family: CatalogFamily): string {
  switch (family.kind) {
    case FamilyKind.counter:
    case FamilyKind.observationCounter:
      return 'counter';
    case FamilyKind.histogram:
      return 'histogram';
    case FamilyKind.liveGauge:
      return 'gauge';
  }
}
