import { fileURLToPath } from 'node:url';
import {
  type CapturedFamily,
  capture,
  labelsText,
} from '@offloop/core/internal/exposition/capture.js';
import { parseLabels, unescapeHelp } from '@offloop/core/internal/instruments/label-text.js';
import { BLOCK_COUNTS, BLOCK_SUM } from '@offloop/core/internal/layout/aggregates.js';
import type { Segment } from '@offloop/core/internal/layout/segment.js';
import protobuf from 'protobufjs';

const SCHEMA = fileURLToPath(new URL('../../../../test/support/metrics.proto', import.meta.url));

/** What protobufjs makes of the public schema: code that it generates at its first use. */
const MetricFamily = new protobuf.Root()
  .loadSync(SCHEMA, { keepCase: true })
  .lookupType('io.prometheus.client.MetricFamily');

const HISTOGRAM = 4;

/** A page of histograms as the generated code encodes it, from the same capture as the renderer's. */
export function renderGenerated(segment: Segment, familyIds: readonly number[]): Uint8Array {
  const writer = protobuf.Writer.create();
  for (const captured of capture(segment, familyIds).families) {
    MetricFamily.encodeDelimited(messageOf(captured), writer);
  }
  return writer.finish();
}

/** Messages of a page, as plain objects. */
export function decodePage(page: Uint8Array): { readonly metric?: readonly object[] }[] {
  const reader = protobuf.Reader.create(page);
  const families: { readonly metric?: readonly object[] }[] = [];
  while (reader.pos < reader.len) {
    families.push(MetricFamily.toObject(MetricFamily.decodeDelimited(reader), { longs: Number }));
  }
  return families;
}

function messageOf(captured: CapturedFamily): object {
  const { family, seriesIds, values, width, createdMs } = captured;
  return {
    name: family.name,
    help: unescapeHelp(family.help),
    type: HISTOGRAM,
    metric: Array.from(seriesIds, (_, index) => {
      const counts = index * width + BLOCK_COUNTS;
      let cumulative = 0;
      const bucket = family.bounds.map((bound, at) => {
        cumulative += values[counts + at] as number;
        return { cumulative_count: cumulative, upper_bound: bound };
      });
      const timeMs = createdMs[index] as number;
      return {
        label: Object.entries(parseLabels(labelsText(captured, index))).map(([name, value]) => ({
          name,
          value,
        })),
        histogram: {
          sample_count: cumulative + (values[counts + family.bounds.length] as number),
          sample_sum: values[index * width + BLOCK_SUM],
          bucket,
          created_timestamp: {
            seconds: Math.floor(timeMs / 1_000),
            nanos: (timeMs % 1_000) * 1_000_000,
          },
        },
      };
    }),
  };
}
