// What an application calls, and what prom-client takes for the same call.
import {
  Counter,
  Histogram,
  type MetricObjectWithValues,
  type MetricValueWithName,
  Pipeline,
  Registry,
} from '@offloop/core';
import type { InlineEngine } from '@offloop/core/engine';
import prom from 'prom-client';
import { alternatingSuite, NANOSECONDS } from '../../harness/alternating-suite.js';
import { bench, type Subject } from '../../harness/bench.js';
import {
  createLabelSets,
  createTraffic,
  type HttpLabels,
  LABEL_NAMES,
  TRAFFIC_LENGTH,
  TRAFFIC_MASK,
  type Traffic,
} from '../../harness/traffic.js';

/** An app of 10 routes, 5 methods and 4 status codes. */
const SERIES_COUNT = 200;

const labelSets = createLabelSets(SERIES_COUNT);
const traffic = createTraffic(SERIES_COUNT);

/** A metric of either library, as far as the benches use it. */
interface ObservedMetric {
  get(): Promise<
    | MetricObjectWithValues<MetricValueWithName>
    | prom.MetricObjectWithValues<prom.MetricValue<string>>
  >;
}

interface Observing {
  observe(value: number): void;
}

interface ObservingLabels extends ObservedMetric {
  observe(labels: HttpLabels, value: number): void;
}

interface Counting {
  inc(): void;
}

/** Offloop's side: a pipeline of the process's own, drained between the timed runs. */
class Offloop {
  readonly registry: Registry;
  private readonly pipeline = new Pipeline();

  constructor() {
    this.pipeline.configure({ engine: 'inline' });
    this.registry = new Registry(this.pipeline);
  }

  histogram(): Histogram<(typeof LABEL_NAMES)[number]> {
    return new Histogram({ ...HISTOGRAM, registers: [this.registry] });
  }

  counter<T extends string>(labelNames: readonly T[]): Counter<T> {
    return new Counter({ ...COUNTER, labelNames, registers: [this.registry] });
  }

  /** Empties the ring. */
  readonly drain = (): void => {
    const { producer, engine } = this.pipeline;
    producer.recorder.publish();
    (engine as InlineEngine).drainNow();
  };

  /** No row may be fast because it dropped what it was given. */
  readonly refuseDrops = (): void => {
    this.drain();
    const { droppedRecords, backlogRecords } = this.pipeline.totals();
    if (droppedRecords + backlogRecords !== 0) {
      throw new Error(`${droppedRecords} records dropped, ${backlogRecords} left in the ring`);
    }
  };
}

const HISTOGRAM = { name: 'request_seconds', help: 'Duration.', labelNames: [...LABEL_NAMES] };
const COUNTER = { name: 'requests_total', help: 'Requests.' };

function openOffloop(
  prepare: (offloop: Offloop) => { readonly metric: ObservedMetric } & Loop,
): Subject {
  const offloop = new Offloop();
  const { metric, run, expect } = prepare(offloop);
  return {
    check: () => checkOnce({ metric, run, expect }),
    prepare: offloop.drain,
    run,
    finish: offloop.refuseDrops,
  };
}

function openProm(prepare: () => { readonly metric: ObservedMetric } & Loop): Subject {
  const { metric, run, expect } = prepare();
  return { check: () => checkOnce({ metric, run, expect }), run };
}

interface Loop {
  readonly run: (count: number) => void;
  /** Sum and number of what the metric must show after one cycle of the traffic. */
  readonly expect: Expected;
}

interface Expected {
  readonly count: number;
  readonly sum: number;
}

const observed: Expected = {
  count: TRAFFIC_LENGTH,
  sum: traffic.values.reduce((sum, value) => sum + value, 0),
};
const counted: Expected = { count: TRAFFIC_LENGTH, sum: TRAFFIC_LENGTH };

/** Half of the default ring, so that nothing is dropped. */
const CHECK_RUN = TRAFFIC_LENGTH / 2;

async function checkOnce(of: { readonly metric: ObservedMetric } & Loop): Promise<void> {
  for (let done = 0; done < TRAFFIC_LENGTH; done += CHECK_RUN) {
    of.run(CHECK_RUN);
    // Drains, where there is something to drain.
    await of.metric.get();
  }
  const { count, sum } = totalsOf(await of.metric.get());
  if (count !== of.expect.count || Math.abs(sum / of.expect.sum - 1) > 1e-9) {
    throw new Error(
      `${count} observations of ${sum} s counted, of ${of.expect.count} and ${of.expect.sum} s`,
    );
  }
}

