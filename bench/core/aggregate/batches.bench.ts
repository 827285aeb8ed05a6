// Why a batch is 32 768 records at most, and why the inline engine drains 4 096 when the ring is full.
import { alternatingSuite, NANOSECONDS } from '../../harness/alternating-suite.js';
import { bench } from '../../harness/bench.js';
import { drainSubject } from './drain-subject.js';

/** For the processes of the suite. */
export const benches = [16, 256, 1_024, 4_096, 8_192, 16_384, 32_768].map((batchRecords) =>
  bench(
    `drain / 200 series, batches of ${batchRecords}`,
    { smoke: 1_000, full: batchRecords < 1_024 ? 200_000 : 1_000_000 },
    () => drainSubject({ seriesCount: 200, batchRecords }),
  ),
);

export const batches = alternatingSuite({
  name: 'core/aggregate/batches',
  title: 'Draining: nanoseconds a record, by the size of the batch',
  note: 'Small batches find most of their series and cells for the first time, and each is an entry of the redo log.',
  isForReadme: false,
  moduleUrl: import.meta.url,
  benches,
  unit: NANOSECONDS,
});
