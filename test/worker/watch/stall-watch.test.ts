import { LoopBeat } from '@offloop/core/adapter';
import { BEAT_MS, STALL_COUNT } from '@offloop/core/internal/layout/watch.js';
import { monotonicMs, toCell } from '@offloop/core/internal/process/monotonic-clock.js';
import { verdictOn } from '@offloop/core/internal/process/stall-reading.js';
import { StallWatch } from '@offloop/worker/internal/watch/stall-watch.js';
import { expect } from 'chai';
import { TestSegment } from '../../contract/test-segment.js';
import { skip } from '../../support/skip.js';

/** Beyond the lateness from which a watcher knows that it stood still itself. */
const PAUSE_MS = 1_500;

describe('a stall watch that stood still together with the loop', () => {
  for (const [which, looksBetween] of [
    ['after the stall is noted', false],
    ['between the beat and the note of the stall', true],
  ] as const) {
    it(`tells a pause where it looks first ${which}`, function () {
      if (process.platform !== 'linux') skip(this, 'causes are read from /proc');
      this.timeout(PAUSE_MS * 10);
      const { segment } = new TestSegment({ seed: 1 });
      let turn = (): void => {};
      const beat = new LoopBeat(segment, {
        clock: monotonicMs,
        busy: () => 0,
        every: (_, listener) => {
          turn = listener;
          return () => {};
        },
      });
      beat.start({ stallMs: 250, windowMs: 60_000, stacksPerHour: 0 });
      const watch = new StallWatch(segment);
      watch.look();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      if (looksBetween) {
        Atomics.store(segment.watch, BEAT_MS, toCell(monotonicMs()));
        watch.look();
      }
      turn();
      watch.look();
      watch.stop();
      expect(segment.watch[STALL_COUNT]).to.equal(1);
      expect(verdictOn(segment, 0)).to.equal('paused');
    });
  }
});
