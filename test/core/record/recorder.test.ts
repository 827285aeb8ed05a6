import {
  CONSUMER_CURSOR,
  DROPPED,
  POLL_COUNT,
  PRODUCER_CURSOR,
} from '@offloop/core/internal/layout/control-block.js';
import { readWideCounter } from '@offloop/core/internal/layout/wide-counter.js';
import { createRecorder } from '@offloop/core/internal/record/recorder.js';
import { expect } from 'chai';
import { SegmentRig } from '../segment-rig.js';

const CAPACITY = 256;

function fill(rig: SegmentRig, count: number, seriesId = 0): boolean[] {
  return Array.from({ length: count }, (_, index) => rig.recorder.record(seriesId, index));
}

function dropped(rig: SegmentRig): number {
  return readWideCounter(rig.segment.control, DROPPED);
}

function published(rig: SegmentRig): number {
  return rig.segment.control[PRODUCER_CURSOR] as number;
}

describe('recorder: the ring', () => {
  it('is empty at first', () => {
    const rig = new SegmentRig();
    expect(rig.recorder.backlog()).to.equal(0);
    rig.recorder.publish();
    expect(published(rig)).to.equal(0);
    expect(rig.drain.drainBatch()).to.equal(0);
  });

  it('takes one record', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    expect(rig.recorder.record(series, 2.5)).to.equal(true);
    expect(rig.recorder.backlog()).to.equal(1);
    rig.drainAll();
    expect(rig.recorder.backlog()).to.equal(0);
    expect(rig.counter(series)).to.equal(2.5);
  });

  for (const startAt of [0, 1, 255, 2 ** 31 - 100, 2 ** 31 - 256, 2 ** 32 - 100, 2 ** 32 - 256]) {
    it(`drops the newest record when it is full, from sequence ${startAt} on`, () => {
      const rig = new SegmentRig({ startAt });
      const series = rig.addSeries(rig.addFamily());
      expect(fill(rig, CAPACITY, series).every(Boolean)).to.equal(true);
      expect(rig.recorder.backlog()).to.equal(CAPACITY);
      expect(dropped(rig)).to.equal(0);
      expect(rig.recorder.record(series, 1e9)).to.equal(false);
      expect(rig.recorder.record(series, 1e9)).to.equal(false);
      expect(rig.recorder.backlog()).to.equal(CAPACITY);
      expect(dropped(rig)).to.equal(2);
      rig.drainAll();
      expect(rig.counter(series)).to.equal((255 * 256) / 2);
      expect(rig.totals()).to.include({
        offeredRecords: 258,
        recordedRecords: 256,
        droppedRecords: 2,
        aggregatedRecords: 256,
        backlogRecords: 0,
      });
    });

    it(`wraps many times without a loss, from sequence ${startAt} on`, () => {
      const rig = new SegmentRig({ startAt });
      const series = rig.addSeries(rig.addFamily());
      let sum = 0;
      for (let index = 0; index < 10 * CAPACITY + 7; index++) {
        if (rig.recorder.backlog() >= 200) {
          rig.recorder.publish();
          rig.drain.drainBatch(77);
        }
        expect(rig.recorder.record(series, index)).to.equal(true);
        sum += index;
      }
      rig.drainAll();
      expect(rig.counter(series)).to.equal(sum);
      expect(rig.totals()).to.include({ aggregatedRecords: 10 * CAPACITY + 7, droppedRecords: 0 });
    });
  }

  it('takes exactly as many records again as were freed', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    fill(rig, CAPACITY, series);
    rig.recorder.publish();
    rig.drain.drainBatch(3);
    expect(fill(rig, 5, series)).to.deep.equal([true, true, true, false, false]);
  });

  it('counts drops across 2^32', () => {
    const rig = new SegmentRig();
    rig.segment.control[DROPPED + 1] = -1;
    fill(rig, CAPACITY + 1);
    expect(dropped(rig)).to.equal(2 ** 32);
  });

  it('goes on from the segment’s cursors when a recorder is made anew', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    fill(rig, 250, series);
    rig.recorder.publish();
    const next = createRecorder(rig.segment);
    expect(next.backlog()).to.equal(250);
    for (let index = 0; index < 6; index++) expect(next.record(series, 0)).to.equal(true);
    expect(next.record(series, 0)).to.equal(false);
  });
});

