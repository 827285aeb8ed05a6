import { FamilyKind } from '../layout/catalog.js';
import { type ByteWriter, formatNumber } from './byte-writer.js';
import type { Capture, CapturedFamily } from './capture.js';
import { type OpenMetricsHeader, openMetricsHeaders } from './open-metrics-names.js';
import type { PipelineFamily } from './pipeline-families.js';
import { type PausedWriting, writeHistograms, writeSamples } from './sample-lines.js';
import { writeSummaries } from './summary-lines.js';
import { expositionType } from './text-format.js';

/** Content type of the OpenMetrics text that this module writes. */
export const OPEN_METRICS_CONTENT_TYPE =
  'application/openmetrics-text; version=1.0.0; charset=utf-8';

const NEWLINE = 0x0a;

/** Go's %g changes to an exponent from here on, and the canonical numbers of OpenMetrics are Go's. */
const EXPONENT_FROM = 1e6;
const EXPONENT_BELOW = 1e-4;

/**
 * Writes a capture in OpenMetrics 1.0. Every sample has the name that it has in the Prometheus text format.
 *
 * `_created` is left out: memory does not hold when a series began, and a time that is wrong is worse than none.
 */
export function* writeOpenMetrics(
  writer: ByteWriter,
  captured: Capture,
  pipelineFamilies: readonly PipelineFamily[],
): PausedWriting {
  const { families } = captured;
  const headers = openMetricsHeaders([
    ...families.map(({ family }) => ({ name: family.name, type: expositionType(family.kind) })),
    ...pipelineFamilies,
  ]);
  for (const [index, family] of families.entries()) {
    writeHeader(writer, headers[index] as OpenMetricsHeader, family.family.help);
    yield* writeFamily(writer, family);
  }
  for (const [index, family] of pipelineFamilies.entries()) {
    writeHeader(writer, headers[families.length + index] as OpenMetricsHeader, family.help);
    writer.text(`${family.name} `);
    writer.number(family.value(captured.totals));
    writer.byte(NEWLINE);
  }
  writer.text('# EOF\n');
}

function* writeFamily(writer: ByteWriter, captured: CapturedFamily): PausedWriting {
  const { family } = captured;
  if (family.kind === FamilyKind.summary) {
    yield* writeSummaries(writer, captured, {
      formatShare: formatCanonical,
      hasQuantile: (value) => !(value < 0),
      hasSum: (sum) => sum >= 0,
    });
    return;
  }
  if (family.kind !== FamilyKind.histogram) {
    yield* writeSamples(writer, captured, family.name);
    return;
  }
  // A sum that may fall is no counter: with bounds below zero it has to be missing, and the count with it.
  const canHaveSum = !family.bounds.some((bound) => bound < 0);
  yield* writeHistograms(writer, captured, {
    formatBound: formatCanonical,
    // False for NaN as well, which two infinities leave behind.
    hasSum: (sum) => canHaveSum && sum >= 0,
  });
}

/** @param help Escaped as the Prometheus text format wants it. */
function writeHeader(writer: ByteWriter, header: OpenMetricsHeader, help: string): void {
  const { name, type, unit } = header;
  const unitLine = unit === undefined ? '' : `# UNIT ${name} ${unit}\n`;
  writer.text(`# TYPE ${name} ${type}\n${unitLine}# HELP ${name} ${help.replaceAll('"', '\\"')}\n`);
}

/**
 * A float where text is compared with text, as in the label `le`: `1.0`, `0.001`, `1e+06`, `1e-05`, `+Inf`.
 *
 * @see OpenMetrics 1.0, "Considerations: Canonical Numbers".
 */
export function formatCanonical(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) return formatNumber(value);
  if (value === 0 || (size >= EXPONENT_BELOW && size < EXPONENT_FROM)) {
    const text = formatNumber(value);
    return text.includes('.') ? text : `${text}.0`;
  }
  const [digits, exponent] = value.toExponential().split('e') as [string, string];
  return `${digits}e${exponent.charAt(0)}${exponent.slice(1).padStart(2, '0')}`;
}
