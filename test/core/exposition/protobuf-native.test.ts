import { NATIVE_BUCKETS_MAX } from '@offloop/core/internal/exposition/native-buckets.js';
import { renderPage } from '@offloop/core/internal/exposition/render.js';
import { expect } from 'chai';
import {
  bucketsOf,
  type DecodedHistogram,
  decodeFamilies,
} from '../../support/protobuf-decoder.js';
import { Random, runSeed } from '../../support/random.js';
import { SegmentRig } from '../segment-rig.js';

/** Of both shapes: 2^-20 s in durations, 2^-30 elsewhere. */
const ZERO_THRESHOLDS = { narrow: 2 ** -20, wide: 2 ** -30 } as const;
type Shape = keyof typeof ZERO_THRESHOLDS;

class NativeRig {
  readonly rig = new SegmentRig({ sizes: { aggregateCells: 200_000 } });
  readonly family: number;

  constructor(shape: Shape, bounds: readonly number[] = []) {
    this.family = this.rig.addHistogram(bounds, shape === 'wide' ? 'wide' : true);
  }

  addSeries(values: readonly number[], labels = ''): void {
    const { rig, family } = this;
    const series = rig.addSeries(family, labels);
    for (const [index, value] of values.entries()) {
      rig.recorder.record(series, value);
      if (index % 128 === 0) rig.drainAll();
    }
    rig.drainAll();
  }

  histograms(): DecodedHistogram[] {
    const { bytes } = renderPage(this.rig.segment, {
      families: [this.family],
      includePipeline: false,
      format: 'protobuf',
    });
    const [family] = decodeFamilies(bytes);
    expect(family?.type).to.equal('HISTOGRAM');
    return (family?.metric ?? []).map(({ histogram = {} }) => histogram);
  }
}

function nativeOf(shape: Shape, values: readonly number[], bounds?: readonly number[]) {
  const rig = new NativeRig(shape, bounds);
  rig.addSeries(values);
  return rig.histograms()[0] as DecodedHistogram;
}

const positiveOf = ({ positive_span, positive_delta }: DecodedHistogram) =>
  bucketsOf(positive_span, positive_delta);
const negativeOf = ({ negative_span, negative_delta }: DecodedHistogram) =>
  bucketsOf(negative_span, negative_delta);

/** Middle of a bucket of schema 5, so that no rounding matters. */
const inBucket = (index: number) => 2 ** ((index - 0.5) / 32);

/** Index of the bucket that a positive value lies in, by logarithm: right for all but values next to a bound. */
const indexOf = (value: number, schema: number) => Math.ceil(Math.log2(value) * 2 ** schema);

