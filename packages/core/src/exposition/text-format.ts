import { metricName } from '../instruments/label-text.js';
import { FamilyKind } from '../layout/catalog.js';
import { type ByteWriter, formatNumber } from './byte-writer.js';
import type { Capture, CapturedFamily } from './capture.js';
import { type ForeignFamily, writeForeignSamples } from './foreign-family.js';
import { type PipelineFamily, writePipelineSamples } from './pipeline-families.js';
import {
  type HistogramLines,
  type PausedWriting,
  writeHistograms,
  writeSamples,
} from './sample-lines.js';
import { type SummaryLines, writeSummaries } from './summary-lines.js';

/** Content type of the Prometheus text format 0.0.4. */
export const TEXT_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** Content type of 1.0.0, which differs in nothing but the names that it may have, in quotes. */
export const TEXT_1_CONTENT_TYPE = 'text/plain; version=1.0.0; charset=utf-8';

const NEWLINE = 0x0a;

const HISTOGRAM_LINES: HistogramLines = { formatBound: formatNumber, hasSum: () => true };

const SUMMARY_LINES: SummaryLines = {
  formatShare: formatNumber,
  hasQuantile: () => true,
  hasSum: () => true,
};

/**
 * Writes a capture in the Prometheus text format, 0.0.4 or, where a name is in quotes, 1.0.0. Blocks are separated by a blank line and buckets put `le` first, as prom-client
 * does, so that tests which compare pages go on passing.
 */
export function* writeText(
  writer: ByteWriter,
  captured: Capture,
  pipelineFamilies: readonly PipelineFamily[],
): PausedWriting {
  let isFirst = true;
  const separate = (): void => {
    if (!isFirst) writer.byte(NEWLINE);
    isFirst = false;
  };
  for (const family of captured.families) {
    separate();
    yield* writeFamily(writer, family);
  }
  for (const family of captured.foreign ?? []) {
    separate();
    yield* writeForeignFamily(writer, family);
  }
  for (const family of pipelineFamilies) {
    separate();
    writeHeader(writer, family);
    writePipelineSamples(writer, family, captured);
  }
}

function* writeForeignFamily(writer: ByteWriter, family: ForeignFamily): PausedWriting {
  writeHeader(writer, { ...family, type: family.type === 'unknown' ? 'untyped' : family.type });
  yield* writeForeignSamples(writer, family, { formatBound: formatNumber, hasExemplars: false });
}

function* writeFamily(writer: ByteWriter, captured: CapturedFamily): PausedWriting {
  const { family } = captured;
  writeHeader(writer, { name: family.name, help: family.help, type: expositionType(family.kind) });
  if (family.kind === FamilyKind.histogram) {
    yield* writeHistograms(writer, captured, HISTOGRAM_LINES);
  } else if (family.kind === FamilyKind.summary) {
    yield* writeSummaries(writer, captured, SUMMARY_LINES);
  } else {
    yield* writeSamples(writer, captured, { name: family.name });
  }
}

function writeHeader(
  writer: ByteWriter,
  family: { readonly name: string; readonly help: string; readonly type: string },
): void {
  const name = metricName(family.name);
  writer.text(`# HELP ${name} ${family.help}\n# TYPE ${name} ${family.type}\n`);
}

/** The word that both text formats have for a kind of family. */
export function expositionType(kind: FamilyKind): 'counter' | 'gauge' | 'histogram' | 'summary' {
  switch (kind) {
    case FamilyKind.counter:
    case FamilyKind.observationCounter:
      return 'counter';
    case FamilyKind.histogram:
      return 'histogram';
    case FamilyKind.summary:
      return 'summary';
    case FamilyKind.liveGauge:
      return 'gauge';
  }
}
