import { constants, PerformanceObserver } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  Pipeline,
  Registry,
  Summary,
} from '@offloop/core';
import { expect } from 'chai';
import prom from 'prom-client';
import { refusalOf } from './refusal.js';

/*
 * Defects that others were found to have, by their number in the list that the project keeps of them. Each test shows that offloop does
 * not have the defect, and, where the other is at hand and the showing is no matter of luck, that the other has it.
 *
 *   no.  defect                                                          shown in
 *   ───  ──────────────────────────────────────────────────────────────  ─────────────────────────────────────────────────
 *     1  label values that hold a separator merge series                 here; instruments/labels.property.test.ts
 *     2  the slices of a window share one digest                         instruments/summary.test.ts
 *     3  NaN is printed Nan                                              here
 *     4  an empty summary shows 0 for its quantiles                      here
 *     5  an OpenMetrics scrape renames the live counter                  here
 *     6  le="1" in OpenMetrics                                           here; exposition/open-metrics-format.test.ts
 *     7  buckets out of order are taken, and count wrongly               here
 *     8  aggregation sums quantiles, and drops exemplars                 instruments/aggregate.test.ts
 *     9  a histogram without labels vanishes after resetMetrics()        here
 *    10  only the first garbage collection of a batch is counted         here
 *    11  an idle loop's lag sits at the timer's resolution, 10 ms        here; process/lag-window.test.ts
 *    12  a block of a second hardly moves p99                            here; process/lag-window.test.ts
 *    13  durations above a second are computed wrongly                   here
 *    14  a timer that lives for minutes, copies of headers and bodies    e2e/half-started.test.ts, worker/process-exit.test.ts
 *    15  a parameter that equals a part of the path; shared options      express-adapter/peer-defects.test.ts
 *    16  metrics are reset by the scrape                                 here; express-adapter/peer-defects.test.ts
 *    17  raw paths as labels; labels that nobody asked for; content type express-adapter/peer-defects.test.ts
 *    18  concrete mount paths, and errors that lose them                 express-adapter/peer-defects.test.ts
 */

function pair() {
  return { ours: new Registry(new Pipeline()), theirs: new prom.Registry() };
}