function totalsOf(metric: Awaited<ReturnType<ObservedMetric['get']>>): Expected {
  const sumOf = (suffix: string): number =>
    metric.values
      .filter((value) => 'metricName' in value && String(value.metricName).endsWith(suffix))
      .reduce((sum, { value }) => sum + value, 0);
  if (String(metric.type) === 'histogram') return { count: sumOf('_count'), sum: sumOf('_sum') };
  const total = metric.values.reduce((sum, { value }) => sum + value, 0);
  return { count: total, sum: total };
}

// The loops are shared: each row runs in a process of its own, so a call site sees one class only.

function observeBound(children: readonly Observing[], { values, series }: Traffic) {
  let next = 0;
  return (count: number): void => {
    const start = next;
    next += count;
    for (let index = start; index < start + count; index++) {
      const at = index & TRAFFIC_MASK;
      (children[series[at] as number] as Observing).observe(values[at] as number);
    }
  };
}

function observeLabels(metric: ObservingLabels, { values, series }: Traffic) {
  let next = 0;
  return (count: number): void => {
    const start = next;
    next += count;
    for (let index = start; index < start + count; index++) {
      const at = index & TRAFFIC_MASK;
      metric.observe(labelSets[series[at] as number] as HttpLabels, values[at] as number);
    }
  };
}

function observeLiteral(metric: ObservingLabels, { values, series }: Traffic) {
  let next = 0;
  return (count: number): void => {
    const start = next;
    next += count;
    for (let index = start; index < start + count; index++) {
      const at = index & TRAFFIC_MASK;
      const { method, route, status_code } = labelSets[series[at] as number] as HttpLabels;
      metric.observe({ method, route, status_code }, values[at] as number);
    }
  };
}

function incBound(children: readonly Counting[], { series }: Traffic) {
  let next = 0;
  return (count: number): void => {
    const start = next;
    next += count;
    for (let index = start; index < start + count; index++) {
      (children[series[index & TRAFFIC_MASK] as number] as Counting).inc();
    }
  };
}

function incOnly(metric: Counting) {
  return (count: number): void => {
    for (let index = 0; index < count; index++) metric.inc();
  };
}

function promHistogram() {
  return new prom.Histogram({ ...HISTOGRAM, registers: [new prom.Registry()] });
}

function promCounter<T extends string>(labelNames: T[]) {
  return new prom.Counter({ ...COUNTER, labelNames, registers: [new prom.Registry()] });
}

/** What the loop itself costs: reads of the series and of the value. */
function openEmptyLoop(): Subject {
  const { values, series } = traffic;
  let next = 0;
  let seen = 0;
  const run = (count: number): void => {
    const start = next;
    next += count;
    let last = 0;
    for (let index = start; index < start + count; index++) {
      const at = index & TRAFFIC_MASK;
      // Compared and not added: each addition of a double waits for the one before.
      if ((values[at] as number) > 0) last = series[at] as number;
    }
    seen += last;
  };
  return gated(run, () => seen === traffic.series[TRAFFIC_MASK]);
}

/** The floor: a value stored where nobody reads it. */
function openBareStore(): Subject {
  const { values, series } = traffic;
  const stored = new Float64Array(SERIES_COUNT);
  let next = 0;
  const run = (count: number): void => {
    const start = next;
    next += count;
    for (let index = start; index < start + count; index++) {
      const at = index & TRAFFIC_MASK;
      stored[series[at] as number] = values[at] as number;
    }
  };
  return gated(run, () => stored.every((value) => value > 0));
}

/** A sum a series, found by text: what a home-made metric costs. */
function openMap(keys: readonly string[]): Subject {
  const { values, series } = traffic;
  const sums = new Map<string, number>();
  let next = 0;
  const run = (count: number): void => {
    const start = next;
    next += count;
    for (let index = start; index < start + count; index++) {
      const at = index & TRAFFIC_MASK;
      const key = keys[series[at] as number] as string;
      sums.set(key, (sums.get(key) ?? 0) + (values[at] as number));
    }
  };
  const total = (): number => [...sums.values()].reduce((sum, value) => sum + value, 0);
  return gated(run, () => Math.abs(total() / observed.sum - 1) < 1e-9);
}

/** A baseline, which must have done its work after one cycle of the traffic. */
function gated(run: (count: number) => void, isRight: () => boolean): Subject {
  return {
    run,
    check: () => {
      run(TRAFFIC_LENGTH);
      if (!isRight()) throw new Error('the baseline does not do its work');
    },
  };
}

