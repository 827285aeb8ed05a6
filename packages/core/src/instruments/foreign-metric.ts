import { OffloopError, showValue } from '../errors.js';
import { formatNumber } from '../exposition/byte-writer.js';
import {
  BOUND_LABELS,
  type ForeignFamily,
  type ForeignSample,
} from '../exposition/foreign-family.js';
import type { Collected } from './collector.js';
import { isExemplarText } from './exemplar-labels.js';
import { escapeHelp } from './label-text.js';
import { validateLabelName, validateMetricName } from './metric-configuration.js';
import type { MetricExemplar } from './metric-value.js';

/**
 * A metric that is not ours, and keeps its values itself: prom-client's, or any object with a name and a `get()` that gives what
 * prom-client's gives.
 */
export interface ForeignMetric {
  /** Not optional, but prom-client's types do not tell of it. */
  readonly name?: string;
  readonly aggregator?: string | undefined;
  /** The metric with its samples: `{ name, help, type, values: [{ value, labels, metricName }] }`, or a promise of it. */
  get(): unknown;
  reset?(): void;
}

/**
 * A metric as prom-client's types tell of what its register holds: they leave out the `get()` that it has, and that is asked for when it is
 * registered.
 */
export interface ForeignMetricObject {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly aggregator: unknown;
}

const MS_PER_SECOND = 1000;

const TYPES: readonly string[] = ['counter', 'gauge', 'histogram', 'summary'];

/**
 * Reads a foreign metric: for a page, where `collect` brings {@link ForeignReading.family} up to date, and for JSON, which is what the metric
 * itself gives.
 */
export class ForeignReading implements Collected {
  readonly name: string;
  private readonly metric: ForeignMetric;
  private read: ForeignFamily | undefined;

  constructor(metric: ForeignMetric) {
    this.name = String(metric.name);
    this.metric = metric;
  }

  /** As of the last `collect` that was done; `undefined` before the first. */
  get family(): ForeignFamily | undefined {
    return this.read;
  }

  /**
   * Reads the metric.
   *
   * @throws What its `get` throws; {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG` for what no page can show.
   */
  async collect(): Promise<void> {
    this.read = foreignFamily(this.name, await this.metric.get());
  }
}

/**
 * What a foreign metric's `get` gave, checked and as plain data: one line that cannot be read would lose the whole scrape.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG`
 */
export function foreignFamily(registeredName: string, got: unknown): ForeignFamily {
  const at = `${registeredName}.get()`;
  const { name = registeredName, help = '', type, values = [] } = fieldsOf(got, at);
  if (!validateMetricName(name)) refuse(`${at}.name must be a metric name, got ${showValue(name)}`);
  if (!Array.isArray(values)) refuse(`${at}.values must be an array, got ${showValue(values)}`);
  return {
    name: name as string,
    help: escapeHelp(String(help).toWellFormed()),
    type: TYPES.includes(type as string) ? (type as ForeignFamily['type']) : 'unknown',
    samples: (values as readonly unknown[]).map((value) => foreignSample(value, { name, at })),
  };
}

function foreignSample(
  sample: unknown,
  { name, at }: { readonly name: unknown; readonly at: string },
): ForeignSample {
  const {
    value,
    metricName = name,
    labels,
    sharedLabels,
    exemplar,
  } = fieldsOf(sample, `${at}.values[…]`);
  if (!validateMetricName(metricName))
    refuse(`${at}.values[…].metricName must be a metric name, got ${showValue(metricName)}`);
  if (typeof value !== 'number')
    refuse(`${at}.values[…].value must be a number, got ${showValue(value)}`);
  // What prom-client's histograms have apart: the labels that all samples of a series share.
  const pairs = Object.entries({ ...(labels ?? {}), ...(sharedLabels ?? {}) });
  const shown = pairs.filter(([, text]) => text !== undefined && text !== null);
  for (const [label] of shown) {
    if (!validateLabelName(label))
      refuse(`${at}.values[…].labels must have label names, got ${showValue(label)}`);
  }
  return {
    name: metricName as string,
    labels: shown.map(([label, text]) => [label, labelText(label, text)] as const),
    value: value as number,
    ...exemplarOf(exemplar),
  };
}

/** prom-client's exemplar; what is none is left out, as a sample says all that is needed without it. */
function exemplarOf(given: unknown): Pick<ForeignSample, 'exemplar'> {
  if (typeof given !== 'object' || given === null) return {};
  const { labelSet, value, timestamp } = given as Partial<MetricExemplar>;
  if (typeof value !== 'number' || typeof timestamp !== 'number') return {};
  const labels = Object.entries(labelSet ?? {}).map(
    ([name, text]) => [name, String(text).toWellFormed()] as const,
  );
  if (!labels.every(([name, text]) => validateLabelName(name) && isExemplarText(text))) return {};
  return { exemplar: { labels, value, timestampMs: timestamp * MS_PER_SECOND } };
}

/** The bound of a last bucket may come as the number Infinity. */
function labelText(label: string, value: unknown): string {
  const isBound = BOUND_LABELS.includes(label) && typeof value === 'number';
  return isBound ? formatNumber(value) : String(value).toWellFormed();
}

function fieldsOf(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null)
    refuse(`${at} must give an object, got ${showValue(value)}`);
  return value as Readonly<Record<string, unknown>>;
}

function refuse(message: string): never {
  throw new OffloopError('OFFLOOP_ERR_METRIC_CONFIG', message);
}
