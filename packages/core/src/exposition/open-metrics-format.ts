import { metricName, parseLabels } from '../instruments/label-text.js';
import { FamilyKind, OpenMetricsType } from '../layout/catalog.js';
import { type ByteWriter, formatNumber } from './byte-writer.js';
import { type Capture, type CapturedFamily, labelsText } from './capture.js';
import { writeForeignSamples } from './foreign-family.js';
import {
  type NamedFamily,
  type OpenMetricsHeader,
  openMetricsHeaders,
} from './open-metrics-names.js';
import { type PipelineFamily, writePipelineSamples } from './pipeline-families.js';
import { type PausedWriting, writeHistograms, writeSamples } from './sample-lines.js';
import { writeSummaries } from './summary-lines.js';
import { expositionType } from './text-format.js';

/** Content type of the OpenMetrics text that this module writes. */
export const OPEN_METRICS_CONTENT_TYPE =
  'application/openmetrics-text; version=1.0.0; charset=utf-8';

/** The last line of each page. */
export const OPEN_METRICS_END = '# EOF\n';

/** Go's %g changes to an exponent from here on, and the canonical numbers of OpenMetrics are Go's. */
const EXPONENT_FROM = 1e6;
const EXPONENT_BELOW = 1e-4;

/**
 * Writes a capture in OpenMetrics 1.0. Every sample has the name that it has in the Prometheus text format; `_created`, which that format
 * does not have, says when each series of a counter, histogram or summary began. The pipeline's own counters have none: memory does not hold
 * when it was laid out, and a time that is wrong is worse than none.
 */
export function* writeOpenMetrics(
  writer: ByteWriter,
  captured: Capture,
  pipelineFamilies: readonly PipelineFamily[],
): PausedWriting {
  const { families, foreign = [] } = captured;
  const headers = openMetricsHeaders([
    ...families.map((one) => ({ name: one.family.name, type: typeOf(one) })),
    ...foreign,
    ...pipelineFamilies,
  ]);
  for (const [index, family] of families.entries()) {
    const header = headers[index] as OpenMetricsHeader;
    writeHeader(writer, header, family.family.help);
    yield* writeFamily(writer, family, header);
  }
  for (const [index, family] of foreign.entries()) {
    const header = headers[families.length + index] as OpenMetricsHeader;
    writeHeader(writer, header, family.help);
    const hasExemplars = header.type === 'counter' || header.type === 'histogram';
    yield* writeForeignSamples(writer, family, { formatBound: formatCanonical, hasExemplars });
  }
  const before = families.length + foreign.length;
  for (const [index, family] of pipelineFamilies.entries()) {
    writeHeader(writer, headers[before + index] as OpenMetricsHeader, family.help);
    writePipelineSamples(writer, family, captured);
  }
  writer.text(OPEN_METRICS_END);
}

function* writeFamily(
  writer: ByteWriter,
  captured: CapturedFamily,
  { type, createdName }: OpenMetricsHeader,
): PausedWriting {
  const { family, exemplars } = captured;
  if (family.kind === FamilyKind.summary) {
    yield* writeSummaries(writer, captured, {
      formatShare: formatCanonical,
      hasQuantile: (value) => !(value < 0),
      hasSum: (sum) => sum >= 0,
      createdName,
    });
    return;
  }
  if (family.kind !== FamilyKind.histogram) {
    const order = type === 'stateset' ? orderBySet(captured) : undefined;
    const form = { name: family.name, createdName, order };
    // A counter that has to be of type unknown may not have exemplars.
    yield* writeSamples(writer, captured, type === 'counter' ? { ...form, exemplars } : form);
    return;
  }
  // A sum that may fall is no counter: with bounds below zero it has to be missing, and the count with it.
  const canHaveSum = !family.bounds.some((bound) => bound < 0);
  yield* writeHistograms(writer, captured, {
    formatBound: formatCanonical,
    // False for NaN as well, which two infinities leave behind.
    hasSum: (sum) => canHaveSum && sum >= 0,
    createdName,
    exemplars,
  });
}

/**
 * A state set or info with a value that the type does not allow, which nothing but a direct write leaves behind, is the gauge that it is
 * elsewhere; so is a state set whose label could not be escaped to its own name.
 */
function typeOf({ family, values }: CapturedFamily): NamedFamily['type'] {
  const { openMetricsType, kind, labelNames, name } = family;
  if (
    openMetricsType === OpenMetricsType.stateSet &&
    labelNames.includes(name) &&
    values.every((value) => value === 0 || value === 1)
  )
    return 'stateset';
  if (openMetricsType === OpenMetricsType.info && values.every((value) => value === 1))
    return 'info';
  return expositionType(kind);
}

/** Series of a state set one set after another: those of one may not stand among another's, and a state may have been removed and set again. */
function orderBySet(captured: CapturedFamily): Int32Array {
  const sets = new Map<string, number[]>();
  for (let index = 0; index < captured.seriesIds.length; index++) {
    const labels = parseLabels(labelsText(captured, index));
    const set = JSON.stringify(
      Object.entries(labels).filter(([name]) => name !== captured.family.name),
    );
    const states = sets.get(set);
    if (states === undefined) sets.set(set, [index]);
    else states.push(index);
  }
  return Int32Array.from([...sets.values()].flat());
}

/** @param help Escaped as the Prometheus text format wants it. */
function writeHeader(writer: ByteWriter, header: OpenMetricsHeader, help: string): void {
  const { type, unit } = header;
  const name = metricName(header.name);
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
