import { Drain, takeLease } from '@offloop/core/engine';
import {
  BLOCK_COUNTS,
  BLOCK_SUM,
  sketchDouble,
  TOTAL_AGGREGATED,
  TOTAL_UNATTRIBUTED,
} from '@offloop/core/internal/layout/aggregates.js';
import { readFamily, seriesBlock } from '@offloop/core/internal/layout/catalog-reader.js';
import type { Subject } from '../../harness/bench.js';
import {
  createTraffic,
  type Distribution,
  TRAFFIC_LENGTH,
  type Traffic,
} from '../../harness/traffic.js';
import { BOUNDS, createReplay, createRig, type Rig, type RigKind } from '../rig.js';

/** What a drain is measured on. */
export interface DrainCondition {
  readonly seriesCount: number;
  readonly kind?: RigKind;
  readonly distribution?: Distribution;
  /** Records a batch; the drain's own choice where it is left out. */
  readonly batchRecords?: number;
}

/** A drain whose ring is filled between the timed runs. An operation is a record. */
export function drainSubject(condition: DrainCondition): Subject {
  const { seriesCount, kind = 'histogram with sketch', batchRecords } = condition;
  const rig = createRig({ seriesCount, kind });
  const traffic = createTraffic(seriesCount, condition.distribution);
  const replay = createReplay(rig, traffic);
  const lease = takeLease(rig.segment, true);
  if (lease === undefined) throw new Error('the lease is taken');
  const drain = new Drain(rig.segment, lease);
  let written = 0;
  const prepare = (count: number): void => {
    replay(count);
    rig.recorder.publish();
    written += count;
  };
  const run = (count: number): void => {
    for (let done = 0; done < count; ) done += drain.drainBatch(batchRecords) ?? Number.NaN;
  };
  return {
    check: () => {
      for (let half = 0; half < 2; half++) {
        prepare(TRAFFIC_LENGTH / 2);
        run(TRAFFIC_LENGTH / 2);
      }
      checkAggregates({ rig, traffic, kind });
    },
    prepare,
    run,
    finish: () => {
      const { aggregates } = rig.segment;
      if (aggregates[TOTAL_AGGREGATED] !== written || aggregates[TOTAL_UNATTRIBUTED] !== 0) {
        throw new Error(`${aggregates[TOTAL_AGGREGATED]} of ${written} records aggregated`);
      }
    },
  };
}

/** One cycle of the traffic, aggregated, must be what a search of the buckets makes of it. */
function checkAggregates(of: {
  readonly rig: Rig;
  readonly traffic: Traffic;
  readonly kind: RigKind;
}): void {
  const { segment, seriesIds } = of.rig;
  const bounds = of.kind === 'summary' ? [] : BOUNDS;
  const { values, series } = of.traffic;
  const expected = Array.from(seriesIds, () => new Float64Array(BLOCK_COUNTS + bounds.length + 1));
  for (let index = 0; index < TRAFFIC_LENGTH; index++) {
    const value = values[index] as number;
    const block = expected[series[index] as number] as Float64Array;
    const bucket = bounds.findIndex((bound) => value <= bound);
    const cell = BLOCK_COUNTS + (bucket === -1 ? bounds.length : bucket);
    block[BLOCK_SUM] = (block[BLOCK_SUM] as number) + value;
    block[cell] = (block[cell] as number) + 1;
  }
  for (const [index, block] of expected.entries()) {
    const start = seriesBlock(segment, seriesIds[index] as number);
    const cells = of.kind === 'counter' ? 1 : block.length;
    const actual = segment.aggregates.slice(start, start + cells);
    const isRight = actual.every((value, cell) => isNear(value, block[cell] as number));
    if (!isRight) throw new Error(`series ${index} is ${actual}, not ${block.slice(0, cells)}`);
    const sketchCells = readFamily(segment, of.rig.family).sketchCells;
    if (sketchCells > 0) {
      const sketch = start + sketchDouble(bounds.length);
      const inSketch = sumOf(segment.aggregates.slice(sketch, sketch + sketchCells));
      const inBuckets = sumOf(block.slice(BLOCK_COUNTS));
      if (inSketch !== inBuckets) throw new Error(`${inSketch} of ${inBuckets} in the sketch`);
    }
  }
}

/** Sums of doubles depend on the order in which they are added. */
function isNear(actual: number, expected: number): boolean {
  return Math.abs(actual - expected) <= 1e-9 * Math.abs(expected);
}

function sumOf(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The floor of any drain: reads each record, and adds the values up. */
export function decodeSubject(): Subject {
  const seriesCount = 200;
  const rig = createRig({ seriesCount, kind: 'counter' });
  const replay = createReplay(rig, createTraffic(seriesCount));
  const { ringCells, ringValues, sizes } = rig.segment;
  const mask = sizes.capacityRecords - 1;
  replay(sizes.capacityRecords);
  let next = 0;
  let total = 0;
  return {
    check: () => {
      if (ringCells[0] !== rig.seriesIds[createTraffic(seriesCount).series[0] as number]) {
        throw new Error('the ring is not as it should be');
      }
    },
    run: (count) => {
      const start = next;
      next += count;
      let sum = 0;
      for (let index = start; index < start + count; index++) {
        const slot = index & mask;
        sum += (ringValues[(slot << 1) + 1] as number) + (ringCells[slot << 2] as number);
      }
      total += sum;
    },
    finish: () => {
      if (!(total > 0)) throw new Error('the loop was skipped');
    },
  };
}
