// One subject's allocation: `node --expose-gc allocation-process.js <subject> <calls>`.
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { Histogram, Pipeline, Registry } from '@offloop/core';
import type { InlineEngine } from '@offloop/core/engine';
import prom from 'prom-client';
import {
  createLabelSets,
  createTraffic,
  type HttpLabels,
  LABEL_NAMES,
  TRAFFIC_MASK,
} from '../../harness/traffic.js';

/** What the process tells its parent. */
export interface Allocation {
  readonly bytesPerCall: number;
  /** Garbage collections during the calls, the drains between them included. */
  readonly collections: number;
}

interface Observing {
  observe(value: number): void;
}

interface ObservingLabels {
  observe(labels: HttpLabels, value: number): void;
}

const SERIES_COUNT = 200;
/** Between two looks at the heap, and between two drains. */
const CALLS_PER_RUN = 16_384;
/** Long enough for V8 to have compiled everything: until then, intermediate results are objects. */
const WARM_UP_CALLS = 1_000_000;

const labelSets = createLabelSets(SERIES_COUNT);
const { values, series } = createTraffic(SERIES_COUNT);
/** As objects on the heap, which is how a value that was computed elsewhere arrives: reading a double array makes a new one each time. */
const boxedValues: readonly (number | null)[] = [null, ...values];

const [, , subject = '', calls = '0'] = process.argv;
const { run, drain } = prepare(subject);
let runs = 0;

const growth = measure(Number(calls), run);
const idle = measure(CALLS_PER_RUN * 50, () => {});
const allocation: Allocation = {
  bytesPerCall: growth.bytesPerCall - idle.bytesPerCall,
  collections: await countCollections(Number(calls)),
};
process.send?.(allocation);
process.disconnect();

/** The heap's growth over the calls, looked at between runs; a run in which it shrank had a collection and tells nothing. */
function measure(callCount: number, of: (start: number) => void): { bytesPerCall: number } {
  const warmUpCalls = Math.min(WARM_UP_CALLS, callCount);
  for (let done = 0; done < warmUpCalls; done += CALLS_PER_RUN) {
    usedHeapBytes();
    of(CALLS_PER_RUN * runs++);
    drain();
  }
  globalThis.gc?.();
  let grownBytes = 0;
  let seenCalls = 0;
  for (let done = 0; done < callCount; done += CALLS_PER_RUN) {
    const before = usedHeapBytes();
    of(CALLS_PER_RUN * runs++);
    const grown = usedHeapBytes() - before;
    drain();
    if (grown < 0) continue;
    grownBytes += grown;
    seenCalls += CALLS_PER_RUN;
  }
  return { bytesPerCall: grownBytes / seenCalls };
}

/** Without looks at the heap in between, which would be all there is to collect. */
async function countCollections(callCount: number): Promise<number> {
  let collections = 0;
  globalThis.gc?.();
  await nextTurn();
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let done = 0; done < callCount; done += CALLS_PER_RUN) {
    run(CALLS_PER_RUN * runs++);
    drain();
  }
  await nextTurn();
  observer.disconnect();
  return collections;
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

function usedHeapBytes(): number {
  return getHeapStatistics().used_heap_size;
}

function prepare(name: string): { run: (start: number) => void; drain: () => void } {
  const config = { name: 'request_seconds', help: 'Duration.', labelNames: [...LABEL_NAMES] };
  if (name.startsWith('prom-client')) {
    const metric = new prom.Histogram({ ...config, registers: [new prom.Registry()] });
    const children = labelSets.map((labels) => metric.labels({ ...labels }));
    return { run: runOf(name, { metric, children }), drain: () => {} };
  }
  const pipeline = new Pipeline();
  pipeline.configure({ engine: 'inline' });
  const metric = new Histogram({ ...config, registers: [new Registry(pipeline)] });
  const children = labelSets.map((labels) => metric.labels(labels));
  const { producer, engine } = pipeline;
  return {
    run: runOf(name, { metric, children }),
    drain: () => {
      producer.recorder.publish();
      (engine as InlineEngine).drainNow();
    },
  };
}

function runOf(
  name: string,
  of: { readonly metric: ObservingLabels; readonly children: readonly Observing[] },
): (start: number) => void {
  const { metric, children } = of;
  if (name.endsWith('labels')) {
    return (start) => {
      for (let index = start; index < start + CALLS_PER_RUN; index++) {
        const at = index & TRAFFIC_MASK;
        const labels = labelSets[series[at] as number] as HttpLabels;
        metric.observe(labels, boxedValues[at + 1] as number);
      }
    };
  }
  return (start) => {
    for (let index = start; index < start + CALLS_PER_RUN; index++) {
      const at = index & TRAFFIC_MASK;
      const child = children[series[at] as number] as Observing;
      child.observe(boxedValues[at + 1] as number);
    }
  };
}