describe('defects of others', () => {
  it('1: label values that hold separators do not merge series', async () => {
    const { ours, theirs } = pair();
    const config = { name: 'c_total', help: 'h', labelNames: ['a', 'b'] };
    const counter = new Counter({ ...config, registers: [ours] });
    const twin = new prom.Counter({ ...config, registers: [theirs] });
    for (const each of [counter, twin]) {
      each.inc({ a: 'x,b:y' });
      each.inc({ a: 'x', b: 'y,' });
      each.inc({ a: 'x', b: 'y' });
      each.inc({ a: 'x|y' });
      each.inc({ a: 'x,b:y', b: 'y' });
      each.inc({ a: 'x', b: 'y,b:y' });
    }
    expect((await counter.get()).values).to.have.length(6);
    expect((await twin.get()).values).to.have.length.below(6);
  });

  it('3: NaN is NaN', async () => {
    const { ours, theirs } = pair();
    new Gauge({ name: 'g', help: 'h', registers: [ours] }).set(Number.NaN);
    new prom.Gauge({ name: 'g', help: 'h', registers: [theirs] }).set(Number.NaN);
    expect(await ours.metrics()).to.include('\ng NaN\n');
    expect(await theirs.metrics()).to.include('\ng Nan\n');
  });

  it('4: an empty summary has no quantiles', async () => {
    const { ours, theirs } = pair();
    const config = { name: 's', help: 'h', percentiles: [0.5] };
    const summary = new Summary({ ...config, registers: [ours] });
    new prom.Summary({ ...config, registers: [theirs] });
    expect(await ours.metrics()).to.include('\ns{quantile="0.5"} NaN\n');
    expect((await summary.get()).values[0]?.value).to.be.NaN;
    expect(await theirs.metrics()).to.include('\ns{quantile="0.5"} 0\n');
  });

  it('5: an OpenMetrics page renames nothing', async () => {
    const { ours, theirs } = pair();
    const counter = new Counter({ name: 'oc_total', help: 'h', registers: [ours] });
    const twin = new prom.Counter({ name: 'oc_total', help: 'h', registers: [theirs] });
    ours.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    theirs.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE as never);
    for (const registry of [ours, theirs]) await registry.metrics();
    expect((await counter.get()).name).to.equal('oc_total');
    expect((await twin.get()) as { name: string }).to.include({ name: 'oc' });
  });

  it('6: a whole bound is a float in OpenMetrics', async () => {
    const { ours, theirs } = pair();
    const config = { name: 'h', help: 'h', buckets: [1] };
    new Histogram({ ...config, registers: [ours] });
    new prom.Histogram({ ...config, registers: [theirs] });
    ours.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    theirs.setContentType(prom.Registry.OPENMETRICS_CONTENT_TYPE as never);
    expect(await ours.metrics()).to.include('h_bucket{le="1.0"} 0');
    expect(await theirs.metrics()).to.include('h_bucket{le="1"} 0');
  });

  it('7: buckets out of order are refused', async () => {
    const { ours, theirs } = pair();
    const config = { name: 'h', help: 'h', buckets: [10, 1] };
    refusalOf('OFFLOOP_ERR_METRIC_CONFIG', () => new Histogram({ ...config, registers: [ours] }));
    new prom.Histogram({ ...config, registers: [theirs] }).observe(5);
    expect(await theirs.metrics()).to.include('h_bucket{le="1"} 1\n');
  });

  it('7: what is above every bound does not count in a bucket of -1', async () => {
    const { ours, theirs } = pair();
    const config = { name: 'h', help: 'h', buckets: [-1, 1] };
    new Histogram({ ...config, registers: [ours] }).observe(5);
    new prom.Histogram({ ...config, registers: [theirs] }).observe(5);
    expect(await ours.metrics()).to.include('h_bucket{le="-1"} 0\n');
    expect(await theirs.metrics()).to.include('h_bucket{le="-1"} 1\n');
  });

  it('9: a histogram without labels goes on at zero after resetMetrics()', async () => {
    const { ours, theirs } = pair();
    new Histogram({ name: 'h', help: 'h', registers: [ours] }).observe(1);
    new prom.Histogram({ name: 'h', help: 'h', registers: [theirs] }).observe(1);
    for (const registry of [ours, theirs]) registry.resetMetrics();
    expect(await ours.metrics()).to.include('\nh_count 0\n');
    expect(await theirs.metrics()).to.not.include('h_count');
  });

  it('10: every garbage collection of a batch is counted', async () => {
    const { ours, theirs } = pair();
    const handle = collectDefaultMetrics({ register: ours });
    prom.collectDefaultMetrics({ register: theirs });
    let batch = 0;
    const observer = new PerformanceObserver((list) => {
      const majors = list.getEntries().filter(isMajor);
      batch = Math.max(batch, majors.length);
    });
    observer.observe({ entryTypes: ['gc'] });
    const majorsOf = async (registry: Registry | prom.Registry) => {
      const page = await registry.metrics();
      return Number(/gc_duration_seconds_count\{kind="major"\} (\d+)/.exec(page)?.[1] ?? 0);
    };
    const before = [await majorsOf(ours), await majorsOf(theirs)] as const;
    for (let time = 0; time < 5; time++) globalThis.gc?.();
    for (let turn = 0; turn < 200 && batch === 0; turn++) await sleep(1);
    const after = [await majorsOf(ours), await majorsOf(theirs)] as const;
    observer.disconnect();
    handle.stop();
    expect(batch).to.be.at.least(2);
    expect(after[0] - before[0]).to.be.at.least(5);
    expect(after[1] - before[1]).to.be.below(5);
  });

  it('11, 12, 16: lag has no resolution of its own in it, and no scrape resets it', async () => {
    const { ours, theirs } = pair();
    const handle = collectDefaultMetrics({ register: ours, eventLoopMonitoringPrecision: 10 });
    prom.collectDefaultMetrics({ register: theirs });
    const lagOf = async (registry: Registry | prom.Registry, part: string) => {
      const page = await registry.metrics();
      return Number(new RegExp(`^nodejs_eventloop_lag_${part}_seconds (.*)$`, 'm').exec(page)?.[1]);
    };
    await sleep(150);
    // The least of many samples is that of an idle moment, however busy the machine is.
    const [least, theirLeast] = [await lagOf(ours, 'min'), await lagOf(theirs, 'min')];
    expect(theirLeast).to.be.above(0.002);
    expect(least).to.be.below(theirLeast / 2);
    const until = performance.now() + 300;
    while (performance.now() < until);
    await sleep(30);
    for (const scrape of ['first', 'second']) {
      expect(await lagOf(ours, 'max'), scrape).to.be.at.least(0.28);
    }
    handle.stop();
  });

  it('13: a duration above a second is measured in whole', async () => {
    const { ours } = pair();
    const histogram = new Histogram({ name: 'h', help: 'h', registers: [ours] });
    const { now } = performance;
    let nowMs = 500;
    performance.now = () => nowMs;
    try {
      const end = histogram.startTimer();
      nowMs += 2_700;
      expect(end()).to.be.closeTo(2.7, 1e-9);
    } finally {
      performance.now = now;
    }
    expect(await ours.metrics()).to.match(/\nh_sum 2\.7(0000000000\d*)?\n/);
  });

  it('16: reading resets nothing', async () => {
    const { ours } = pair();
    new Counter({ name: 'c_total', help: 'h', registers: [ours] }).inc(3);
    new Histogram({ name: 'h', help: 'h', registers: [ours] }).observe(1);
    const first = await ours.metrics();
    await ours.getMetricsAsJSON();
    expect(await ours.metrics()).to.equal(first);
  });
});

function isMajor(entry: object): boolean {
  const { detail } = entry as { readonly detail?: { readonly kind?: number } };
  return detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}