const FAST = { smoke: 1_000, full: 3_000_000 };
const SLOW = { smoke: 1_000, full: 100_000 };
/** So that a round has as many runs as it has of what is fast. */
const SHORT_RUNS = { operationsPerRun: 8_192 };

/** For the processes of the suite. */
export const benches = [
  bench('empty loop / baseline', FAST, openEmptyLoop),
  bench('Float64Array store / baseline', FAST, openBareStore),
  bench('Map of sums / baseline, joined key at hand', FAST, () =>
    openMap(labelSets.map((labels) => Object.values(labels).join())),
  ),
  bench('child.observe / offloop', FAST, () =>
    openOffloop((offloop) => {
      const metric = offloop.histogram();
      const children = labelSets.map((labels) => metric.labels(labels));
      return { metric, run: observeBound(children, traffic), expect: observed };
    }),
  ),
  bench(
    'child.observe / prom-client',
    SLOW,
    () =>
      openProm(() => {
        const metric = promHistogram();
        const children = labelSets.map((labels) => metric.labels({ ...labels }));
        return { metric, run: observeBound(children, traffic), expect: observed };
      }),
    SHORT_RUNS,
  ),
  bench('observe(labels, v) / offloop', FAST, () =>
    openOffloop((offloop) => {
      const metric = offloop.histogram();
      return { metric, run: observeLabels(metric, traffic), expect: observed };
    }),
  ),
  bench(
    'observe(labels, v) / prom-client',
    SLOW,
    () =>
      openProm(() => {
        const metric = promHistogram();
        return { metric, run: observeLabels(metric, traffic), expect: observed };
      }),
    SHORT_RUNS,
  ),
  bench('observe({ … }, v) / offloop, object made for the call', FAST, () =>
    openOffloop((offloop) => {
      const metric = offloop.histogram();
      return { metric, run: observeLiteral(metric, traffic), expect: observed };
    }),
  ),
  bench(
    'observe({ … }, v) / prom-client, object made for the call',
    SLOW,
    () =>
      openProm(() => {
        const metric = promHistogram();
        return { metric, run: observeLiteral(metric, traffic), expect: observed };
      }),
    SHORT_RUNS,
  ),
  bench('child.inc / offloop', FAST, () =>
    openOffloop((offloop) => {
      const metric = offloop.counter(LABEL_NAMES);
      const children = labelSets.map((labels) => metric.labels(labels));
      return { metric, run: incBound(children, traffic), expect: counted };
    }),
  ),
  bench(
    'child.inc / prom-client',
    SLOW,
    () =>
      openProm(() => {
        const metric = promCounter([...LABEL_NAMES]);
        const children = labelSets.map((labels) => metric.labels({ ...labels }));
        return { metric, run: incBound(children, traffic), expect: counted };
      }),
    SHORT_RUNS,
  ),
  bench('inc() without labels / offloop', FAST, () =>
    openOffloop((offloop) => {
      const metric = offloop.counter([]);
      return { metric, run: incOnly(metric), expect: counted };
    }),
  ),
  bench('inc() without labels / prom-client', FAST, () =>
    openProm(() => {
      const metric = promCounter([]);
      return { metric, run: incOnly(metric), expect: counted };
    }),
  ),
];

export const instruments = alternatingSuite({
  name: 'core/record/instruments',
  title: 'Recording: nanoseconds a call',
  note: `On the calling thread, ${SERIES_COUNT} series drawn at random, lognormal durations. Offloop's ring is drained between the timed runs; the table of the drain has that cost. Where there are no labels, prom-client's counter is a plain addition, and nothing is faster.`,
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: NANOSECONDS,
  comparedWith: 'as fast as prom-client',
  comparisons: [
    {
      row: 'child.observe / offloop',
      versus: 'child.observe / prom-client',
      atLeast: 60,
    },
    {
      row: 'observe(labels, v) / offloop',
      versus: 'observe(labels, v) / prom-client',
      atLeast: 8,
    },
    {
      row: 'observe({ … }, v) / offloop, object made for the call',
      versus: 'observe({ … }, v) / prom-client, object made for the call',
      atLeast: 8,
    },
    { row: 'child.inc / offloop', versus: 'child.inc / prom-client' },
    { row: 'inc() without labels / offloop', versus: 'inc() without labels / prom-client' },
  ],
});
