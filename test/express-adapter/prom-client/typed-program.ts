import type { IncomingMessage } from 'node:http';
import {
  type Aggregator,
  type Collector,
  Counter,
  type CounterConfiguration,
  collectDefaultMetrics,
  contentType,
  type DefaultMetricsCollectorConfiguration,
  exponentialBuckets,
  Gauge,
  type GaugeConfiguration,
  Histogram,
  type HistogramConfiguration,
  type IncreaseDataWithExemplar,
  type LabelValues,
  linearBuckets,
  type Metric,
  type MetricConfiguration,
  type MetricObject,
  type MetricObjectWithValues,
  type MetricValue,
  type MetricValueWithName,
  type ObserveDataWithExemplar,
  type OpenMetricsContentType,
  openMetricsContentType,
  type PrometheusContentType,
  Pushgateway,
  prometheusContentType,
  Registry,
  type RegistryContentType,
  register,
  Summary,
  type SummaryConfiguration,
  validateMetricName,
} from 'prom-client';

// A program written for prom-client 15's types, with much of what applications do. prom-client-types.test.ts has it compiled as it is, and
// once more with its import changed. It is never run.

/** What applications put around their metrics. */
export class RequestMetrics<L extends string> {
  readonly registry: Registry<RegistryContentType>;
  private readonly total: Counter<L>;
  private readonly inFlight: Gauge<'pool'>;
  private readonly seconds: Histogram<L>;

  constructor(labelNames: readonly L[], registry: Registry<RegistryContentType> = register) {
    this.registry = registry;
    const registers = [registry as Registry];
    const common: MetricConfiguration<L> = {
      name: 'requests_total',
      help: 'h',
      labelNames: [...labelNames],
    };
    const counting: CounterConfiguration<L> = { ...common, registers, aggregator: 'sum' };
    this.total = new Counter(counting);
    const leveled: GaugeConfiguration<'pool'> = {
      name: 'in_flight',
      help: 'h',
      labelNames: ['pool'],
      registers,
      async collect() {
        this.set({ pool: 'a' }, await Promise.resolve(1));
      },
    };
    this.inFlight = new Gauge(leveled);
    const timing: HistogramConfiguration<L> = {
      name: 'seconds',
      help: 'h',
      labelNames: [...labelNames],
      buckets: [...linearBuckets(0.1, 0.1, 3), ...exponentialBuckets(1, 2, 3)],
      registers,
    };
    this.seconds = new Histogram(timing);
  }

  measure(labels: LabelValues<L>): () => number {
    this.total.inc(labels);
    this.inFlight.inc({ pool: 'a' });
    const end = this.seconds.startTimer(labels);
    return () => {
      this.inFlight.labels('a').dec();
      return end(labels);
    };
  }
}

export function instruments(): void {
  const counter = new Counter({
    name: 'c_total',
    help: 'h',
    labelNames: ['method', 'code'] as const,
  });
  counter.inc();
  counter.inc(2);
  counter.inc({ method: 'GET', code: 200 });
  counter.inc({ method: 'GET' }, 2);
  counter.labels('GET', '200').inc();
  counter.labels({ method: 'GET' }).inc(2);
  counter.remove('GET', '200');
  counter.remove({ method: 'GET', code: 200 });
  counter.reset();
  const increase: IncreaseDataWithExemplar<'method'> = { labels: { method: 'GET' }, value: 1 };
  new Counter({ name: 'e_total', help: 'h', labelNames: ['method'], enableExemplars: true }).inc(
    increase,
  );
  const child: Counter.Internal = counter.labels('GET', '200');
  child.inc();

  const gauge = new Gauge({ name: 'g', help: 'h', labelNames: ['queue'], registers: [] });
  gauge.set(1);
  gauge.set({ queue: 'mail' }, 2);
  gauge.inc({ queue: 'mail' });
  gauge.dec(2);
  gauge.setToCurrentTime();
  const stop: (labels?: LabelValues<'queue'>) => number = gauge.startTimer({ queue: 'mail' });
  stop({ queue: 'other' });
  const gaugeChild: Gauge.Internal<'queue'> = gauge.labels({ queue: 'mail' });
  gaugeChild.startTimer()({ queue: 'other' });

  const histogram = new Histogram({
    name: 'h',
    help: 'h',
    labelNames: ['method'] as const,
    buckets: [1, 2],
  });
  histogram.observe(1);
  histogram.observe({ method: 'GET' }, 1);
  histogram.zero({ method: 'GET' });
  const histogramChild: Histogram.Internal<'method'> = histogram.labels('GET');
  histogramChild.observe(1);
  histogramChild.startTimer()({ method: 'PUT' });
  const observation: ObserveDataWithExemplar<'method'> = {
    value: 1,
    exemplarLabels: { method: 'x' },
  };
  histogram.observe(observation);
  const buckets: Histogram.Config = { buckets: [1, 2] };
  new Histogram({ name: 'h2', help: 'h', ...buckets });
}

export function summaries(): void {
  const configuration: SummaryConfiguration<'queue'> = {
    name: 's',
    help: 'h',
    labelNames: ['queue'],
    percentiles: [0.5, 0.9],
    compressCount: 100,
  };
  const summary = new Summary(configuration);
  summary.observe(1);
  summary.observe({ queue: 'mail' }, 1);
  const end: (labels?: LabelValues<'queue'>) => number = summary.startTimer({ queue: 'mail' });
  end({ queue: 'other' });
  const child: Summary.Internal<'queue'> = summary.labels('mail');
  child.observe(2);
  child.startTimer()({ queue: 'other' });
  const percentiles: Summary.Config = { percentiles: [0.5] };
  new Summary({ name: 's2', help: 'h', ...percentiles });
  // @ts-expect-error
  summary.observe({ queu: 'mail' }, 1);
}