describe('native histograms in protobuf', () => {
  for (const shape of ['narrow', 'wide'] as const) {
    it(`are told from classic ones without an observation, with the ${shape} sketch`, () => {
      const histogram = nativeOf(shape, [], [1]);
      expect(histogram).to.deep.include({
        sample_count: 0,
        sample_sum: 0,
        schema: 5,
        zero_threshold: ZERO_THRESHOLDS[shape],
        zero_count: 0,
        positive_span: [{ offset: 0, length: 0 }],
        bucket: [{ cumulative_count: 0, upper_bound: 1 }],
      });
      expect(histogram.positive_delta).to.equal(undefined);
      expect(histogram.negative_span).to.equal(undefined);
    });

    it(`put a bound into the bucket below it, with the ${shape} sketch`, () => {
      const values = [1, 2, 0.5, 2 ** (1 / 32) * 0.999, 1.0000001, 2.0000001, 2 ** 6];
      expect([...positiveOf(nativeOf(shape, values))]).to.deep.equal([
        [-32, 1],
        [0, 1],
        [1, 2],
        [32, 1],
        [33, 1],
        [192, 1],
      ]);
    });

    it(`count what lies at zero in the zero bucket, with the ${shape} sketch`, () => {
      const threshold = ZERO_THRESHOLDS[shape];
      const histogram = nativeOf(shape, [0, threshold / 2, Number.MIN_VALUE, threshold * 1.001]);
      expect(histogram.zero_count).to.equal(3);
      expect([...positiveOf(histogram)]).to.deep.equal([[Math.log2(threshold) * 32 + 1, 1]]);
    });
  }

  it('mirror negative observations', () => {
    const histogram = nativeOf('wide', [-1, -2, -2, -1.5, 1.5, -(2 ** -31), -(2 ** 60)]);
    expect([...negativeOf(histogram)]).to.deep.equal([
      [0, 1],
      [indexOf(1.5, 5), 1],
      [32, 2],
      [50 * 32 + 1, 1],
    ]);
    expect([...positiveOf(histogram)]).to.deep.equal([[indexOf(1.5, 5), 1]]);
    expect(histogram.zero_count).to.equal(1);
    expect(histogram.sample_count).to.equal(7);
  });

  it('count what lies beyond the last bucket in the one after it', () => {
    expect([...positiveOf(nativeOf('narrow', [64, 65, 1e9]))]).to.deep.equal([
      [192, 1],
      [193, 2],
    ]);
    expect([...positiveOf(nativeOf('wide', [2 ** 50, 2 ** 51, 1e300]))]).to.deep.equal([
      [1_600, 1],
      [1_601, 2],
    ]);
  });

  it('describe runs of neighbours by spans, and counts by what is added from bucket to bucket', () => {
    const values = [10, 11, 11, 11, 12, 12, 15, 40].map(inBucket);
    const histogram = nativeOf('narrow', values);
    expect(histogram.positive_span).to.deep.equal([
      { offset: 10, length: 3 },
      { offset: 2, length: 1 },
      { offset: 24, length: 1 },
    ]);
    expect(histogram.positive_delta).to.deep.equal([1, 2, -1, -1, 0]);
  });

  it('have the classic buckets beside them, and the same count and sum', () => {
    const histogram = nativeOf('wide', [0.5, 1.5, 1.5, 3], [1, 2]);
    expect(histogram.bucket).to.deep.equal([
      { cumulative_count: 1, upper_bound: 1 },
      { cumulative_count: 3, upper_bound: 2 },
    ]);
    expect(histogram.sample_count).to.equal(4);
    expect(histogram.sample_sum).to.equal(6.5);
    expect([...positiveOf(histogram).values()].reduce((sum, count) => sum + count)).to.equal(4);
  });

  it('are no part of a histogram without a sketch', () => {
    const rig = new SegmentRig();
    const family = rig.addHistogram([1]);
    rig.addSeries(family);
    const { bytes } = renderPage(rig.segment, {
      families: [family],
      includePipeline: false,
      format: 'protobuf',
    });
    expect(decodeFamilies(bytes)[0]?.metric?.[0]?.histogram).to.have.all.keys(
      'sample_count',
      'sample_sum',
      'bucket',
      'created_timestamp',
    );
  });

  it('keep their resolution up to 160 buckets, and halve it for one more', () => {
    const indexes = Array.from({ length: NATIVE_BUCKETS_MAX }, (_, index) => index - 79);
    const full = nativeOf('wide', indexes.map(inBucket));
    expect(full.schema).to.equal(5);
    expect([...positiveOf(full).keys()]).to.deep.equal(indexes);

    const above = nativeOf('wide', [...indexes, 81].map(inBucket));
    expect(above.schema).to.equal(4);
    // Buckets −79 … 81 of schema 5 are −39 … 41 of schema 4: −79 and 81 come alone, the others in pairs.
    expect([...positiveOf(above)]).to.deep.equal(
      Array.from({ length: 81 }, (_, index) => [index - 39, index === 80 ? 1 : 2]),
    );
  });

  it('count both signs for that', () => {
    const indexes = Array.from({ length: 81 }, (_, index) => index);
    const magnitudes = indexes.map(inBucket);
    const histogram = nativeOf('wide', [...magnitudes, ...magnitudes.map((value) => -value)]);
    expect(histogram.schema).to.equal(4);
    for (const buckets of [positiveOf(histogram), negativeOf(histogram)]) {
      expect([...buckets.keys()]).to.deep.equal(Array.from({ length: 41 }, (_, index) => index));
    }
  });

  it(`decode to exactly what was observed, series by series, seed ${runSeed}`, () => {
    const random = new Random();
    for (let round = 0; round < 40; round++) {
      const shape = round % 2 === 0 ? 'wide' : 'narrow';
      const rig = new NativeRig(shape, [-1, 1]);
      const observed: number[][] = [];
      for (let series = 0; series < 5; series++) {
        // From one octave to many: within the range of durations, and on both sides of zero.
        const octaves = 2 ** random.below(shape === 'wide' ? 7 : 5);
        const top = shape === 'wide' ? octaves / 2 : 6;
        const values = Array.from({ length: random.below(600) }, () => {
          if (random.below(20) === 0) return 0;
          const value = 2 ** (top - random.unit() * octaves);
          return shape === 'wide' && random.below(2) === 0 ? -value : value;
        });
        observed.push(values);
        rig.addSeries(values, `series="${series}"`);
      }
      const histograms = rig.histograms();
      expect(histograms).to.have.length(observed.length);
      for (const [series, histogram] of histograms.entries()) {
        expectObserved(histogram, observed[series] as number[], ZERO_THRESHOLDS[shape]);
      }
    }
  });
});

function expectObserved(histogram: DecodedHistogram, values: number[], zeroThreshold: number) {
  const { schema = 0, sample_count, zero_count, bucket } = histogram;
  const positive = countsByIndex(
    values.filter((value) => value > zeroThreshold),
    schema,
  );
  const negative = countsByIndex(
    values.filter((value) => value < -zeroThreshold).map((value) => -value),
    schema,
  );
  expect(positiveOf(histogram)).to.deep.equal(positive);
  expect(negativeOf(histogram)).to.deep.equal(negative);
  expect(zero_count).to.equal(values.filter((value) => Math.abs(value) <= zeroThreshold).length);
  expect(sample_count).to.equal(values.length);
  expect(bucket?.map(({ cumulative_count }) => cumulative_count)).to.deep.equal([
    values.filter((value) => value <= -1).length,
    values.filter((value) => value <= 1).length,
  ]);
  expect(positive.size + negative.size).to.be.at.most(NATIVE_BUCKETS_MAX);
  if (schema === 5) return;
  const finer = [1, -1].map((sign) =>
    countsByIndex(
      values.map((value) => value * sign).filter((value) => value > zeroThreshold),
      schema + 1,
    ),
  );
  expect(finer.reduce((sum, { size }) => sum + size, 0)).to.be.greaterThan(NATIVE_BUCKETS_MAX);
}

function countsByIndex(magnitudes: readonly number[], schema: number): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of magnitudes) {
    const index = indexOf(value, schema);
    counts.set(index, (counts.get(index) ?? 0) + 1);
  }
  return new Map([...counts].sort(([one], [other]) => one - other));
}
