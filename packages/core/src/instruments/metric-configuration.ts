import { OffloopError, OffloopTypeError, showValue } from '../errors.js';
import { isLegacyLabelName, isLegacyMetricName } from '../exposition/name-escaping.js';
import { PIPELINE_FAMILIES } from '../exposition/pipeline-families.js';
import { type Aggregator, aggregators } from './aggregators.js';

/** What every metric is made from: prom-client's shape. */
export interface MetricConfiguration<T extends string> {
  /** Matches `[a-zA-Z_:][a-zA-Z0-9_:]*`, unless `utf8Names` is set. */
  readonly name: string;
  /** What the metric is of, in words, for a page's line `# HELP`. Not empty. */
  readonly help: string;
  /** Each matches `[a-zA-Z_][a-zA-Z0-9_]*`, unless `utf8Names` is set. */
  readonly labelNames?: readonly T[] | undefined;
  /**
   * Lets the metric and its labels have any names in UTF-8, such as `http.server.duration`. Scrapers that do not take them get them
   * escaped (docs/formats.md). Default `false`: other names are refused, as before Prometheus 3 no server takes them.
   */
  readonly utf8Names?: boolean | undefined;
  /**
   * Default: the global `register`. An empty array leaves the metric unregistered. The values live in the pipeline of the first one that is
   * offloop's; prom-client's have none, and read them when they are read.
   */
  readonly registers?: readonly AnyRegistry[] | null | undefined;
  /** Cardinality limit of this metric; beyond it label sets fold into one overflow series. Default: the option `maxSeriesPerMetric`. */
  readonly maxSeries?: number | undefined;
  /**
   * Seconds without a record after which a series is removed, above 0; the next record begins it again, at zero. Looked for when the metric
   * is read, and when its cardinality limit is met. Default: never.
   */
  readonly maxIdleSeconds?: number | undefined;
  /** How the samples of several processes become one. Default `sum`. */
  readonly aggregator?: Aggregator | undefined;
}

/** Where a metric can be registered: in a registry, prom-client's included. */
export interface AnyRegistry {
  getSingleMetric(name: string): unknown;
  registerMetric(metric: object): void;
}

/** Labels of a metric as an object: its own names only, checked by the compiler. */
export type LabelValues<T extends string> = Partial<Record<T, string | number>>;

/** Whether `name` can be exposed in every format. */
export function validateMetricName(name: unknown): boolean {
  return typeof name === 'string' && isLegacyMetricName(name);
}

/** To Prometheus, the label that is the metric's name: a sample that has it twice loses the whole scrape. */
const NAME_LABEL = '__name__';

/** The same for a label's name. */
export function validateLabelName(name: unknown): boolean {
  return typeof name === 'string' && isLegacyLabelName(name) && name !== NAME_LABEL;
}

/** Whether `name` may be a metric's or a label's where `utf8Names` is set. */
function validateUtf8Name(name: unknown): boolean {
  return typeof name === 'string' && name !== '' && name !== NAME_LABEL && name.isWellFormed();
}

/**
 * One name twice on a page loses the whole scrape.
 *
 * @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG`
 */
export function refusePipelineName(name: string): void {
  if (!PIPELINE_FAMILIES.some((family) => family.name === name)) return;
  throw new OffloopError(
    'OFFLOOP_ERR_METRIC_CONFIG',
    `name must not be one of the pipeline's own metrics, got ${name}`,
  );
}

/**
 * Checks what all metrics share. Texts are prom-client 0.16's, so that code which matches them goes on working.
 *
 * @param reserved Label names that the metric's own samples use.
 * @throws {OffloopError} `OFFLOOP_ERR_METRIC_CONFIG`
 */
export function checkConfiguration(
  config: MetricConfiguration<string> & { readonly collect?: unknown },
  reserved: readonly string[],
): void {
  if (typeof config !== 'object' || config === null) {
    throw new OffloopTypeError('OFFLOOP_ERR_METRIC_CONFIG', 'constructor expected a config object');
  }
  const refuse = (message: string): never => {
    throw new OffloopError('OFFLOOP_ERR_METRIC_CONFIG', message);
  };
  if (typeof config.help !== 'string' || config.help === '')
    refuse('Missing mandatory help parameter');
  if (config.name === undefined || config.name === '') refuse('Missing mandatory name parameter');
  const isUtf8 = config.utf8Names === true;
  const [isMetricName, isLabelName] = isUtf8
    ? [validateUtf8Name, validateUtf8Name]
    : [validateMetricName, validateLabelName];
  if (!isMetricName(config.name)) refuse(`Invalid metric name: ${config.name}`);
  refusePipelineName(config.name);
  const labelNames = config.labelNames ?? [];
  if (!Array.isArray(labelNames))
    refuse(`labelNames must be an array of label names, got ${showValue(labelNames)}`);
  const invalid = labelNames.filter((name) => !isLabelName(name));
  if (invalid.length > 0) refuse(`At least one label name is invalid: ${invalid.join(',')}`);
  if (new Set(labelNames).size !== labelNames.length)
    refuse(`labelNames must differ from one another, got ${showValue(labelNames)}`);
  for (const name of reserved) {
    if (labelNames.includes(name)) refuse(`${name} is a reserved label keyword`);
  }
  const { maxSeries, maxIdleSeconds, aggregator, collect } = config;
  // What is null counts as left out, here and below: code in JavaScript may have it.
  if (collect !== undefined && collect !== null && typeof collect !== 'function')
    refuse('Optional "collect" parameter must be a function');
  if (aggregator !== undefined && aggregator !== null && !Object.hasOwn(aggregators, aggregator))
    refuse(`'${aggregator}' is not a defined aggregator.`);
  if (maxSeries !== undefined && !(Number.isInteger(maxSeries) && maxSeries >= 1)) {
    refuse(`maxSeries must be a whole number of at least 1, got ${showValue(maxSeries)}`);
  }
  if (maxIdleSeconds !== undefined && !(Number.isFinite(maxIdleSeconds) && maxIdleSeconds > 0))
    refuse(`maxIdleSeconds must be a finite number above 0, got ${showValue(maxIdleSeconds)}`);
}
