// How far off a library's percentiles are: `node --expose-gc percentiles-subject.js <subject> <distribution> <observations>`.

import { seededRandom } from '../../harness/seeded-random.js';
import { SHARES } from './percentiles-shares.js';

/** What the process tells its parent. */
export interface Accuracy {
  /** Relative errors, one a share. */
  readonly errors: readonly number[];
  readonly nsPerObservation: number;
  /** What the heap has grown by; of offloop what it takes of the segment, of hdr-histogram-js what it says. */
  readonly bytes: number;
}

interface Estimator {
  readonly observe: (seconds: Float64Array) => void | Promise<void>;
  /** Seconds, one a share. */
  readonly quantiles: () => readonly number[] | Promise<readonly number[]>;
  /** Where it is not on the heap. */
  readonly bytes?: () => number;
}

/** Half of the default ring. */
const OBSERVATIONS_PER_FLUSH = 32_768;
const US_PER_SECOND = 1e6;
const LONGEST_US = 64 * US_PER_SECOND;

const [, , subject = '', distribution = '', count = '0'] = process.argv;
const values = draw(Number(count));
const { observe, quantiles, bytes } = await open();
// With its modules loaded: they are no histogram's.
const before = usedBytes();
const startedNs = process.hrtime.bigint();
await observe(values);
const nsPerObservation = Number(process.hrtime.bigint() - startedNs) / values.length;
const found = await quantiles();
// Before the exact quantiles, for which the values are copied.
const grownBytes = bytes?.() ?? usedBytes() - before;
const accuracy: Accuracy = { errors: errorsOf(found), nsPerObservation, bytes: grownBytes };
process.send?.(accuracy);
process.disconnect();

/** Seconds. */
function draw(length: number): Float64Array {
  const random = seededRandom(1);
  const normal = (): number =>
    Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const distributions: Readonly<Record<string, () => number>> = {
    lognormal: () => Math.exp(-4 + normal()),
    bimodal: () =>
      random() < 0.8 ? 0.005 * Math.exp(0.2 * normal()) : 0.4 * Math.exp(0.1 * normal()),
    'heavy-tailed': () => Math.min(60, 0.001 / (1 - random()) ** (1 / 1.5)),
  };
  const next = distributions[distribution];
  if (next === undefined) throw new Error(`there is no distribution ${distribution}`);
  return Float64Array.from({ length }, next);
}

function errorsOf(found: readonly number[]): number[] {
  const sorted = values.slice().sort();
  return SHARES.map((share, index) => {
    const exact = sorted[Math.ceil(share * sorted.length) - 1] as number;
    return Math.abs((found[index] as number) / exact - 1);
  });
}

async function open(): Promise<Estimator> {
  if (subject === 'offloop sketch') return openOffloop('sketch');
  if (subject === 'offloop reservoir') return openOffloop('reservoir');
  if (subject === 'prom-client Summary') return openProm();
  return openHdr();
}

async function openOffloop(estimator: 'sketch' | 'reservoir'): Promise<Estimator> {
  const { Pipeline, Registry } = await import('@offloop/core');
  const { HttpMetrics, SnapshotReader } = await import('@offloop/core/adapter');
  const { AGGREGATES_END } = await import('@offloop/core/internal/layout/control-block.js');
  const { FIRST_BLOCK } = await import('@offloop/core/internal/layout/aggregates.js');
  const pipeline = new Pipeline();
  pipeline.configure({ estimator, engine: 'inline' });
  const http = new HttpMetrics(pipeline, new Registry(pipeline));
  const id = http.seriesIdOf('GET', '/', '200');
  const { segment, recorder } = pipeline.producer;
  const nowMs = performance.now();
  return {
    observe: async (seconds) => {
      for (let index = 0; index < seconds.length; index++) {
        http.record(id, seconds[index] as number, nowMs);
        if (index % OBSERVATIONS_PER_FLUSH === 0) await pipeline.flush();
      }
      await pipeline.flush();
    },
    quantiles: () => {
      const reader = new SnapshotReader(segment);
      const nowTick = recorder.tick();
      const { totalRequests, latencyQuantilesMs } = reader.read({
        isLagMonitored: false,
        nowTick,
        quantiles: SHARES,
      });
      if (totalRequests !== values.length) throw new Error('requests were lost');
      return SHARES.map((share) => (latencyQuantilesMs[String(share)] ?? Number.NaN) / 1_000);
    },
    bytes: () => ((segment.control[AGGREGATES_END] as number) - FIRST_BLOCK) * 8,
  };
}

async function openProm(): Promise<Estimator> {
  const { default: prom } = await import('prom-client');
  const summary = new prom.Summary({
    name: 'request_seconds',
    help: 'Duration.',
    percentiles: [...SHARES],
    registers: [],
  });
  return {
    observe: (seconds) => {
      for (let index = 0; index < seconds.length; index++)
        summary.observe(seconds[index] as number);
    },
    quantiles: async () => {
      const { values: shown } = await summary.get();
      return SHARES.map(
        (share) => shown.find(({ labels }) => labels['quantile'] === share)?.value ?? Number.NaN,
      );
    },
  };
}

/** Whole microseconds, with the three digits that its documentation begins with. */
async function openHdr(): Promise<Estimator> {
  const { build } = await import('hdr-histogram-js');
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits: 3,
  });
  return {
    observe: (seconds) => {
      for (let index = 0; index < seconds.length; index++)
        histogram.recordValue(Math.round((seconds[index] as number) * US_PER_SECOND));
    },
    quantiles: () =>
      SHARES.map((share) => histogram.getValueAtPercentile(share * 100) / US_PER_SECOND),
    bytes: () => histogram.estimatedFootprintInBytes,
  };
}

function usedBytes(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
