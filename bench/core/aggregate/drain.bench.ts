// How fast a thread turns records into aggregates: everything on, exactly-once included.
import { alternatingSuite, MILLION_A_SECOND } from '../../harness/alternating-suite.js';
import { bench } from '../../harness/bench.js';
import { decodeSubject, drainSubject } from './drain-subject.js';

const SIZE = { smoke: 1_000, full: 2_000_000 };

/** For the processes of the suite. */
export const benches = [
  bench('decode only / baseline', SIZE, decodeSubject),
  bench('drain / 1 series', SIZE, () => drainSubject({ seriesCount: 1 })),
  bench('drain / 200 series', SIZE, () => drainSubject({ seriesCount: 200 })),
  bench('drain / 200 series, durations spread less', SIZE, () =>
    drainSubject({ seriesCount: 200, distribution: 'lognormal 0.5' }),
  ),
  bench('drain / 200 series, Pareto', SIZE, () =>
    drainSubject({ seriesCount: 200, distribution: 'pareto' }),
  ),
  bench('drain / 200 series, without sketch', SIZE, () =>
    drainSubject({ seriesCount: 200, kind: 'histogram' }),
  ),
  bench('drain / 200 series, counters', SIZE, () =>
    drainSubject({ seriesCount: 200, kind: 'counter' }),
  ),
  bench('drain / 200 series, native histograms', SIZE, () =>
    drainSubject({ seriesCount: 200, kind: 'histogram with wide sketch' }),
  ),
  bench('drain / 200 series, summaries', SIZE, () =>
    drainSubject({ seriesCount: 200, kind: 'summary' }),
  ),
  bench('drain / 2 000 series', SIZE, () => drainSubject({ seriesCount: 2_000 })),
];

export const drain = alternatingSuite({
  name: 'core/aggregate/drain',
  title: 'Draining: million records a second on one core',
  note: 'Sum, 12 classic buckets and the sketch of each record, exactly once; native histograms and summaries have the wide sketch, for any value. Lognormal durations of σ = 1.0, or 0.5 where they are spread less; series drawn at random, default ring, full batches.',
  isForReadme: true,
  moduleUrl: import.meta.url,
  benches,
  unit: MILLION_A_SECOND,
  floors: [{ row: 'drain / 200 series', atLeast: 50 }],
});