export async function reading(): Promise<string[]> {
  const counter = new Counter({ name: 'c_total', help: 'h', labelNames: ['method'] });
  const one: MetricObjectWithValues<MetricValue<'method'>> = await counter.get();
  const label: string | number | undefined = one.values[0]?.labels.method;
  const histogram = new Histogram({ name: 'h', help: 'h' });
  const named: MetricValueWithName<string>[] = (await histogram.get()).values;
  const all: MetricObjectWithValues<MetricValue<string>>[] = await register.getMetricsAsJSON();
  const listed: MetricObject[] = register.getMetricsAsArray();
  const aggregators: Aggregator[] = listed.map(({ aggregator }) => aggregator);
  const found: Metric<string> | undefined = register.getSingleMetric('c_total');
  const cast = register.getSingleMetric('c_total') as Counter<string> | undefined;
  cast?.inc({ method: 'GET' });
  found?.reset();
  const total: number = all.reduce((sum, { values }) => sum + (values[0]?.value ?? 0), 0);
  return [
    String(label),
    String(total),
    named[0]?.metricName ?? '',
    aggregators.join(),
    await register.metrics(),
    await register.getSingleMetricAsString('c_total'),
  ];
}

/** A metric of some labels is one of any. */
export function passedOn(): string[] {
  const counter = new Counter({ name: 'c_total', help: 'h', labelNames: ['method', 'code'] });
  const gauge = new Gauge({ name: 'g', help: 'h', labelNames: ['queue'] });
  const histogram = new Histogram({ name: 'h', help: 'h', labelNames: ['method'] });
  const summary = new Summary({ name: 's', help: 'h', labelNames: ['method'] });
  const count = (any: Counter): void => any.inc();
  count(counter);
  const all: Metric[] = [counter, gauge, histogram, summary];
  for (const metric of all) metric.reset();
  const counters: Record<string, Counter<string>> = { counter };
  return Object.keys(counters);
}

export function registries(): RegistryContentType[] {
  const own = new Registry();
  own.setDefaultLabels({ app: process.env['APP'] });
  own.setDefaultLabels({ app: 'x', instance: 3 });
  own.registerMetric(new Counter({ name: 'c_total', help: 'h', registers: [] }));
  own.resetMetrics();
  own.removeSingleMetric('c_total');
  own.clear();
  const merged: Registry = Registry.merge([own, register]);
  const text: PrometheusContentType = merged.contentType;
  const open: OpenMetricsContentType = Registry.OPENMETRICS_CONTENT_TYPE;
  return [
    text,
    open,
    contentType,
    prometheusContentType,
    openMetricsContentType,
    Registry.PROMETHEUS_CONTENT_TYPE,
  ];
}

export async function others(collector: Collector): Promise<unknown> {
  collector();
  const configuration: DefaultMetricsCollectorConfiguration<PrometheusContentType> = {
    register,
    prefix: 'app_',
    labels: { app: 'x' },
    gcDurationBuckets: [1, 2],
    eventLoopMonitoringPrecision: 10,
  };
  collectDefaultMetrics(configuration);
  collectDefaultMetrics();
  const groups: string[] = [...collectDefaultMetrics.metricsList];
  const gateway = new Pushgateway('http://127.0.0.1:9091', { timeout: 5_000 }, register);
  const typed: Pushgateway<PrometheusContentType> = gateway;
  await typed.push({ jobName: 'j' });
  const params: Pushgateway.Parameters = { jobName: 'j', groupings: { instance: 'a' } };
  const { resp, body } = await gateway.pushAdd(params);
  await gateway.push(params);
  await gateway.delete(params);
  return [groups, (resp as IncomingMessage).statusCode, body, validateMetricName('a')];
}

/** Each call is one that the compiler must refuse: a label that the metric does not have, or a value of the wrong type. */
export function refused(): void {
  const labelNames = ['method', 'code'] as const;
  const counter = new Counter({ name: 'c_total', help: 'h', labelNames });
  const gauge = new Gauge({ name: 'g', help: 'h', labelNames });
  const histogram = new Histogram({ name: 'h', help: 'h', labelNames });
  // @ts-expect-error
  counter.inc({ metod: 'GET' });
  // @ts-expect-error
  counter.labels({ metod: 'GET' });
  // @ts-expect-error
  counter.remove({ metod: 'GET' });
  // @ts-expect-error
  counter.inc('5');
  // @ts-expect-error
  gauge.set({ metod: 'GET' }, 1);
  // @ts-expect-error
  gauge.set({ method: 'GET' }, '1');
  // @ts-expect-error
  gauge.startTimer({ metod: 'GET' });
  // @ts-expect-error
  gauge.labels('GET', '200').startTimer()({ metod: 'GET' });
  // @ts-expect-error
  histogram.observe({ metod: 'GET' }, 1);
  // @ts-expect-error
  histogram.startTimer({ method: 'GET' })({ metod: 'GET' });
  // @ts-expect-error
  histogram.zero({ metod: 'GET' });
  // @ts-expect-error
  new Counter({ name: 'c_total' });
  // @ts-expect-error
  new Counter({ name: 'c_total', help: 'h', aggregator: 'median' });
  // @ts-expect-error
  register.setContentType('text/html');
}
