import { BLOCK_COUNTS, BLOCK_SUM } from '../layout/aggregates.js';
import { ByteWriter } from './byte-writer.js';

import type { CapturedFamily } from './capture.js';
import { summaryQuantile } from './captured-sketches.js';

import { isLegacyMetricName } from './name-escaping.js';
import {
  appendAfterComma,
  labelledLineStart,
  lineStart,
  MS_PER_SECOND,
  noLabels,
  type PausedWriting,
  writeLabels,
} from './sample-lines.js';

const CLOSE = 0x7d;
const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Where both text formats write the same samples differently. */
export interface SummaryLines {
  /** A share as the `quantile` label has it. */
  readonly formatShare: (share: number) => string;
  /** Whether the format takes a quantile of this value; NaN, of a series without observations, is one. */
  readonly hasQuantile: (value: number) => boolean;
  /** Whether a series whose sum is this one has `_sum`. */
  readonly hasSum: (sum: number) => boolean;
  /** Name of the sample that says when a series began, where the format has one. */
  readonly createdName?: string | undefined;
}

/** Samples of a summary, its own labels before default ones as prom-client has them: quantiles, which put `quantile` first, the sum, and the count. */
export function* writeSummaries(
  writer: ByteWriter,
  captured: CapturedFamily,
  { formatShare, hasQuantile, hasSum, createdName }: SummaryLines,
): PausedWriting {
  const { family, seriesIds, labels, createdMs, values, width } = captured;
  const { starts, ends } = labels;
  const { defaultLabels = noLabels } = captured;
  const quantiles = family.quantiles.map((share) => ({
    share,
    prefix: labelledLineStart(family.name, `quantile="${formatShare(share)}"`),
  }));
  const isQuoted = !isLegacyMetricName(family.name);
  const sumPrefix = lineStart(`${family.name}_sum`);
  const countPrefix = lineStart(`${family.name}_count`);
  const createdPrefix = createdName === undefined ? undefined : lineStart(createdName);
  // What the quantiles of one series have in common: a comma and the labels, where there are any, and the closing brace.
  const common = new ByteWriter(1024);
  for (let index = 0; index < seriesIds.length; index++) {
    if (writer.isFull) yield;
    const added = defaultLabels(index);
    const block = index * width;
    common.clear();
    appendAfterComma(common, labels.bytes, starts[index] as number, ends[index] as number);
    appendAfterComma(common, added, 0, added.length);
    common.byte(CLOSE);
    common.byte(SPACE);
    for (const { share, prefix } of quantiles) {
      const value = summaryQuantile(captured, index, share);
      if (!hasQuantile(value)) continue;
      writer.append(prefix);
      writer.append(common);
      writer.number(value);
      writer.byte(NEWLINE);
    }
    const writeOne = (prefix: ByteWriter, value: number): void => {
      writer.append(prefix);
      writeLabels(writer, captured, { index, added, isQuoted });
      writer.number(value);
      writer.byte(NEWLINE);
    };
    const sum = values[block + BLOCK_SUM] as number;
    if (hasSum(sum)) writeOne(sumPrefix, sum);
    writeOne(countPrefix, values[block + BLOCK_COUNTS] as number);
    if (createdPrefix !== undefined) {
      writeOne(createdPrefix, (createdMs[index] as number) / MS_PER_SECOND);
    }
  }
}