describe('recorder: publishing', () => {
  it('waits for the 64th record', () => {
    const rig = new SegmentRig();
    fill(rig, 63);
    expect(published(rig)).to.equal(0);
    rig.recorder.record(0, 1);
    expect(published(rig)).to.equal(64);
    fill(rig, 63);
    expect(published(rig)).to.equal(64);
    rig.recorder.record(0, 1);
    expect(published(rig)).to.equal(128);
  });

  it('waits for the 64th sequence also after a publish in between', () => {
    const rig = new SegmentRig();
    fill(rig, 10);
    rig.recorder.publish();
    expect(published(rig)).to.equal(10);
    fill(rig, 53);
    expect(published(rig)).to.equal(10);
    rig.recorder.record(0, 1);
    expect(published(rig)).to.equal(64);
  });

  it('happens at the first record after the consumer has looked, and at that one only', () => {
    const rig = new SegmentRig();
    fill(rig, 3);
    rig.drain.drainBatch();
    expect(published(rig)).to.equal(0);
    rig.recorder.record(0, 1);
    expect(published(rig)).to.equal(4);
    rig.recorder.record(0, 1);
    expect(published(rig)).to.equal(4);
    rig.segment.control[POLL_COUNT] = (rig.segment.control[POLL_COUNT] as number) + 1;
    rig.recorder.record(0, 1);
    expect(published(rig)).to.equal(6);
  });

  it('notices a poll count that wrapped', () => {
    const rig = new SegmentRig();
    rig.segment.control[POLL_COUNT] = 2 ** 31 - 1;
    rig.recorder.publish();
    rig.drain.drainBatch();
    expect(rig.segment.control[POLL_COUNT]).to.equal(-(2 ** 31));
    rig.recorder.record(0, 1);
    expect(published(rig)).to.equal(1);
  });

  it('hides unpublished records from the consumer', () => {
    const rig = new SegmentRig();
    fill(rig, 5);
    expect(rig.drain.drainBatch()).to.equal(0);
    expect(rig.recorder.backlog()).to.equal(5);
    rig.recorder.publish();
    expect(rig.drain.drainBatch()).to.equal(5);
  });
});

describe('recorder: close', () => {
  it('publishes what was written, and drops and counts every later record', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    fill(rig, 5, series);
    rig.recorder.close();
    expect(published(rig)).to.equal(5);
    expect(rig.recorder.record(series, 1)).to.equal(false);
    rig.drainAll();
    expect(rig.recorder.record(series, 1)).to.equal(false);
    expect(dropped(rig)).to.equal(2);
    expect(rig.counter(series)).to.equal(10);
  });

  it('asks nobody for room afterwards', () => {
    const rig = new SegmentRig();
    rig.recorder.relieveWith(() => {
      throw new Error('must not be called');
    });
    rig.recorder.close();
    rig.recorder.close();
    expect(rig.recorder.record(0, 1)).to.equal(false);
  });
});

describe('recorder: relief', () => {
  it('is asked for when the ring is full, finds everything published, and drops nothing', () => {
    const rig = new SegmentRig();
    const series = rig.addSeries(rig.addFamily());
    const seen: number[] = [];
    rig.recorder.relieveWith(() => {
      seen.push(published(rig));
      rig.drain.drainBatch(16);
    });
    expect(fill(rig, CAPACITY + 17, series).every(Boolean)).to.equal(true);
    expect(seen).to.deep.equal([CAPACITY, CAPACITY + 16]);
    expect(dropped(rig)).to.equal(0);
  });

  it('is not asked for when the consumer has made room itself', () => {
    const rig = new SegmentRig();
    let asked = 0;
    rig.recorder.relieveWith(() => asked++);
    fill(rig, CAPACITY);
    rig.recorder.publish();
    rig.drain.drainBatch();
    expect(rig.recorder.record(0, 1)).to.equal(true);
    expect(asked).to.equal(0);
  });

  it('that makes no room costs the record and nothing else', () => {
    const rig = new SegmentRig();
    rig.recorder.relieveWith(() => {});
    fill(rig, CAPACITY);
    expect(rig.recorder.record(0, 1)).to.equal(false);
    expect(dropped(rig)).to.equal(1);
  });

  it('can be taken away', () => {
    const rig = new SegmentRig();
    rig.recorder.relieveWith(() => rig.drain.drainBatch());
    rig.recorder.relieveWith(null);
    fill(rig, CAPACITY);
    expect(rig.recorder.record(0, 1)).to.equal(false);
  });
});

describe('recorder: the consumer’s cursor', () => {
  it('may lag and wrap: the distance counts and not the order', () => {
    const rig = new SegmentRig({ startAt: 2 ** 31 - 3 });
    fill(rig, 10);
    rig.recorder.publish();
    expect(rig.segment.control[PRODUCER_CURSOR]).to.be.below(0);
    expect(rig.segment.control[CONSUMER_CURSOR]).to.be.above(0);
    expect(rig.recorder.backlog()).to.equal(10);
    expect(rig.totals().backlogRecords).to.equal(10);
  });
});
