import { EXEMPLAR_LABEL_BYTES_MAX } from '../layout/exemplars.js';
import { encodeLabels } from '../record/exemplar-slot.js';
import { type ExemplarLabels, exemplarLabelPairs } from './exemplar-labels.js';
import type { Producer } from './producer.js';

/** What a call that may bring an exemplar gives: prom-client's shape. */
export interface ExemplarCall {
  /** What is observed; of a counter, what is added, 1 where it is not given. */
  readonly value?: number | undefined;
  /** Names and values of at most 128 characters together. Without any, the exemplar from before stays. */
  readonly exemplarLabels?: ExemplarLabels | undefined;
}

/**
 * Whether the only argument of a call is prom-client's object for exemplars, and not a label set: told by its keys.
 *
 * A metric that has exemplars and a label called like one of them takes the object for the former.
 */
export function isExemplarCall(given: unknown): given is ExemplarCall & { labels?: unknown } {
  if (typeof given !== 'object' || given === null) return false;
  return ['labels', 'value', 'exemplarLabels'].some((key) => Object.hasOwn(given, key));
}

/**
 * Makes an observation the exemplar of a series' bucket, 0 for a counter. Called after it was recorded, as an exemplar must not cost an
 * observation; one whose labels are too long in UTF-8 or for which there is no memory is left out.
 *
 * @throws {RangeError | OffloopError} `OFFLOOP_ERR_EXEMPLAR`
 */
export function putExemplar(
  producer: Producer,
  of: {
    readonly seriesId: number;
    readonly bucket: number;
    readonly labels: ExemplarLabels | undefined;
    readonly value: number;
  },
): void {
  const pairs = exemplarLabelPairs(of.labels);
  if (pairs === undefined) return;
  const labels = encodeLabels(pairs);
  if (labels.length > EXEMPLAR_LABEL_BYTES_MAX) return;
  const { seriesId, bucket, value } = of;
  producer.catalog.exemplars.put(seriesId, bucket, { labels, value, timestampMs: Date.now() });
}
