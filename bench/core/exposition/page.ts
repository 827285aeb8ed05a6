import { Histogram, Pipeline, Registry } from '@offloop/core';
import type { InlineEngine } from '@offloop/core/engine';
import prom from 'prom-client';
import {
  createLabelSets,
  createTraffic,
  type HttpLabels,
  LABEL_NAMES,
  TRAFFIC_LENGTH,
} from '../../harness/traffic.js';

/** A histogram of 12 buckets and 3 labels, with traffic in each of its series. */
const CONFIG = { name: 'request_seconds', help: 'Duration.', labelNames: [...LABEL_NAMES] };

/** A drain between as many observations, or the ring would be full. */
const OBSERVATIONS_PER_DRAIN = 16_384;

/** Offloop's. */
export function offloopPage(seriesCount: number): {
  readonly pipeline: Pipeline;
  readonly registry: Registry;
} {
  const pipeline = new Pipeline();
  pipeline.configure({
    engine: 'inline',
    maxSeriesPerMetric: seriesCount,
    // Labels take 70 bytes a series here.
    memory: { maxSeries: seriesCount + 16, catalogBytes: 65_536 + seriesCount * 128 },
  });
  const registry = new Registry(pipeline);
  const histogram = new Histogram({ ...CONFIG, registers: [registry] });
  observeTraffic(histogram, seriesCount, () => {
    pipeline.producer.recorder.publish();
    (pipeline.engine as InlineEngine).drainNow();
  });
  return { pipeline, registry };
}

/** Prom-client's. */
export function promPage(seriesCount: number): prom.Registry {
  const registry = new prom.Registry();
  const histogram = new prom.Histogram({ ...CONFIG, registers: [registry] });
  observeTraffic(histogram, seriesCount, () => {});
  return registry;
}

function observeTraffic(
  histogram: { observe(labels: HttpLabels, value: number): void },
  seriesCount: number,
  drain: () => void,
): void {
  const labelSets = createLabelSets(seriesCount);
  const { values, series } = createTraffic(seriesCount);
  // Each series once, as a page shows no other; then in the proportions of the traffic.
  for (const [index, labels] of labelSets.entries()) {
    histogram.observe(labels, values[index % TRAFFIC_LENGTH] as number);
  }
  drain();
  for (let index = 0; index < TRAFFIC_LENGTH; index++) {
    histogram.observe(labelSets[series[index] as number] as HttpLabels, values[index] as number);
    if (index % OBSERVATIONS_PER_DRAIN === 0) drain();
  }
  drain();
}

/**
 * Compares two pages line by line.
 *
 * @throws When they are not the same, up to the last digits of sums, which depend on the order of adding.
 */
export function expectSamePage(actual: string, expected: string): void {
  const actualLines = actual.trimEnd().split('\n');
  const expectedLines = expected.trimEnd().split('\n');
  if (actualLines.length !== expectedLines.length) {
    throw new Error(`${actualLines.length} lines, not ${expectedLines.length}`);
  }
  for (const [index, line] of actualLines.entries()) {
    const other = expectedLines[index] ?? '';
    if (line !== other && !isSameSum(line, other)) throw new Error(`${line}\nis not\n${other}`);
  }
}

function isSameSum(line: string, other: string): boolean {
  const [name, sum] = splitSample(line);
  const [otherName, otherSum] = splitSample(other);
  return name === otherName && Math.abs(Number(sum) / Number(otherSum) - 1) < 1e-9;
}

function splitSample(line: string): [string, string] {
  const space = line.lastIndexOf(' ');
  return [line.slice(0, space), line.slice(space + 1)];
}
